import { toJsonWithBytes } from './bytes.js'
import { exceeds, type Frame, jsonCodec, utf8 } from './codec.js'
import type { Format } from './format.js'
import { type Lent, lentCopy } from './lent-memory.js'

/** A message as it goes out: one frame, and those of the bytes in it. */
export interface Encoded {
  readonly frame: Frame
  /** The caller's, who may change them once it is out of its hands; or copies: see {@link keep}. */
  bytes: readonly Uint8Array[]
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

/** Who keeps copies of a message's bytes, and where these are. */
interface Kept {
  readonly keepers: Set<object>
  readonly copies: readonly Lent[]
}

/** By the copies. */
const kept = new WeakMap<readonly Uint8Array[], Kept>()

/**
 * Whoever has a message go out later, or again, keeps copies of its bytes, until it lets go of them.
 *
 * @returns the same message.
 */
export function keep(encoded: Encoded, keeper: object): Encoded {
  if (encoded.bytes.length === 0) return encoded
  let known = kept.get(encoded.bytes)
  if (!known) {
    const copies = encoded.bytes.map(lentCopy)
    known = { keepers: new Set(), copies }
    encoded.bytes = copies.map(({ bytes }) => bytes)
    kept.set(encoded.bytes, known)
  }
  known.keepers.add(keeper)
  return encoded
}

/** Whoever kept a message will not have it go out any more. Who never says so, keeps it for good. */
export function letGo(encoded: Encoded, keeper: object): void {
  const known = encoded.bytes.length > 0 ? kept.get(encoded.bytes) : undefined
  if (!known?.keepers.delete(keeper) || known.keepers.size > 0) return
  for (const { giveBack } of known.copies) giveBack?.()
  // Were it to go out all the same, it would be with nothing, and not with what is another's.
  encoded.bytes = known.copies.map(() => NOTHING)
}

const NOTHING = new Uint8Array()

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
