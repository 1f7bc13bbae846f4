import { randomUUID } from 'node:crypto'
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import type { BegunCall, ResultStore } from '@flashrpc/core/server'

/** The first line says whose file it is; each of the others is what is known of a key from then on. */
interface Line {
  key: string
  fingerprint: string
  /** Missing until there is one. */
  answer?: string
  /** When the key began, by `Date.now()`. */
  at: number
}

/** A line, and when this process read or wrote it, by `performance.now()`. */
interface Known {
  readonly line: Line
  readonly knownAt: number
}

/**
 * A store of results in a file, for one process at a time: lines of JSON, each on the disk (fsync) before
 * anything follows from it. At the start it is read and written anew without what is too old; what
 * has no answer by then was begun by a process that died.
 *
 * A key is kept for its time by both clocks, so that one that is set forward forgets nothing too early. What was written
 * before this process began has its age by the wall clock only: it is kept for twice the time.
 */
export async function openFileResultStore(path: string, ttlMs: number): Promise<ResultStore> {
  const { id, lines } = await read(path)
  const kept = lines.filter(({ at }) => Date.now() - at < 2 * ttlMs)
  await replace(path, [{ id }, ...kept])
  return new FileResultStore(id, ttlMs, await open(path, 'a'), kept)
}

class FileResultStore implements ResultStore {
  readonly id: string
  readonly ttlMs: number
  readonly #file: FileHandle
  readonly #lines = new Map<string, Known>()
  /** Keys that were begun before this process was. */
  readonly #orphans = new Set<string>()
  /** One write follows the other; after one that failed, where the file ends is not known, and none follows. */
  #written: Promise<void> = Promise.resolve()

  constructor(id: string, ttlMs: number, file: FileHandle, lines: readonly Line[]) {
    this.id = id
    this.ttlMs = ttlMs
    this.#file = file
    for (const line of lines) {
      this.#know(line)
      if (line.answer === undefined) this.#orphans.add(line.key)
    }
  }

  async begin(key: string, fingerprint: string): Promise<BegunCall> {
    const known = this.#lines.get(key)
    if (known && (this.#isFresh(known) || this.#isRunning(known.line))) {
      const { fingerprint, answer } = known.line
      if (answer !== undefined) return { state: 'done', fingerprint, answer }
      return { state: this.#isRunning(known.line) ? 'running' : 'unknown', fingerprint }
    }
    // In the turn that has looked: a second call with the key finds it.
    const line = { key, fingerprint, at: Date.now() }
    this.#know(line)
    this.#orphans.delete(key)
    try {
      await this.#append(line)
    } catch (error) {
      this.#lines.delete(key)
      throw error
    }
    return { state: 'new' }
  }

  async finish(key: string, answer: string): Promise<void> {
    const begun = this.#lines.get(key)?.line
    if (!begun) throw new Error(`The key ${key} was never begun`)
    const line = { ...begun, answer }
    await this.#append(line)
    this.#know(line)
  }

  #know(line: Line): void {
    this.#lines.set(line.key, { line, knownAt: performance.now() })
  }

  /** Whether one of the clocks says that the key must still be kept. */
  #isFresh({ line, knownAt }: Known): boolean {
    return Math.min(Date.now() - line.at, performance.now() - knownAt) < this.ttlMs
  }

  #isRunning({ key, answer }: Line): boolean {
    return answer === undefined && !this.#orphans.has(key)
  }

  #append(line: Line): Promise<void> {
    this.#written = this.#written.then(async () => {
      await this.#file.appendFile(`${JSON.stringify(line)}\n`)
      await this.#file.datasync()
    })
    return this.#written
  }
}

async function read(path: string): Promise<{ id: string; lines: Line[] }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // A last line without its end was cut off by the death of the process: nothing followed from it.
  const [first, ...rest] = text.split('\n').slice(0, -1)
  const byKey = new Map<string, Line>()
  for (const line of rest) {
    const read = JSON.parse(line) as Line
    byKey.set(read.key, read)
  }
  // A new file is another store: it knows nothing of what was before.
  const id = first === undefined ? randomUUID() : (JSON.parse(first) as { id: string }).id
  return { id, lines: [...byKey.values()] }
}

/** Either the whole of the new file is there, or the old one. */
async function replace(path: string, lines: readonly object[]): Promise<void> {
  const file = await open(`${path}.new`, 'w')
  for (const line of lines) await file.appendFile(`${JSON.stringify(line)}\n`)
  await file.sync()
  await file.close()
  await rename(`${path}.new`, path)
}
