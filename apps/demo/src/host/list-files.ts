import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { File } from '../contract.js'
import { pathIn } from './folder.js'
import { isIgnoredName } from './ignored.js'

/** The most files that are listed. */
const MAX_FILES = 2_000

/** The folder's files, the upper ones first; links are not followed. */
export async function listFiles(
  folder: string,
  signal: AbortSignal,
): Promise<{ files: File[]; more: boolean }> {
  const files: File[] = []
  const folders = [folder]
  // Folders that are found go to the end: level by level, so that a limit cuts off the deepest.
  for (const current of folders) {
    signal.throwIfAborted()
    const found = await readFolder(current)
    for (const path of found.files) {
      if (files.length === MAX_FILES) return { files, more: true }
      const size = await sizeOf(path)
      if (size !== undefined) files.push({ path: pathIn(folder, path), bytes: size })
    }
    folders.push(...found.folders)
  }
  return { files, more: false }
}

async function readFolder(path: string): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = []
  const folders: string[] = []
  try {
    for await (const entry of await opendir(path)) {
      if (isIgnoredName(entry.name)) continue
      if (entry.isFile()) files.push(join(path, entry.name))
      else if (entry.isDirectory()) folders.push(join(path, entry.name))
    }
  } catch {
    // Gone meanwhile, or not readable: then it has no files for anybody.
  }
  return { files: files.sort(), folders: folders.sort() }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch {
    return undefined
  }
}
