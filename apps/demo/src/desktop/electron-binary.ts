import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'

/** Where Electron's program is; or why it is nowhere, and what to do. */
export type ElectronBinary = { readonly path: string } | MissingElectron

export interface MissingElectron {
  readonly why: string
  readonly remedy: string
  /** What downloads it, where that is the remedy: a script of the electron package. */
  readonly installer?: string
}

/**
 * Looks for Electron's program. It reads files only: importing the electron package, or asking it,
 * would begin a download.
 *
 * @param env `FLASHRPC_ELECTRON_PATH` names the program; `ELECTRON_OVERRIDE_DIST_PATH`, which the
 * electron package knows too, the folder that it is in. Otherwise it is where that package puts it.
 */
export function findElectron(env: NodeJS.ProcessEnv = process.env): ElectronBinary {
  const named = env.FLASHRPC_ELECTRON_PATH
  if (named) {
    const path = resolve(named)
    if (isFile(path)) return { path }
    return {
      why: `FLASHRPC_ELECTRON_PATH names ${path}, which is no file`,
      remedy: 'let it name Electron’s program, or unset it',
    }
  }
  const electron = electronPackage()
  const folder = env.ELECTRON_OVERRIDE_DIST_PATH
  if (folder) {
    const path = resolve(folder, electron?.program ?? defaultProgram())
    if (isFile(path)) return { path }
    return {
      why: `ELECTRON_OVERRIDE_DIST_PATH names ${resolve(folder)}, and there is no Electron in it`,
      remedy: 'let it name the folder that Electron is in, or unset it',
    }
  }
  if (!electron) {
    return {
      why: 'The electron package is not installed',
      remedy: 'install the project’s packages: npx --yes pnpm@12 install',
    }
  }
  const path = join(electron.folder, 'dist', electron.program)
  // What an older version of the package has left there is not what this one was tested with.
  if (electron.installed === electron.version && isFile(path)) return { path }
  return {
    why: `Electron ${electron.version} has not been downloaded yet`,
    remedy: 'download it: npx --yes pnpm@12 --filter @flashrpc/demo exec install-electron',
    installer: join(electron.folder, 'install.js'),
  }
}

interface ElectronPackage {
  readonly folder: string
  readonly version: string
  /** The version of the program that was downloaded, if one was. */
  readonly installed: string | undefined
  /** The program's path in the folder that was downloaded. */
  readonly program: string
}

function electronPackage(): ElectronPackage | undefined {
  let manifest: string
  try {
    manifest = createRequire(import.meta.url).resolve('electron/package.json')
  } catch {
    return undefined
  }
  const folder = dirname(manifest)
  return {
    folder,
    version: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
    installed: read(join(folder, 'dist/version'))?.replace(/^v/, ''),
    program: read(join(folder, 'path.txt')) ?? defaultProgram(),
  }
}

/** What the program is called where the package has not written it down. */
function defaultProgram(): string {
  if (process.platform === 'win32') return 'electron.exe'
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return 'electron'
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
