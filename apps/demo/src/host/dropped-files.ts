import { createHash } from 'node:crypto'
import { ErrorCode, RpcError } from '@flashrpc/core'
import { CHUNK_BYTES, type DroppedFile, MAX_DROPPED_BYTES } from '../contract.js'

/** What is kept in all, with what is still coming. */
const MAX_FILES = 20
const MAX_BYTES = 3 * MAX_DROPPED_BYTES

/**
 * The files that were dropped on pages, in memory: they end with the program. The oldest makes room for
 * the newest.
 */
export class DroppedFiles {
  readonly #log: (line: string) => void
  /** In the order in which they came. */
  readonly #kept = new Map<number, { file: DroppedFile; content: Uint8Array<ArrayBuffer> }>()
  /** What is kept and what was announced. */
  #files = 0
  #bytes = 0
  #lastId = 0

  constructor(log: (line: string) => void) {
    this.#log = log
  }

  /**
   * Takes a file as its chunks come, and keeps it once it is whole.
   *
   * @throws {RpcError} where more or less comes than was announced, or too much comes at once.
   */
  async keep(name: string, bytes: number, chunks: AsyncIterable<Uint8Array>): Promise<DroppedFile> {
    this.#makeRoom(bytes)
    let came = 0
    try {
      const content = new Uint8Array(bytes)
      const hash = createHash('sha256')
      for await (const chunk of chunks) {
        if (came + chunk.byteLength > bytes) throw wrongSize(name, `more than ${bytes}`)
        content.set(chunk, came)
        hash.update(chunk)
        came += chunk.byteLength
      }
      if (came < bytes) throw wrongSize(name, `${came} instead of ${bytes}`)
      const file = { id: ++this.#lastId, name, bytes, sha256: hash.digest('hex') }
      this.#kept.set(file.id, { file, content })
      this.#log(`keeps ${name} (${bytes} bytes)`)
      return file
    } catch (error) {
      this.#files--
      this.#bytes -= bytes
      this.#log(`did not get ${name}: ${came} of ${bytes} bytes came`)
      throw error
    }
  }

  /** @throws {RpcError} where it is not kept. */
  read(id: number): Iterable<Uint8Array<ArrayBuffer>> {
    const kept = this.#kept.get(id)
    if (kept) return chunksOf(kept.content)
    throw new RpcError(ErrorCode.invalidParams, 'It is no longer kept: newer files took its room')
  }

  /** Takes the room for a file that is announced, from the oldest ones where there is too little. */
  #makeRoom(bytes: number): void {
    const isFull = () => this.#files >= MAX_FILES || this.#bytes + bytes > MAX_BYTES
    for (const [id, { file }] of this.#kept) {
      if (!isFull()) break
      this.#kept.delete(id)
      this.#files--
      this.#bytes -= file.bytes
    }
    if (isFull()) {
      throw new RpcError(ErrorCode.overloaded, 'Too many files come at once: try again later')
    }
    this.#files++
    this.#bytes += bytes
  }
}

function* chunksOf(content: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < content.byteLength; at += CHUNK_BYTES) {
    yield content.subarray(at, at + CHUNK_BYTES)
  }
}

function wrongSize(name: string, what: string): RpcError {
  return new RpcError(
    ErrorCode.invalidParams,
    `${name} was announced otherwise: ${what} bytes came`,
  )
}
