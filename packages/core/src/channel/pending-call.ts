import type { Definition } from '../contract.js'
import type { Outcome } from '../errors.js'
import type { Encoded } from '../wire/encoded.js'
import type { CallTimer } from './call-timer.js'
import type { Stamp } from './deadline.js'
import type { Timed, TimedOwner } from './deadline-queue.js'
import type { Meta } from './meta.js'
import type { ProgressListening } from './progress.js'

/** What a call is answered with. */
export type CallKind = 'call' | 'stream' | 'notification'

/**
 * A call, or a notification still to be written, that has not ended yet; and, once it is encoded, its message on the way
 * out. What few of them have is not there in the others: many may be open at once.
 */
export interface PendingCall extends Timed {
  readonly id: number
  readonly method: string
  readonly kind: CallKind
  /** What the contract says of its method. */
  readonly definition: Definition | undefined
  /** Whether items come, or go along: only who knows of such can be called so. */
  readonly hasStreams: boolean
  readonly promise: Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** Its message, which may have to go out again. */
  encoded: Encoded | undefined
  /** Itself: whose fate its message decides. */
  call: PendingCall
  // Of these three, PendingCalls alone decides.
  /** It was handed to a transport: it may have run. */
  written: boolean
  /** It was, and is known not to have been received. */
  returned: boolean
  /** It was written to somebody who is gone, and waits to be sent again: it may have run all the same. */
  uncertain: boolean
  /** When it is to have ended, as far as that is told to the other side. */
  deadline?: number
  /** Its idempotency key. */
  key?: string
  /** With a key: whose results it was first written to, and when; only those can say what came of it. */
  sentTo?: { readonly store: string; readonly at: number } | undefined
  /** What travels beside its params. */
  meta?: Meta
  /** When its message was made that says what a plain peer is not told: its time, who listens, its meta. */
  stamp?: Stamp
  /** Who listens to how far it has come. */
  progress?: ProgressListening
  /** Whether it is this side that keeps items from coming. */
  isHeldUp?: () => boolean
  /** How many items have come, or were sent along, where that is counted. */
  countItems?: () => number
  /** Of one that has a time of its own. */
  timer?: CallTimer
  /** Of one that has a signal. */
  stopListening?: () => void
}

export function createPendingCall(
  id: number,
  method: string,
  kind: CallKind,
  definition: Definition | undefined,
  hasStreams: boolean,
  owner: TimedOwner,
): PendingCall {
  let resolve!: PendingCall['resolve']
  let reject!: PendingCall['reject']
  const promise = new Promise<unknown>((onResult, onError) => {
    resolve = onResult
    reject = onError
  })
  const call: PendingCall = {
    id,
    method,
    kind,
    definition,
    hasStreams,
    promise,
    resolve,
    reject,
    encoded: undefined,
    call: undefined as unknown as PendingCall,
    written: false,
    returned: false,
    uncertain: false,
    dueAt: 0,
    earlier: undefined,
    later: undefined,
    queue: undefined,
    owner,
  }
  call.call = call
  return call
}

/** What can be said of a call that ends without an answer. */
export function outcomeOf({ written, returned, uncertain }: PendingCall): Outcome {
  if (written || uncertain) return 'maybe-executed'
  return returned ? 'not-received' : 'not-sent'
}

/** What an outcome says of a call, for messages. */
export const STATE: Record<Outcome, string> = {
  'not-sent': 'was not sent',
  'not-received': 'was sent, never received, and has not run',
  'maybe-executed': 'was sent and may have run',
}
