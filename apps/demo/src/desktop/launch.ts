import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { FolderError, openFolder } from '../host/folder.js'
import { UsageError } from '../server/arguments.js'
import { dim, red, yellow } from '../server/style.js'
import { findElectron } from './electron-binary.js'
import { installElectron } from './install-electron.js'
import { readLaunchArguments } from './launch-arguments.js'
import { folderOption } from './wanted-folder.js'

const PNPM = 'npx --yes pnpm@12'

/** The app: the folder whose package.json names its main file. */
const APP = fileURLToPath(new URL('../..', import.meta.url))

const HELP = `Usage: ${PNPM} demo:desktop [FOLDER]

Shows every change in FOLDER (default: this project) in two windows of a desktop app.
Electron is downloaded first, where it is missing: once, about 120 MB.

  -h, --help   this text

  FLASHRPC_ELECTRON_PATH   Electron's program, where you have one already`

/** What else there is, where Electron can't be had. */
const REMEDIES = [
  ['behind a proxy', 'set HTTPS_PROXY and run it again'],
  ['with a mirror', 'set ELECTRON_MIRROR to its address and run it again'],
  ['with an Electron of yours', 'set FLASHRPC_ELECTRON_PATH to its program'],
  ['without Electron', `the same demo in a browser: ${PNPM} demo`],
] as const

/** The person is to be told this, and no stack. */
class LaunchError extends Error {}

/** @returns the exit code. */
async function main(): Promise<number> {
  const { help, folder } = readLaunchArguments(process.argv.slice(2))
  if (help) {
    console.log(HELP)
    return 0
  }
  // Package managers run scripts elsewhere, and tell where the person stands.
  const from = process.env.INIT_CWD ?? process.cwd()
  const options = folder === undefined ? [] : [folderOption(await openFolder(folder, from))]
  const electron = await haveElectron()
  assertCanShow()
  return run(electron, [APP, ...options])
}

/** Where Electron's program is, downloaded if need be. */
async function haveElectron(): Promise<string> {
  const found = findElectron()
  if ('path' in found) return found.path
  if (!found.installer) throw new LaunchError(`${found.why}: ${found.remedy}.`)
  console.log(`${yellow('⚡')} ${found.why}. Downloading it: once, about 120 MB …`)
  const failure = await installElectron(found.installer, process.env)
  const installed = findElectron()
  if ('path' in installed) return installed.path
  const why = `Electron could not be downloaded: ${failure ?? installed.why}`
  const width = Math.max(...REMEDIES.map(([when]) => when.length))
  const remedies = REMEDIES.map(([when, what]) => `  ${dim(when.padEnd(width))}  ${what}`)
  throw new LaunchError([why, ...remedies].join('\n'))
}

/** Says what Electron would only say by crashing. */
function assertCanShow(): void {
  if (process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY) return
  throw new LaunchError(
    `There is no display to show windows on. Where none is needed, run it under xvfb: xvfb-run -a ${PNPM} demo:desktop`,
  )
}

/** @returns its exit code, once it has ended. */
async function run(electron: string, args: readonly string[]): Promise<number> {
  const env = { ...process.env }
  // With it, Electron would be a plain Node and show nothing.
  delete env.ELECTRON_RUN_AS_NODE
  const child = spawn(electron, args, { env, stdio: 'inherit' })
  // It ends by itself, and this program with it.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  process.on('SIGINT', pass)
  process.on('SIGTERM', pass)
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    if (code !== null) return code
    // Chromium's sandbox works for no root, and the demo insists on it.
    const isRoot = process.platform === 'linux' && process.getuid?.() === 0
    const why = isRoot ? 'its sandbox does not work for root' : 'what it printed may say why'
    throw new LaunchError(`Electron was ended by ${signal}: ${why}.`)
  } catch (error) {
    if (error instanceof LaunchError) throw error
    throw new LaunchError(`${electron} could not be started: ${(error as Error).message}`)
  } finally {
    process.off('SIGINT', pass)
    process.off('SIGTERM', pass)
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected =
    error instanceof UsageError || error instanceof FolderError || error instanceof LaunchError
  if (!isExpected) throw error
  console.error(`${red('✖')} ${error.message}`)
  process.exitCode = 1
}
