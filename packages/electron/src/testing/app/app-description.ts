import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { ElectronBenchError } from '../bench-errors.js'

/** The facts about an app before it runs. */
export interface AppFiles {
  /** The main file. */
  readonly main: string
  /** The app's folder. */
  readonly path: string
  readonly name: string
  readonly version: string
}

interface Manifest {
  readonly name?: string
  readonly productName?: string
  readonly version?: string
  readonly main?: string
}

/**
 * Finds an app's main file, and what its package.json says.
 *
 * @param given - The main file, or the folder of a package.json that names it.
 */
export function findApp(given: string): AppFiles {
  const start = resolve(given)
  if (!existsSync(start)) throw new ElectronBenchError(`There is no main file at ${start}`)
  const isFolder = statSync(start).isDirectory()
  const path = isFolder ? start : packageFolder(dirname(start))
  const manifest = readManifest(path)
  const main = isFolder ? join(start, manifest.main ?? 'index.js') : start
  if (!existsSync(main)) throw new ElectronBenchError(`There is no main file at ${main}`)
  const { productName, name = basename(path), version = '0.0.0' } = manifest
  return { main, path, name: productName ?? name, version }
}

/** The nearest folder with a package.json; if there is none, the folder of the main file. */
function packageFolder(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return start
  }
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  } catch {
    return {}
  }
}
