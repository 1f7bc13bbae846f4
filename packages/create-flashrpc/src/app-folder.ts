import { readdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { UsageError } from './usage-error.js'

/**
 * Makes sure that an app can be created in a folder: it does not exist, or has nothing in it but `.git`.
 *
 * @throws {UsageError} if there is something else, or the folder can't be read.
 */
export function requireEmpty(folder: string): void {
  const [first] = entriesOf(folder).filter((name) => name !== '.git')
  if (first === undefined) return
  throw new UsageError(
    `The folder ${folder} is not empty: it has ${first}. Name another folder, or empty this one first.`,
  )
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    if (code === 'ENOTDIR') {
      throw new UsageError(`${folder} is a file, not a folder. Name another folder.`, { cause })
    }
    throw new UsageError(`${folder} can't be used (${message}). Name another folder.`, { cause })
  }
}

/** The name in the `package.json` of an app in this folder: one that npm accepts, such as `my-app` for `My App`. */
export function packageNameOf(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replaceAll(/^[._~-]+|-+$/g, '')
    .slice(0, 214)
  return name === '' || name === 'node_modules' || name === 'favicon.ico' ? 'my-app' : name
}
