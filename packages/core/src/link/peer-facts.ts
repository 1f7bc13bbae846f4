import type { NotTaken } from '../wire/attachments.js'
import { attachedTo, type Encoded, isDeep, isOver } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { Keys } from './hello.js'

/** The facts that the other side's hello has stated. */
export interface PeerFacts {
  /** Whether it understands more than JSON-RPC 2.0. */
  readonly isExtended: boolean
  /** The id of its channel; undefined if it is not known. */
  readonly id: string | undefined
  /** The largest message that it accepts, in bytes, with all frames that follow it. */
  readonly message: number
  /** The most levels that a message may nest. */
  readonly depth: number
  /** Whether it accepts frames that follow the frame of a message. */
  readonly attachments: boolean
  /** The facts of the results that it keeps by key. */
  readonly keys: Keys | undefined
}

/** A reason why a message can't be sent to the other side. */
export type Unsendable = 'too-big' | 'too-deep' | NotTaken

/** The facts of a peer that has sent no hello. */
export const PLAIN_PEER: PeerFacts = Object.freeze({
  isExtended: false,
  id: undefined,
  message: Number.POSITIVE_INFINITY,
  depth: Number.POSITIVE_INFINITY,
  attachments: false,
  keys: undefined,
})

/** @returns why the other side can't take a message; `undefined` if it can. */
export function whyUnsendable(
  format: Format,
  encoded: Encoded,
  { isExtended, message, depth, attachments }: PeerFacts,
): Unsendable | undefined {
  // Most messages are small: such text can't nest too deep, and a UTF-16 code unit is three bytes of UTF-8 at the most.
  const { length } = encoded as string
  if (typeof encoded === 'string' && length < 2 * depth && length * 3 <= message) return undefined
  const attached = attachedTo(encoded)
  if (attached && !attachments) return attached.notTaken(isExtended)
  if (isOver(encoded, message)) return 'too-big'
  return isDeep(format, encoded, depth) ? 'too-deep' : undefined
}
