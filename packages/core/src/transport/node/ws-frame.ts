import type { Frame } from '../../wire/codec.js'
import { type Lent, lentMemory } from '../../wire/lent-memory.js'
import { maskBytes } from './ws-mask.js'

/** A whole frame, in memory that is given back after the frame was written. */
export type WsFrame = Lent

/** The first byte of a frame that is a whole message: of text, or of bytes. */
export const FINAL_TEXT = 0x81
export const FINAL_BYTES = 0x82
/** The bit of the second byte, beside the length, that marks a masked frame. */
export const MASKED = 0x80

/**
 * A message as one frame that is final: RFC 6455, section 5.2. `ws` makes two pieces, the header and the payload, and
 * masks a byte at a time.
 *
 * @param isMasked true for a client's frame, false for a server's: section 5.1.
 */
export function wsFrame(message: Frame, isMasked: boolean): WsFrame {
  const isText = typeof message === 'string'
  const length = isText ? Buffer.byteLength(message) : message.byteLength
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const headerBytes = 2 + lengthBytes + (isMasked ? 4 : 0)
  const { bytes, giveBack } = memoryOf(3 + headerBytes + length)
  // The masked bytes begin at a word boundary.
  const begin = -(bytes.byteOffset + headerBytes) & 3
  bytes[begin] = isText ? FINAL_TEXT : FINAL_BYTES
  bytes[begin + 1] =
    (isMasked ? MASKED : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) bytes.writeUInt16BE(length, begin + 2)
  // A number of 48 bits is enough, because it exceeds all memory.
  else if (lengthBytes === 8) bytes.fill(0, begin + 2, begin + 4).writeUIntBE(length, begin + 4, 6)
  const at = begin + headerBytes
  if (isText) bytes.write(message, at)
  else bytes.set(message, at)
  if (isMasked) mask(bytes, at, length)
  return { bytes: bytes.subarray(begin, at + length), giveBack }
}

function memoryOf(size: number): { bytes: Buffer; giveBack?: (() => void) | undefined } {
  const lent = lentMemory(size)
  if (!lent) return { bytes: Buffer.allocUnsafe(size) }
  const { bytes, giveBack } = lent
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, size), giveBack }
}

/**
 * Masking keys that can't be foreseen: section 5.3. Many are made at once, because making one takes longer than using
 * it.
 */
const keys = new Uint8Array(8_192)
let usedKeys = keys.length

/** Masks this number of bytes of a frame with a key of their own, which is written before them. */
function mask(bytes: Buffer, at: number, length: number): void {
  if (usedKeys === keys.length) {
    crypto.getRandomValues(keys)
    usedKeys = 0
  }
  const key = usedKeys
  usedKeys += 4
  for (let n = 0; n < 4; n++) bytes[at - 4 + n] = keys[key + n] as number
  maskBytes(bytes, at, at + length, keys, key)
}
