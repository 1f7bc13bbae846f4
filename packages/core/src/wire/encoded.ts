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
  const { text, bytes, path }: { text: unknown; bytes: Encoded['bytes']; path: Encoded['path'] } =
    codec === jsonCodec
      ? toJsonWithBytes(message)
      : { text: codec.encode(message), bytes: NONE, path: NONE }
  if (typeof text === 'string')
    return { frame: frameType === 'binary' ? utf8(text) : text, bytes, path }
  if (text instanceof Uint8Array) return { frame: text, bytes, path }
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
