import type { FrameType } from '../wire/codec.js'
import { VERSIONS, type Versions } from './envelope.js'

/** Another node, in one of its epochs. */
export interface NodeRecord {
  readonly id: string
  readonly epoch: number
  /** Its name for people; empty until its hello. */
  name: string
  /** The versions of the envelope that it understands. */
  versions: Versions
  codec: string
  frames: FrameType
  /** The number of its last change of topics that is in the index. */
  step: number
  /** How many topics it has. */
  topics: number
  /**
   * Whether the index has all of its topics. If it has not, the node is expected to answer every call, and is asked
   * directly.
   */
  isInStep: boolean
  /** Whether it is being closed: it accepts no new calls, and answers those that it has. */
  isLeaving: boolean
  /** Whether it shares no version of the envelope with this node, so that nothing can be sent to it. */
  isForeign: boolean
  /** When it was heard of last, by `performance.now()`. */
  heardAt: number
  /** Since when nobody is subscribed to its probe; undefined if somebody is, or it was not probed. */
  missingSince: number | undefined
}

/** @returns the record of a node of which nothing is known yet. */
export function newRecord(id: string, epoch: number): NodeRecord {
  return {
    id,
    epoch,
    name: '',
    versions: VERSIONS,
    codec: '',
    frames: 'text',
    step: 0,
    topics: 0,
    isInStep: false,
    isLeaving: false,
    isForeign: false,
    heardAt: performance.now(),
    missingSince: undefined,
  }
}
