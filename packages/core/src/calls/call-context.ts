import { type ContractSide, definitionOf, schemaOf } from '../contract/contract.js'
import { withOrigin } from '../errors/error-origin.js'
import { RpcConfigError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { setDeadline } from '../features/deadlines/deadline.js'
import { createMeta, type Meta } from '../features/middleware/meta.js'
import { type MiddlewareCall, setCall } from '../features/middleware/middleware.js'
import type { ProgressReport } from '../features/progress/progress.js'
import type { ServedCall } from '../features/streams/served-streams.js'
import type { MessageId } from '../wire/message.js'
import { MAX_TIMER_MS } from './call-timer.js'
import type { HandlerContext } from './functions.js'
import { isCancellation, tookLonger } from './refusals.js'

/** Where a call runs. */
export interface CallContextHost {
  /** The methods the contract gives this side. */
  readonly localSide: ContractSide | undefined
  /** What handlers find as `context.channel`. */
  readonly channel: unknown
  /** What handlers find as `context.identity`. */
  readonly identity: unknown
}

/** What few handlers ask for, and few calls come with. */
interface Rare {
  meta?: Meta
  progress?: (value: unknown) => void
  input?: AsyncGenerator<unknown, void, undefined>
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
  /** Those of the call, where it has any. */
  declare streams?: ServedCall
  /** By which it is to run once, where it came with one. */
  declare key?: string
  /** Who is told how far it has come, where anybody listens. */
  declare report?: ProgressReport
  /** As its middleware sees it, where it goes through any. */
  declare call?: MiddlewareCall
  /** Settles when its handler has ended, if its middleware may answer before that. */
  declare served?: Promise<unknown> | undefined
  #rare: Rare | undefined
  readonly #host: CallContextHost
  #controller: AbortController | undefined
  #abortedBy: { reason: unknown } | undefined

  constructor(
    method: string,
    kind: HandlerContext['kind'],
    host: CallContextHost,
    id: MessageId = null,
  ) {
    this.method = method
    this.kind = kind
    this.id = id
    this.#host = host
    // Typed where the handler is: see HandlerContext.
    this.identity = host.identity as undefined
  }

  get #more(): Rare {
    this.#rare ??= {}
    return this.#rare
  }

  get channel(): unknown {
    return this.#host.channel
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      const deadline = this.#rare?.deadline
      if (deadline !== undefined) setDeadline(this.#controller.signal, deadline)
      if (this.call) setCall(this.#controller.signal, this.call)
    }
    if (this.#abortedBy) this.#controller.abort(this.#abortedBy.reason)
    return this.#controller.signal
  }

  get meta(): Meta {
    const rare = this.#more
    rare.meta ??= createMeta()
    return rare.meta
  }

  get timeLeft(): number {
    return Math.max(0, this.deadline - performance.now())
  }

  get progress(): (value: unknown) => void {
    const rare = this.#more
    rare.progress ??= (value) => {
      assertProgress(this.#host.localSide, this.method)
      this.report?.tell(value)
    }
    return rare.progress
  }

  get input(): AsyncGenerator<never, void, undefined> {
    const rare = this.#more
    rare.input ??= this.streams?.input ?? noInput()
    // Typed where the handler is: see HandlerContext.
    return rare.input as AsyncGenerator<never, void, undefined>
  }

  // ── For whoever runs the handler ──────────────────────────────────────────────────────────────

  /** What came beside the params. */
  takeMeta(meta: object): void {
    this.#more.meta = createMeta(meta)
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
    this.report?.stop()
    this.#controller?.abort(reason)
    this.streams?.abort(reason)
  }

  /** It is over: nothing more is told, and nothing waits. */
  end(): void {
    clearTimeout(this.#rare?.timer)
    this.report?.end()
  }
}

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
