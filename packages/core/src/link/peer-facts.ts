import { type Encoded, hasBytes, isDeep, isOver } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { Keys } from './hello.js'

/** What is known of the other side of a link: what its hello said. */
export interface PeerFacts {
  /** Whether it understands more than JSON-RPC 2.0. */
  readonly isExtended: boolean
  /** What it calls its channel; undefined if it has not said. */
  readonly id: string | undefined
  /** The largest message that it accepts, in bytes, with the bytes in it. */
  readonly message: number
  /** How many levels a message may nest. */
  readonly depth: number
  /** Whether it takes bytes beside JSON. */
  readonly bytes: boolean
  /** The results that it keeps by key. */
  readonly keys: Keys | undefined
}

/** Why a message can't be sent to this other side. */
export type Unsendable = 'too-big' | 'too-deep' | 'no-bytes'

/** Why bytes were not sent. */
export const NO_BYTES = "the other side can't take: it speaks plain JSON-RPC 2.0"

/** What is known of a peer that has said nothing. */
export const PLAIN_PEER: PeerFacts = Object.freeze({
  isExtended: false,
  id: undefined,
  message: Number.POSITIVE_INFINITY,
  depth: Number.POSITIVE_INFINITY,
  bytes: false,
  keys: undefined,
})

/** @returns why the other side can't take a message; `undefined` if it can. */
export function whyUnsendable(
  format: Format,
  encoded: Encoded,
  { message, depth, bytes }: PeerFacts,
): Unsendable | undefined {
  // Most messages are small: such text can't nest too deep, and a UTF-16 code unit is three bytes of UTF-8 at the most.
  const { length } = encoded as string
  if (typeof encoded === 'string' && length < 2 * depth && length * 3 <= message) return undefined
  if (hasBytes(encoded) && !bytes) return 'no-bytes'
  if (isOver(encoded, message)) return 'too-big'
  return isDeep(format, encoded, depth) ? 'too-deep' : undefined
}
