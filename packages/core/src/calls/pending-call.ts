import type { Definition } from '../contract/contract.js'
import { own } from '../errors/error-origin.js'
import type { Outcome, RpcError } from '../errors/errors.js'
import type { MessageLink, OutgoingMessage } from '../link/message-link.js'
import type { PeerFacts } from '../link/peer-facts.js'
import type { Encoded } from '../wire/encoded.js'
import type { RequestExtras } from '../wire/message.js'
import type { CallTimer } from './call-timer.js'
import { type CallTrace, showCaller } from './call-trace.js'

/** What a call is answered with. */
export type CallKind = 'method' | 'stream' | 'notification'

/** What a feature adds to a call. */
export interface CallPart {
  /** The result came. What it is checked as follows when this resolves. */
  beforeResult?(): Promise<void>
  /** The call has ended with an error. */
  failed?(error: Error): void
  /** Whether it is this side that keeps the other from showing signs of life. */
  readonly isHeldUp?: boolean
  /** How many items have come, or were sent along. */
  readonly itemCount?: number
}

/** What a call that may be sent again, although it may have run, needs to know of the servers it is sent to. */
export interface Repeat {
  /** It was sent. */
  sentTo(link: MessageLink): void
  /** It is known that it was not received. */
  returned(): void
}

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
  /** When it is to have ended, as far as that is told to the other side. */
  declare deadline?: number
  /** What it says beside its params. */
  declare extras?: RequestExtras
  /** What it says beside its params to a peer that understands more than JSON-RPC 2.0, as it is when it is sent. */
  declare told?: { [K in keyof RequestExtras]?: () => RequestExtras[K] }
  /** As in {@link OutgoingMessage}, of a call that has `told`. */
  declare renew?: OutgoingMessage['renew']
  /** @returns why it can't be sent to this other side; undefined if it can. */
  declare whyNot?: (peer: PeerFacts) => RpcError | undefined
  /** Of a call that may be sent again although it may have run. */
  declare repeat?: Repeat
  /** What features have added. */
  declare parts?: CallPart[]
  /** Where it was made, if that is to be shown. */
  declare trace?: CallTrace
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
    // At once, whatever middleware makes of it.
    for (const part of this.parts ?? NONE) part.failed?.(error)
  }

  /** Adds what a feature does for it. */
  add(part: CallPart): void {
    this.parts ??= []
    this.parts.push(part)
  }

  /** Itself: whose fate its message decides. */
  get call(): this {
    return this
  }

  /** It was handed to a transport, and may have run. */
  get isWritten(): boolean {
    return this.state === 'written'
  }

  /** Whether it is this side that keeps the other from showing signs of life. */
  get isHeldUp(): boolean {
    return this.parts?.some(({ isHeldUp }) => isHeldUp) ?? false
  }

  /** How many items have come, or were sent along, if there are any to count. */
  get itemCount(): number | undefined {
    for (const { itemCount } of this.parts ?? NONE) if (itemCount !== undefined) return itemCount
    return undefined
  }
}

const NONE: readonly CallPart[] = []

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
