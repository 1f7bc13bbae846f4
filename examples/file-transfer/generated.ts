import { createCipheriv } from 'node:crypto'
import { CHUNK_BYTES } from './contract.js'

/** A file that is nowhere: bytes as random as a cipher's, always the same, made as they are taken. */
export function* generateFile(size: number): Generator<Uint8Array> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  const zeros = Buffer.alloc(CHUNK_BYTES)
  for (let left = size; left > 0; left -= CHUNK_BYTES) {
    yield cipher.update(zeros.subarray(0, Math.min(left, CHUNK_BYTES)))
  }
}
