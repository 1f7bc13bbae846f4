import { toJsonWithBytes } from './bytes.js'
import { exceeds, type Frame, jsonCodec, utf8 } from './codec.js'
import type { Format } from './format.js'

/** A message as it goes out: one frame, and those of the bytes in it. */
export interface Encoded {
  readonly frame: Frame
  readonly bytes: readonly Uint8Array[]
  /** The way to the first of the bytes, from the message on. */
  readonly path: readonly string[]
}

const NONE: readonly never[] = []

/** @throws whatever says that the message can't be carried. */
export function encode({ codec, frameType }: Format, message: object): Encoded {
  if (codec === jsonCodec) {
    const encoded = toJsonWithBytes(message)
    return frameType === 'text' ? encoded : { ...encoded, frame: utf8(encoded.frame) }
  }
  const frame: unknown = codec.encode(message)
  if (typeof frame === 'string') {
    return { frame: frameType === 'text' ? frame : utf8(frame), bytes: NONE, path: NONE }
  }
  if (frame instanceof Uint8Array) return { frame, bytes: NONE, path: NONE }
  throw new TypeError(`the codec "${codec.name}" made neither text nor a Uint8Array of it`)
}

/** What a message takes while it is held, in bytes; text is counted by its length. */
export function heldBytes({ frame, bytes }: Encoded): number {
  return frame.length + sum(bytes)
}

/** Whether a message is over a limit in bytes. */
export function isOver({ frame, bytes }: Encoded, limit: number): boolean {
  return exceeds(frame, limit - sum(bytes))
}

function sum(bytes: readonly Uint8Array[]): number {
  let all = 0
  for (const { byteLength } of bytes) all += byteLength
  return all
}
