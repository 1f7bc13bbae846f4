import { type Encoded, hasBytes, isDeep, isOver } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { Unsendable } from './connection-events.js'

/** What the other side accepts, as far as it has said. */
export interface PeerLimits {
  /** The largest message, in bytes, with the bytes in it. */
  readonly message: number
  /** How many levels a message may nest. */
  readonly depth: number
  /** Whether it takes bytes beside JSON. */
  readonly bytes: boolean
}

/** What is known of a peer that has said nothing. */
export const UNKNOWN_LIMITS: PeerLimits = Object.freeze({
  message: Number.POSITIVE_INFINITY,
  depth: Number.POSITIVE_INFINITY,
  bytes: false,
})

/** @returns why the other side can't take a message; `undefined` if it can. */
export function whyUnsendable(
  format: Format,
  encoded: Encoded,
  { message, depth, bytes }: PeerLimits,
): Unsendable | undefined {
  if (hasBytes(encoded) && !bytes) return 'no-bytes'
  if (isOver(encoded, message)) return 'too-big'
  return isDeep(format, encoded, depth) ? 'too-deep' : undefined
}
