import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf, schemaOf } from '../contract/definition.js'
import { withOrigin } from '../errors/error-origin.js'
import { RpcConfigError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { MessageId, ResponseMessage } from '../wire/message.js'
import type { ChannelContext } from './channel-context.js'
import type { HandlerContext } from './functions.js'
import type { Meta, MiddlewareCall } from './middleware-call.js'
import { isCancellation, tookLonger } from './refusals.js'

/** The part of a feature in a call that runs here. */
export interface ContextPart {
  /** Called when nobody waits for the call any more. */
  abort?(reason: unknown): void
  /** Called when the call has ended, before it is answered. */
  end?(): void
}

/** Members that few calls need. */
interface Rare {
  meta?: Meta
  progress?: (value: unknown) => void
  /** The deadline, by `performance.now()`. */
  deadline?: number
  timer?: ReturnType<typeof setTimeout>
}

/** The context that a handler receives. Its signal is made when it is first read. */
export class CallContext implements HandlerContext {
  readonly method: string
  readonly kind: HandlerContext['kind']
  readonly identity: undefined
  /** The id of its request; null if it has none. */
  readonly id: MessageId
  /** Its index in RunningCalls, which alone sets it. */
  place = -1
  /** Whether its handler was called. After an abort, the handler is no longer called. */
  isBegun = false
  /** Whether its caller was answered before the handler ended, as after a cancel. */
  isAnswered = false
  /** How much memory it takes, in bytes. */
  weight = 0
  /** The call that was being started when this one was. */
  outer: CallContext | undefined
  // One context is made for each call, so members that few calls have are only declared.
  /** The parts that features have added. */
  declare parts?: ContextPart[]
  /** The input items of the caller. */
  declare items?: AsyncGenerator<unknown, void, undefined>
  /** Sends progress to the caller, if it listens. */
  declare report?: { tell(value: unknown): void }
  /** Turns the handler's return value into the result of the call. It sends the items of a stream first. */
  declare finish?: (given: unknown) => Promise<unknown>
  /**
   * Answers the call differently from running it once for this caller. @param run runs it in a context; it never
   * rejects.
   */
  declare serveBy?: (
    run: (own: CallContext) => Promise<ResponseMessage>,
  ) => Promise<ResponseMessage>
  /** Called with the signal when it is made. */
  declare onSignal?: ((signal: AbortSignal) => void)[]
  /** Its idempotency key, if it has one. */
  declare key?: string
  /** The call as its middleware sees it, if it goes through any. */
  declare call?: MiddlewareCall
  /** Settles when its handler has ended, if its middleware may answer before that. */
  declare served?: Promise<unknown> | undefined
  /** The id of the channel that it is for, if it came over a link between nodes. */
  declare to?: string
  #rare: Rare | undefined
  readonly #host: ChannelContext
  #controller: AbortController | undefined
  /** Whether nobody waits for it any more, and why. */
  aborted = false
  reason: unknown

  constructor(
    method: string,
    kind: HandlerContext['kind'],
    host: ChannelContext,
    id: MessageId = null,
  ) {
    this.method = method
    this.kind = kind
    this.id = id
    this.#host = host
    // The type is that of the handler: see HandlerContext.
    this.identity = host.publicChannel.identity as undefined
  }

  get #more(): Rare {
    this.#rare ??= {}
    return this.#rare
  }

  get channel(): unknown {
    return this.#host.publicChannel
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      for (const tell of this.onSignal ?? []) tell(this.#controller.signal)
    }
    if (this.aborted) this.#controller.abort(this.reason)
    return this.#controller.signal
  }

  get meta(): Meta {
    const rare = this.#more
    rare.meta ??= Object.create(null) as Meta
    return rare.meta
  }

  get timeLeft(): number {
    return Math.max(0, this.deadline - performance.now())
  }

  get progress(): (value: unknown) => void {
    const rare = this.#more
    rare.progress ??= (value) => {
      assertProgress(this.#host.kind.localSide, this.method)
      this.report?.tell(value)
    }
    return rare.progress
  }

  get input(): AsyncGenerator<never, void, undefined> {
    this.items ??= noInput()
    // The type is that of the handler: see HandlerContext.
    return this.items as AsyncGenerator<never, void, undefined>
  }

  // ── For the code that runs the handler ────────────────────────────────────────────────────────

  /** Adds the part of a feature. */
  add(part: ContextPart): void {
    this.parts ??= []
    this.parts.push(part)
  }

  /** Calls a function with the signal when the signal is made. */
  whenSignal(tell: (signal: AbortSignal) => void): void {
    this.onSignal ??= []
    this.onSignal.push(tell)
  }

  /** Sets the metadata that arrived beside the params. */
  takeMeta(meta: object): void {
    this.#more.meta = Object.assign(Object.create(null), meta) as Meta
  }

  /** Takes over the progress, the middleware call and the metadata of the context of the call that arrived. */
  standInFor({ report, call, meta }: CallContext): void {
    if (report) this.report = report
    if (call) this.call = call
    this.#more.meta = meta
  }

  /** Aborts the call when `ms` ms have passed. */
  expireIn(ms: number): void {
    this.#more.deadline = performance.now() + ms
    if (ms <= MAX_TIMER_MS) this.#waitFor(ms)
  }

  #waitFor(ms: number): void {
    this.#more.timer = setTimeout(() => {
      // The timer may have fired a little early.
      if (this.timeLeft > 0) this.#waitFor(this.timeLeft)
      else this.expire()
    }, ms)
  }

  /** The time at which its caller stops waiting, by `performance.now()`; `Infinity` if that is not known. */
  get deadline(): number {
    return this.#rare?.deadline ?? Number.POSITIVE_INFINITY
  }

  /** Ends the call because its caller no longer waits. */
  expire(): void {
    const { method, deadline } = this
    const error = new RpcTimeoutError(tookLonger(method), 'maybe-executed', { method })
    this.abort(withOrigin(error, { isOwn: true, deadline }))
  }

  /** Whether it is a stream that its caller has left. Such a stream has not failed. */
  get isLeft(): boolean {
    return this.aborted && this.kind === 'stream' && isCancellation(this.reason)
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    clearTimeout(this.#rare?.timer)
    this.#controller?.abort(reason)
    for (const part of this.parts ?? NONE) part.abort?.(reason)
  }

  /** Ends the call: progress and timers stop. */
  end(): void {
    clearTimeout(this.#rare?.timer)
    for (const part of this.parts ?? NONE) part.end?.()
  }
}

const NONE: readonly ContextPart[] = []

async function* noInput(): AsyncGenerator<never, void, undefined> {}

/** @throws {RpcConfigError} if the contract has no progress for a method. */
function assertProgress(side: FlatSide | undefined, method: string): void {
  const definition = definitionOf(side, method)
  if (!definition || schemaOf(definition, 'progress')) return
  throw new RpcConfigError(
    `${quoted(method)} has no progress in the contract. Add progress to the method there`,
    { method },
  )
}
