import type { Elapsed } from '../base/elapsed.js'
import type { Definition } from '../contract/contract.js'
import { own } from '../errors/error-origin.js'
import type { Outcome } from '../errors/errors.js'
import type { Stamp } from '../features/deadlines/deadline.js'
import type { Meta } from '../features/middleware/meta.js'
import type { ProgressListening } from '../features/progress/progress.js'
import type { IncomingStream } from '../features/streams/incoming-stream.js'
import type { OutgoingStream } from '../features/streams/outgoing-stream.js'
import type { Encoded } from '../wire/encoded.js'
import type { CallTimer } from './call-timer.js'
import { type CallTrace, showCaller } from './call-trace.js'

/** What a call is answered with. */
export type CallKind = 'call' | 'stream' | 'notification'

/**
 * A call, or a notification still to be written, that has not ended yet; and, once it is encoded, its message on the way
 * out. Many may be open at once: what few of them have is not there in the others (`declare`).
 */
export class PendingCall {
  readonly id: number
  readonly method: string
  readonly kind: CallKind
  /** What the contract says of its method. */
  readonly definition: Definition | undefined
  readonly promise: Promise<unknown>
  readonly resolve: (value: unknown) => void
  /** Its message, which may have to go out again. */
  encoded: Encoded | undefined = undefined
  /**
   * Whether it was handed to a transport, and so may have run; or was, and is known not to have been received.
   * PendingCalls alone decides that, and whether it is `uncertain`.
   */
  state: 'open' | 'written' | 'returned' = 'open'
  /** When it is over its channel's patience, by `performance.now()`, in whole ms; 0 where it has a time of its own. */
  dueAt = 0
  /** It was written to somebody who is gone, and waits to be sent again: it may have run all the same. */
  declare uncertain?: true
  /** Takes its items. */
  declare items?: IncomingStream
  /** Sends the items that go along. */
  declare input?: OutgoingStream
  /** When it is to have ended, as far as that is told to the other side. */
  declare deadline?: number
  /** Its idempotency key. */
  declare key?: string
  /**
   * With a key: the store of the server that it was first written to, and how long ago that was. Only that store knows
   * what came of it.
   */
  declare sentTo?: { readonly store: string; readonly since: Elapsed } | undefined
  /** What travels beside its params. */
  declare meta?: Meta
  /** When its message was made that says what a plain peer is not told: its time, who listens, its meta. */
  declare stamp?: Stamp
  /** Where it was made, if that is to be shown. */
  declare trace?: CallTrace
  /** Who listens to how far it has come. */
  declare progress?: ProgressListening
  /** Of one that has a time of its own. */
  declare timer?: CallTimer
  /** Of one that has a signal. */
  declare stopListening?: () => void

  constructor(id: number, method: string, kind: CallKind, definition: Definition | undefined) {
    this.id = id
    this.method = method
    this.kind = kind
    this.definition = definition
    let resolve!: PendingCall['resolve']
    this.promise = new Promise<unknown>((onResult) => {
      resolve = onResult
    })
    this.resolve = resolve
  }

  /** Ends it with an error of this side's. */
  reject(error: Error): void {
    this.rejectWithAnswer(own(error))
  }

  /** Ends it with the error that the other side answered. */
  rejectWithAnswer(error: Error): void {
    if (this.trace) showCaller(error, this.trace)
    this.resolve(new Rejection(error))
    this.progress?.stop()
    // At once, whatever middleware makes of it.
    this.items?.abort(error)
  }

  /** Itself: whose fate its message decides. */
  get call(): this {
    return this
  }

  /** It was handed to a transport, and may have run. */
  get isWritten(): boolean {
    return this.state === 'written'
  }

  /** Whether items come, or go along: only who knows of such can be called so. */
  get hasStreams(): boolean {
    return this.kind === 'stream' || this.input !== undefined
  }

  /** Whether it is this side that keeps items from coming. */
  get isHeldUp(): boolean {
    return this.items?.isHolding ?? false
  }

  /** How many items have come, or were sent along, where there are any to count. */
  get itemCount(): number | undefined {
    return this.items?.received ?? this.input?.sent
  }
}

/** A promise that is resolved with it is rejected. Of its own two functions a call keeps one: few calls fail. */
class Rejection {
  readonly #error: Error

  constructor(error: Error) {
    this.#error = error
  }

  // biome-ignore lint/suspicious/noThenProperty: what a promise is resolved with is asked for by this
  then(_onResult: unknown, onError: (error: Error) => void): void {
    onError(this.#error)
  }
}

/** What can be said of a call that ends without an answer. */
export function outcomeOf({ state, uncertain }: PendingCall): Outcome {
  if (state === 'written' || uncertain) return 'maybe-executed'
  return state === 'returned' ? 'not-received' : 'not-sent'
}

/** What an outcome says of a call, for messages. */
export const STATE: Record<Outcome, string> = {
  'not-sent': 'was not sent',
  'not-received': 'was sent, never received, and has not run',
  'maybe-executed': 'was sent and may have run',
}
