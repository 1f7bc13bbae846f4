import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RpcError } from '@flashrpc/core'
import { CHUNK_BYTES, FileErrorCode, MAX_FILE_BYTES, type Receipt } from './contract.js'

/** What is kept in all, of files that are still coming too. */
const MAX_FILES = 100
const MAX_BYTES = 2 * MAX_FILE_BYTES

/** Files in a temporary folder, bounded in number and size. */
export class FileStore implements AsyncDisposable {
  readonly folder: string
  readonly #files = new Map<string, Receipt>()
  /** What is there and what is announced. */
  #count = 0
  #bytes = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * Writes a file as its chunks come; the last one with a name has it. Until it is whole, nobody sees it,
   * and what does not become whole is removed.
   *
   * @throws {RpcError} where there is no room, or more or less comes than `size` bytes.
   */
  async write(name: string, size: number, chunks: AsyncIterable<Uint8Array>): Promise<Receipt> {
    if (this.#count >= MAX_FILES || this.#bytes + size > MAX_BYTES) {
      throw new RpcError(FileErrorCode.full, `There is no room for ${name}`, { name, size })
    }
    // Before anything is awaited: others announce theirs meanwhile.
    this.#count++
    this.#bytes += size
    const path = join(this.folder, `${randomUUID()}.part`)
    try {
      const sha256 = await writeChunks(path, size, chunks)
      await rename(path, join(this.folder, name))
      this.#forget(name)
      const receipt = { name, size, sha256 }
      this.#files.set(name, receipt)
      return receipt
    } catch (error) {
      this.#count--
      this.#bytes -= size
      await rm(path, { force: true })
      throw error
    }
  }

  /** @throws {RpcError} where there is no such file. */
  describe(name: string): Receipt {
    const receipt = this.#files.get(name)
    if (receipt) return receipt
    throw new RpcError(FileErrorCode.missing, `There is no file ${name}`, { name })
  }

  /** @throws {RpcError} where there is no such file. */
  read(name: string): AsyncIterable<Uint8Array> {
    this.describe(name)
    return createReadStream(join(this.folder, name), { highWaterMark: CHUNK_BYTES })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #forget(name: string): void {
    const receipt = this.#files.get(name)
    if (!receipt) return
    this.#count--
    this.#bytes -= receipt.size
  }
}

/** Opens a store in a folder of its own, which is removed with it. */
export async function openFileStore(): Promise<FileStore> {
  return new FileStore(await mkdtemp(join(tmpdir(), 'flashrpc-file-transfer-')))
}

/** @returns the SHA-256 of all of it. */
async function writeChunks(
  path: string,
  size: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<string> {
  const hash = createHash('sha256')
  let written = 0
  const refuse = (what: string) => {
    const message = `${what} than the ${size} bytes that were announced`
    return new RpcError(FileErrorCode.wrongSize, message, { size })
  }
  await using file = await open(path, 'wx')
  for await (const chunk of chunks) {
    if (written + chunk.byteLength > size) throw refuse('More came')
    hash.update(chunk)
    await file.writeFile(chunk)
    written += chunk.byteLength
  }
  if (written < size) throw refuse(`${written} bytes came, fewer`)
  return hash.digest('hex')
}
