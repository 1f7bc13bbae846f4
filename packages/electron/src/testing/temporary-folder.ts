import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Begins the name of each folder; the id of its process follows. */
const PREFIX = 'electron-bench-'

/** A folder that goes with what it was made for. */
export interface TemporaryFolder {
  readonly path: string
  /** Safe to call twice. */
  remove(): void
}

/**
 * Makes a folder for temporary files. Removes those of processes that were killed before they could.
 *
 * @param parent - Default: the system's folder for temporary files.
 */
export function createTemporaryFolder(parent = tmpdir()): TemporaryFolder {
  for (const name of readdirSync(parent)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    if (pid && !isRunning(pid)) remove(join(parent, name))
  }
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`))
  return { path, remove: () => remove(path) }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  } catch {
    // Another user's, or still held by a process that is ending: the next one tries again.
  }
}

/** Whether there is a process of this id, also one of another user. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
