import type { Definition } from '../contract/contract.js'
import { own } from '../errors/error-origin.js'
import type { Outcome, RpcError } from '../errors/errors.js'
import type { MessageLink, OutgoingMessage } from '../link/message-link.js'
import type { PeerFacts } from '../link/peer-facts.js'
import type { Encoded } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { RequestExtras } from '../wire/message.js'
import type { CallTimer } from './call-timer.js'
import type { CallTrace } from './diagnostics.js'

/** The kind of a call, which decides how it is answered. */
export type CallKind = 'method' | 'stream' | 'notification'

/** The part of a feature in a call. */
export interface CallPart {
  /** The result has arrived. It is validated when this promise resolves. */
  beforeResult?(): Promise<void>
  /** The call has ended with an error. */
  failed?(error: Error): void
  /** Whether the other side can't show a sign of life because this side holds it up. */
  readonly isHeldUp?: boolean
  /** How many items have arrived, or were sent as input. */
  readonly itemCount?: number
}

/** Records the servers to which a call is sent that may be sent again although it may have run. */
export interface Repeat {
  /** The call was sent. */
  sentTo(link: MessageLink): void
  /** The call is known not to have been received. */
  returned(): void
}

/** The extras of a call for an extended peer. Each is computed when the message is sent. */
export interface ComputedExtras {
  /** @param compute computes the extra. */
  add(name: keyof RequestExtras, compute: () => unknown): void
  /**
   * Computes the extras of the message now, and has the call renewed if they change until it is sent.
   *
   * @param isExtended whether the other side may be an extended peer.
   * @returns all extras of the message; undefined if it has none.
   */
  extrasOf(call: PendingCall, format: Format, isExtended: boolean): RequestExtras | undefined
}

/**
 * A call that has not ended, or a notification that was not written yet. Once it is encoded, it is also its own message
 * to be sent. Many may be open at once, so members that few calls have are only declared.
 */
export class PendingCall {
  // All members are set by the constructor: V8 runs a function for the members that get a value here.
  declare readonly id: number
  declare readonly method: string
  declare readonly kind: CallKind
  /** The definition of its method in the contract. A program that passes a call on leaves it to the caller. */
  declare definition: Definition | undefined
  /**
   * Settles when the call ends. It must be read before: a session keeps the message of a call after its end, and must
   * not keep the result with it.
   */
  declare promise: Promise<unknown>
  declare private settle: (value: unknown) => void
  /** Its message, which may have to be sent again. */
  declare encoded: Encoded | undefined
  /**
   * `written`: it was handed to a transport, and so may have run. `returned`: it was written, and is known not to have
   * been received. Only PendingCalls sets this and `uncertain`.
   */
  declare state: 'open' | 'written' | 'returned'
  /**
   * The time at which the channel's default timeout ends it, by `performance.now()`, in whole ms; 0 if it has a timeout
   * of its own.
   */
  declare dueAt: number
  /** It was written to a server that is gone, and waits to be sent again: it may have run. */
  declare uncertain?: true
  /** The deadline that is sent to the other side. */
  declare deadline?: number
  /** The extras beside its params. */
  declare extras?: RequestExtras
  /** The extras for an extended peer. */
  declare computedExtras?: ComputedExtras
  /** The metadata that a call has which is passed on. */
  declare passedMeta?: Record<string, string>
  /** As in {@link OutgoingMessage}, for a call that has `computedExtras`. */
  declare renew?: OutgoingMessage['renew']
  /** @returns why it can't be sent to this other side; undefined if it can. */
  declare whyNot?: (peer: PeerFacts) => RpcError | undefined
  /** Set for a call that may be sent again although it may have run. */
  declare repeat?: Repeat
  /** The parts that features have added. */
  declare parts?: CallPart[]
  /** The place where it was made, if that is to be shown. */
  declare trace?: CallTrace
  /** The timer of a call that has a timeout of its own. */
  declare timer?: CallTimer
  /** Removes the listener of a call that has a signal. */
  declare stopListening?: () => void

  constructor(id: number, method: string, kind: CallKind, definition: Definition | undefined) {
    this.id = id
    this.method = method
    this.kind = kind
    this.definition = definition
    this.promise = new Promise<unknown>((resolve) => {
      this.settle = resolve
    })
    this.encoded = undefined
    this.state = 'open'
    this.dueAt = 0
  }

  /** Ends the call with its result. */
  resolve(value: unknown): void {
    const { settle } = this
    this.promise = ENDED
    this.settle = endedBefore
    settle(value)
  }

  /** Ends the call with an error of this side. */
  reject(error: Error): void {
    this.rejectWithAnswer(own(error))
  }

  /** Ends the call with the error that the other side answered. */
  rejectWithAnswer(error: Error): void {
    this.trace?.show(error)
    this.resolve(new Rejection(error))
    // The parts are called at once, whatever the middleware does with the error.
    for (const part of this.parts ?? NONE) part.failed?.(error)
  }

  /** Adds the part of a feature. */
  add(part: CallPart): void {
    this.parts ??= []
    this.parts.push(part)
  }

  /** Whether the other side can't show a sign of life because this side holds it up. */
  get isHeldUp(): boolean {
    return this.parts?.some(({ isHeldUp }) => isHeldUp) ?? false
  }

  /** How many items have arrived, or were sent as input; undefined if it has no stream. */
  get itemCount(): number | undefined {
    for (const { itemCount } of this.parts ?? NONE) if (itemCount !== undefined) return itemCount
    return undefined
  }
}

const NONE: readonly CallPart[] = []

/** What a call has instead of its promise and the function that settles it, after its end. */
const ENDED = Promise.resolve()
function endedBefore(): void {}

/**
 * A promise that is resolved with it is rejected. So a call keeps only one of its promise's two functions: few calls
 * fail.
 */
class Rejection {
  readonly #error: Error

  constructor(error: Error) {
    this.#error = error
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise calls it if it is resolved with this object
  then(_onResult: unknown, onError: (error: Error) => void): void {
    onError(this.#error)
  }
}

/** How far a call has come. */
export type CallProgress = Pick<PendingCall, 'state' | 'uncertain'>

/** What is known of a call that ends without an answer. */
export function outcomeOf({ state, uncertain }: CallProgress): Outcome {
  if (state === 'written' || uncertain) return 'maybe-executed'
  return state === 'returned' ? 'not-received' : 'not-sent'
}

/** The texts of the outcomes, for messages. */
export const OUTCOME_TEXTS: Record<Outcome, string> = {
  'not-sent': 'was not sent',
  'not-received': 'was sent, never received, and has not run',
  'maybe-executed': 'was sent and may have run',
}
