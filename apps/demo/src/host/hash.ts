import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ErrorCode, RpcError } from '@flashrpc/core'
import type { FileHash } from '../contract.js'
import { locateFile } from './folder.js'

/**
 * The SHA-256 of a file in the folder, read as a stream: of any size, in little memory.
 *
 * @throws {RpcError} where the file is none, is outside of the folder, or can't be read.
 */
export async function hashFile(
  folder: string,
  path: string,
  signal: AbortSignal,
): Promise<FileHash> {
  const start = performance.now()
  const file = await locateFile(folder, path)
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(file, { signal, highWaterMark: 256 * 1024 })) {
      hash.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
    }
  } catch (cause) {
    signal.throwIfAborted()
    const { code } = cause as NodeJS.ErrnoException
    throw new RpcError(ErrorCode.internal, `${path}: it can't be read (${code})`, { path })
  }
  return { path, sha256: hash.digest('hex'), bytes, ms: performance.now() - start }
}
