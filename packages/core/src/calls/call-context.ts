import { MAX_TIMER_MS } from '../base/max-timer.js'
import { type ContractSide, definitionOf, schemaOf } from '../contract/contract.js'
import { withOrigin } from '../errors/error-origin.js'
import { RpcConfigError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { MessageId, ResponseMessage } from '../wire/message.js'
import type { ChannelContext } from './channel-context.js'
import type { HandlerContext } from './functions.js'
import type { Meta, MiddlewareCall } from './middleware-call.js'
import { isCancellation, tookLonger } from './refusals.js'

/** What a feature adds to a call that runs here. */
export interface ContextPart {
  /** Nobody waits for the call any more. */
  abort?(reason: unknown): void
  /** The call is over, and is about to be answered. */
  end?(): void
}

/** What few handlers ask for, and few calls come with. */
interface Rare {
  meta?: Meta
  progress?: (value: unknown) => void
  /** By `performance.now()`. */
  deadline?: number
  timer?: ReturnType<typeof setTimeout>
}

/** What a handler is given; its signal is made when it is first asked for. */
export class CallContext implements HandlerContext {
  readonly method: string
  readonly kind: HandlerContext['kind']
  readonly identity: undefined
  /** Which its answer has; null where it has none. */
  readonly id: MessageId
  /** Where it is among those that run; RunningCalls alone says so. */
  place = -1
  /** Whether its handler was called. After an abort it is not called any more. */
  isBegun = false
  /** Whether its caller was answered before the handler ended, as after a cancel. */
  isAnswered = false
  /** What it takes in memory, in bytes. */
  weight = 0
  /** What was being begun when this one was. */
  outer: CallContext | undefined
  // What few calls have is not there in the others: one of these is made for each.
  /** What features have added. */
  declare parts?: ContextPart[]
  /** The items that the caller sends along. */
  declare items?: AsyncGenerator<unknown, void, undefined>
  /** Who is told how far it has come, if anybody listens. */
  declare report?: { tell(value: unknown): void }
  /** Makes of what the handler gives what the call ends with: a stream is sent first. */
  declare finish?: (given: unknown) => Promise<unknown>
  /** Answers it in another way than by running it once for this caller. @param run runs it in a context, and never rejects. */
  declare serveBy?: (
    run: (own: CallContext) => Promise<ResponseMessage>,
  ) => Promise<ResponseMessage>
  /** Called with its signal when that is made. */
  declare onSignal?: ((signal: AbortSignal) => void)[]
  /** The key by which it runs once, if it came with one. */
  declare key?: string
  /** As its middleware sees it, if it goes through any. */
  declare call?: MiddlewareCall
  /** Settles when its handler has ended, if its middleware may answer before that. */
  declare served?: Promise<unknown> | undefined
  #rare: Rare | undefined
  readonly #host: ChannelContext
  #controller: AbortController | undefined
  #abortedBy: { reason: unknown } | undefined

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
    // Typed where the handler is: see HandlerContext.
    this.identity = host.owner.identity as undefined
  }

  get #more(): Rare {
    this.#rare ??= {}
    return this.#rare
  }

  get channel(): unknown {
    return this.#host.owner
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      for (const tell of this.onSignal ?? []) tell(this.#controller.signal)
    }
    if (this.#abortedBy) this.#controller.abort(this.#abortedBy.reason)
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
    // Typed where the handler is: see HandlerContext.
    return this.items as AsyncGenerator<never, void, undefined>
  }

  // ── For whoever runs the handler ──────────────────────────────────────────────────────────────

  /** Adds what a feature does for it. */
  add(part: ContextPart): void {
    this.parts ??= []
    this.parts.push(part)
  }

  /** Has a feature told of its signal when that is made. */
  whenSignal(tell: (signal: AbortSignal) => void): void {
    this.onSignal ??= []
    this.onSignal.push(tell)
  }

  /** What came beside the params. */
  takeMeta(meta: object): void {
    this.#more.meta = Object.assign(Object.create(null), meta) as Meta
  }

  /** Runs in the place of another, which came for it. */
  standInFor({ report, call, meta }: CallContext): void {
    if (report) this.report = report
    if (call) this.call = call
    this.#more.meta = meta
  }

  /** Aborts it, when so many ms have passed. */
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

  /** When its caller stops waiting, by `performance.now()`; `Infinity` if that is not known. */
  get deadline(): number {
    return this.#rare?.deadline ?? Number.POSITIVE_INFINITY
  }

  /** Ends the call because its caller no longer waits. */
  expire(): void {
    const { method, deadline } = this
    const error = new RpcTimeoutError(tookLonger(method), 'maybe-executed', { method })
    this.abort(withOrigin(error, { isOwn: true, deadline }))
  }

  get aborted(): boolean {
    return this.#abortedBy !== undefined
  }

  /** What it was aborted with. */
  get reason(): unknown {
    return this.#abortedBy?.reason
  }

  /** Whether it is a stream that its caller has left. Such a stream has not failed. */
  get isLeft(): boolean {
    return this.#abortedBy !== undefined && this.kind === 'stream' && isCancellation(this.reason)
  }

  abort(reason: unknown): void {
    if (this.#abortedBy) return
    this.#abortedBy = { reason }
    clearTimeout(this.#rare?.timer)
    this.#controller?.abort(reason)
    for (const part of this.parts ?? NONE) part.abort?.(reason)
  }

  /** It is over: nothing more is told, and nothing waits. */
  end(): void {
    clearTimeout(this.#rare?.timer)
    for (const part of this.parts ?? NONE) part.end?.()
  }
}

const NONE: readonly ContextPart[] = []

async function* noInput(): AsyncGenerator<never, void, undefined> {}

/** @throws {RpcConfigError} where a contract says nothing of a method's progress. */
function assertProgress(side: ContractSide | undefined, method: string): void {
  const definition = definitionOf(side, method)
  if (!definition || schemaOf(definition, 'progress')) return
  throw new RpcConfigError(
    `${quoted(method)} tells of no progress: add progress to the method in the contract`,
    { method },
  )
}
