import type { Frame } from '../../wire/codec.js'
import { LEAST_LENT, type Lent, lentMemory } from '../../wire/lent-memory.js'

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
  const size = 3 + headerBytes + length
  const lent = size < LEAST_LENT ? undefined : lentMemory(size)
  const bytes = lent
    ? Buffer.from(lent.bytes.buffer, lent.bytes.byteOffset, size)
    : Buffer.allocUnsafe(size)
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
  return { bytes: bytes.subarray(begin, at + length), giveBack: lent?.giveBack }
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

/** From this number of bytes on, they are masked word by word. */
const MANY = 48
/** How many words each turn of a loop masks: twice as fast as one by one, and six times as fast as byte by byte. */
const AT_ONCE = 8

/** The key, rotated so that it applies from a word boundary on. */
const turned = new Uint8Array(4)
const word = new Int32Array(turned.buffer)

/**
 * Masks a range of bytes in place. If this is done twice, the bytes are unchanged: RFC 6455, section 5.3.
 *
 * @param key the index of the four bytes of the key.
 */
export function maskBytes(
  bytes: Uint8Array,
  from: number,
  to: number,
  keys: Uint8Array,
  key: number,
): void {
  for (let at = to - from < MANY ? from : maskMany(bytes, from, to, keys, key); at < to; at++) {
    bytes[at] = (bytes[at] as number) ^ (keys[key + ((at - from) & 3)] as number)
  }
}

/** Masks as many bytes as there are whole words, and those before the first. @returns the index of the rest. */
function maskMany(
  bytes: Uint8Array,
  from: number,
  to: number,
  keys: Uint8Array,
  key: number,
): number {
  const begin = from + (-(bytes.byteOffset + from) & 3)
  for (let at = from; at < begin; at++) {
    bytes[at] = (bytes[at] as number) ^ (keys[key + at - from] as number)
  }
  for (let n = 0; n < 4; n++) turned[n] = keys[key + ((begin - from + n) & 3)] as number
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + begin, (to - begin) >> 2)
  maskWords(words, word[0] as number)
  return begin + words.byteLength
}

function maskWords(words: Int32Array, by: number): void {
  let n = 0
  for (const last = words.length - AT_ONCE; n <= last; n += AT_ONCE) {
    words[n] = (words[n] as number) ^ by
    words[n + 1] = (words[n + 1] as number) ^ by
    words[n + 2] = (words[n + 2] as number) ^ by
    words[n + 3] = (words[n + 3] as number) ^ by
    words[n + 4] = (words[n + 4] as number) ^ by
    words[n + 5] = (words[n + 5] as number) ^ by
    words[n + 6] = (words[n + 6] as number) ^ by
    words[n + 7] = (words[n + 7] as number) ^ by
  }
  for (; n < words.length; n++) words[n] = (words[n] as number) ^ by
}
