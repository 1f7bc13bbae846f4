/** What a transport carries in one piece: text, or bytes. */
export type Frame = string | Uint8Array

/** Turns messages into frames and back. Both peers of a connection use the same one. */
export interface Codec {
  /** How it is called in the handshake. */
  readonly name: string
  /** @throws whatever says that the message can't be carried, a `TypeError` for the built-in one. */
  encode(message: unknown): Frame
  /** @throws whatever says that the frame can't be read. */
  decode(frame: Frame): unknown
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true })
const utf8Encoder = new TextEncoder()

/** JSON in text frames. Reads JSON in binary frames too, as some peers send it. */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (message) => JSON.stringify(message),
  decode: (frame) => JSON.parse(typeof frame === 'string' ? frame : utf8Decoder.decode(frame)),
}

/** A frame's size in bytes, as limits count it: text as UTF-8. */
export function frameBytes(frame: Frame): number {
  return typeof frame === 'string' ? utf8Encoder.encode(frame).byteLength : frame.byteLength
}

/** Whether a frame is over a limit in bytes; encodes text only where its length leaves it open. */
export function exceeds(frame: Frame, limit: number): boolean {
  if (typeof frame !== 'string') return frame.byteLength > limit
  if (frame.length > limit) return true
  // A UTF-16 code unit takes three bytes of UTF-8 at the most.
  return frame.length * 3 > limit && frameBytes(frame) > limit
}
