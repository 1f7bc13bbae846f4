import type { Accepts } from '../wire/encoded.js'
import type { Keys } from './hello.js'

/** The facts that the other side's hello has stated. */
export interface PeerFacts extends Accepts {
  /** The id of its channel; undefined if it is not known. */
  readonly id: string | undefined
  /** The facts of the results that it keeps by key. */
  readonly keys: Keys | undefined
}

/** The facts of a peer that has sent no hello. */
export const PLAIN_PEER: PeerFacts = Object.freeze({
  isExtended: false,
  id: undefined,
  message: Number.POSITIVE_INFINITY,
  depth: Number.POSITIVE_INFINITY,
  attachments: false,
  keys: undefined,
})
