import { missingGlobal } from './missing-global.js'

/** What a transport carries in one piece: text, or bytes. */
export type Frame = string | Uint8Array

/** How text is sent: in text frames, or as UTF-8 in binary frames. */
export type FrameType = 'text' | 'binary'

/**
 * Turns messages into frames and back. Both peers of a connection use the same one: the hello states its name, and a
 * mismatch ends the connection.
 */
export interface Codec {
  /** The name of the codec in the handshake. Change it if you change the format. */
  readonly name: string
  /**
   * Makes a frame of a JSON-RPC 2.0 message, synchronously. It must not keep the message.
   *
   * @throws any error if the message can't be carried. Then its call fails with `RpcValidationError`; an answer becomes
   *   the error −32603.
   */
  encode(message: unknown): Frame
  /**
   * Makes a message of a frame, synchronously. If the other side has `frameType: 'binary'`, text comes as bytes.
   *
   * @throws any error if the frame can't be read. Then it is answered −32700.
   */
  decode(frame: Frame): unknown
}

// Made at the first use: some platforms do not have them, and JSON in text frames needs neither.
let utf8Decoder: TextDecoder | undefined
let utf8Encoder: TextEncoder | undefined

/**
 * JSON, the default. Values that JSON does not have become what `JSON.stringify` makes of them: a `Date` its text, a
 * `Map` or a `Set` `{}`, `NaN` and `Infinity` null. A `bigint` can't be carried. Between flashrpc peers, each
 * `Uint8Array` travels in a binary frame of its own.
 */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (message) => JSON.stringify(message),
  decode: (frame) => JSON.parse(readText(frame)),
}

/**
 * @returns the text of a frame.
 *
 * @throws {TypeError} if it is not UTF-8.
 * @throws {RpcConfigError} if there is no `TextDecoder`.
 */
export function readText(frame: Frame): string {
  if (typeof frame === 'string') return frame
  utf8Decoder ??= createDecoder()
  return utf8Decoder.decode(frame)
}

function createDecoder(): TextDecoder {
  if (typeof TextDecoder === 'undefined') throw missingGlobal('TextDecoder')
  try {
    return new TextDecoder('utf-8', { fatal: true })
  } catch {
    // Some polyfills do not support `fatal`.
    return new TextDecoder()
  }
}

/**
 * The text as UTF-8.
 *
 * @throws {RpcConfigError} if there is no `TextEncoder`.
 */
export function utf8(text: string): Uint8Array {
  utf8Encoder ??= createEncoder()
  return utf8Encoder.encode(text)
}

function createEncoder(): TextEncoder {
  if (typeof TextEncoder === 'undefined') throw missingGlobal('TextEncoder')
  return new TextEncoder()
}

/** @returns a frame's size in bytes, as limits count it: text as UTF-8. */
export function frameBytes(frame: Frame): number {
  if (typeof frame !== 'string') return frame.byteLength
  return typeof TextEncoder === 'undefined' ? countUtf8(frame) : utf8(frame).byteLength
}

function countUtf8(text: string): number {
  let bytes = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** Whether a frame is over a limit in bytes. Text is encoded only if its length does not decide this. */
export function exceeds(frame: Frame, limit: number): boolean {
  if (typeof frame !== 'string') return frame.byteLength > limit
  if (frame.length > limit) return true
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  return frame.length * 3 > limit && frameBytes(frame) > limit
}
