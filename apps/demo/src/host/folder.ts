import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { ErrorCode, RpcError } from '@flashrpc/core'

/** A folder that can't be served; its message says what to do. */
export class FolderError extends Error {}

/**
 * @param folder absolute, or relative to `from`.
 * @returns its real path.
 * @throws {FolderError} where there is no such folder.
 */
export async function openFolder(folder: string, from: string): Promise<string> {
  const path = resolve(from, folder)
  try {
    const real = await realpath(path)
    if ((await stat(real)).isDirectory()) return real
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES') {
      throw new FolderError(`The folder ${path} can't be read: name one that you may read.`)
    }
    throw new FolderError(
      `There is no folder ${path}: name one that exists, or none for this project.`,
    )
  }
  throw new FolderError(`${path} is a file, not a folder: name the folder it is in.`)
}

/** A path relative to the folder, as it is written on every system. */
export function pathIn(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/')
}

/**
 * Where a file of the folder really is.
 *
 * @param folder a real path.
 * @param path relative to it.
 * @throws {RpcError} where the file is none, or is not in the folder once links are followed.
 */
export async function locateFile(folder: string, path: string): Promise<string> {
  const refuse = (why: string): never => {
    throw new RpcError(ErrorCode.invalidParams, `${path}: ${why}`, { path })
  }
  // Before the file system is asked, which would tell what exists outside.
  const wanted = resolve(folder, path)
  if (path.includes('\0') || !isInside(folder, wanted)) refuse(OUTSIDE)
  let real: string
  try {
    real = await realpath(wanted)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    return refuse(
      code === 'ENOENT' || code === 'ENOTDIR'
        ? 'there is no such file in the folder'
        : `it can't be opened (${code})`,
    )
  }
  if (!isInside(folder, real)) refuse(OUTSIDE)
  // Opening a pipe or a device would wait, or read, for ever.
  if (!(await stat(real)).isFile()) refuse('it is not a file')
  return real
}

const OUTSIDE = 'it is outside of the folder; only files in it can be read'

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
