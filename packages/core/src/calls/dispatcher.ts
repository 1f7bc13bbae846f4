import { guarded } from '../base/guarded.js'
import { after, type MaybeAsync, settled } from '../base/maybe-async.js'
import { type Definition, definitionOf, schemaOf } from '../contract/contract.js'
import { formatIssues, type Verdict, validate } from '../contract/validation.js'
import { describeThrown, ErrorCode, RpcError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import {
  callableNames,
  DISCOVER,
  DiscoveryRate,
  undiscoverable,
} from '../features/discovery/discovery.js'
import { type AnswerKeyed, isKey } from '../features/keys/keyed-calls.js'
import { arrive, IncomingCall } from '../features/middleware/incoming-call.js'
import type { Middleware } from '../features/middleware/middleware.js'
import { ProgressReport } from '../features/progress/progress.js'
import { isSource } from '../features/streams/outgoing-stream.js'
import { ServedStreams, type ServedStreamsHost } from '../features/streams/served-streams.js'
import { type ErrorPhase, incomingContext } from '../logging/error-context.js'
import {
  type ErrorMessage,
  errorMessage,
  invalidRequestMessage,
  type MessageId,
  neverRanMessage,
  type ResponseMessage,
  resultMessage,
} from '../wire/message.js'
import type { Weighed } from '../wire/weight.js'
import { CallContext, type CallContextHost } from './call-context.js'
import {
  type AnyHandler,
  ExposedHandlers,
  type ExposedHandlersHost,
  type ExposeOptions,
  type HandlersByName,
} from './exposed-handlers.js'
import type { HandlerContext } from './functions.js'
import { type Incoming, whyInvalid, whyInvalidMeta } from './incoming.js'
import { lostKind } from './lost-kinds.js'
import type { ResolvedChannelOptions } from './options.js'
import {
  isOfAbort,
  isOfDeadline,
  notAllowed,
  notFound,
  notMounted,
  notThisKind,
  type ToldError,
  toldError,
  tookLonger,
  tooLate,
  wasCancelled,
} from './refusals.js'
import { RunningCalls } from './running-calls.js'

type Kind = HandlerContext['kind']

/** What serves a call that may be made and is valid. */
interface Prepared {
  readonly params: unknown
  /** One handler, whose result is the call's, or all of a notification. */
  readonly serves: AnyHandler | readonly AnyHandler[]
}

/** Says of each call whether it may run. */
export type Authorize = (method: string, context: HandlerContext) => boolean | Promise<boolean>

/** Whose methods they are. */
export interface DispatcherHost extends CallContextHost, ExposedHandlersHost, ServedStreamsHost {
  readonly settings: ResolvedChannelOptions
  /** What middleware finds as `call.dialect`. */
  readonly dialect: string | undefined
  /** Whether a call may run; without it, all may. */
  readonly authorize: Authorize | undefined
  /** The owner of the connection, for limits that all clients share. */
  readonly owner: string | undefined
  /** Answers calls with an idempotency key; without it, they are refused. */
  readonly answerKeyed: AnswerKeyed | undefined
  /** A call or a notification has ended. */
  ran(): void
}

/**
 * Runs the methods of this side: finds them by their own name, validates, runs, answers.
 *
 * Several handlers may be exposed under one name: a method goes to the newest of them, a
 * notification to all. Calls run concurrently; none waits for another.
 */
export class Dispatcher {
  readonly #host: DispatcherHost
  readonly #handlers: ExposedHandlers
  /** What is being begun in this turn, the innermost. */
  #inTurn: CallContext | undefined
  /** What goes on, once something has. */
  #running: RunningCalls | undefined
  #servedStreams: ServedStreams | undefined
  #discoveries: DiscoveryRate | undefined

  /** @param handlers those there are from the beginning. */
  constructor(handlers: HandlersByName, host: DispatcherHost) {
    this.#host = host
    this.#handlers = new ExposedHandlers(handlers, host)
  }

  get #streams(): ServedStreams {
    this.#servedStreams ??= new ServedStreams(this.#host)
    return this.#servedStreams
  }

  /** Calls and notifications of the other side that are running now. */
  get running(): number {
    let inTurn = 0
    for (let context = this.#inTurn; context; context = context.outer) inTurn++
    return (this.#running?.size ?? 0) + inTurn
  }

  /** Whether calls of the other side, other than streams, run now. */
  get hasCalls(): boolean {
    return this.#inTurn !== undefined || (this.#running?.hasCalls ?? false)
  }

  /** As {@link ExposedHandlers.add}. */
  expose(method: string, handler: AnyHandler, options?: ExposeOptions): () => void {
    return this.#handlers.add(method, handler, options)
  }

  /** The names that have handlers. */
  get exposed(): Iterable<string> {
    return this.#handlers.names
  }

  /**
   * Runs a request and answers it: in the same turn, if its handler does. Never throws or rejects.
   *
   * @returns its answer; `undefined` if {@link cancel} has answered it already.
   */
  request(
    id: MessageId,
    incoming: Incoming,
    weighed: Weighed,
  ): MaybeAsync<ResponseMessage | undefined> {
    if (id !== null && this.#running?.has(id)) {
      return invalidRequestMessage(id, `a call with the id ${JSON.stringify(id)} is still running`)
    }
    const { method, rpc = {} } = incoming
    const full = this.#whyFull(method, weighed)
    if (full) return neverRanMessage(id, ErrorCode.overloaded, full)
    const invalid = whyInvalid(id, incoming) ?? this.#whyKeyless(incoming)
    if (invalid) return neverRanMessage(id, ErrorCode.invalidRequest, invalid)
    if (rpc.deadlineMs === 0) return neverRanMessage(id, ErrorCode.timedOut, tooLate(method))
    const context = this.#begin(incoming, rpc.credit === undefined ? 'method' : 'stream', id)
    if (rpc.deadlineMs !== undefined) context.expireIn(rpc.deadlineMs as number)
    if (rpc.progress) {
      context.report = new ProgressReport(id, method, this.#host)
    }
    if (rpc.credit !== undefined || rpc.input !== undefined) {
      context.streams = this.#streams.open(id, method, rpc, (item) =>
        this.#validate(method, 'input', item),
      )
    }
    let answer: MaybeAsync<ResponseMessage>
    const outer = this.#enter(context)
    try {
      const { use } = this.#host.settings
      answer = use ? this.#serveThrough(use, incoming, context) : this.#serve(incoming, context)
    } catch (thrown) {
      answer = this.#errorAnswer(thrown, context)
    }
    this.#inTurn = outer
    if (!(answer instanceof Promise)) {
      this.#over(context)
      return answer
    }
    this.#goesOn(context, weighed)
    return this.#answered(answer, context)
  }

  #answered(
    answer: Promise<ResponseMessage>,
    context: CallContext,
  ): Promise<ResponseMessage | undefined> {
    return answer.then(
      (given) => {
        this.#over(context)
        return context.isAnswered ? undefined : given
      },
      (thrown) => {
        try {
          const answer = this.#errorAnswer(thrown, context)
          return context.isAnswered ? undefined : answer
        } finally {
          this.#over(context)
        }
      },
    )
  }

  #over(context: CallContext): void {
    const { streams } = context
    if (streams) this.#streams.end(streams)
    context.end()
    const { served } = context
    if (!served) return this.#leave(context)
    // The middleware did not wait for the handler, which keeps its place until it has ended.
    this.#running?.answered(context)
    const leave = () => this.#leave(context)
    served.then(leave, leave)
  }

  #leave(context: CallContext): void {
    this.#running?.leave(context)
    this.#host.ran()
  }

  // What ends in the turn that it began in is counted nowhere else: most calls do.

  /** @returns what was running in this turn around it: it goes on when this one has been begun. */
  #enter(context: CallContext): CallContext | undefined {
    const outer = this.#inTurn
    context.outer = outer
    this.#inTurn = context
    return outer
  }

  /** It has not ended in this turn. */
  #goesOn(context: CallContext, { weight }: Weighed): void {
    this.#running ??= new RunningCalls()
    context.weight = weight
    this.#running.add(context)
  }

  /** Runs a notification. Never throws: failures go to `onError`. */
  notification(incoming: Incoming, weighed: Weighed): void {
    const full = this.#whyFull(incoming.method, weighed)
    if (full) return this.#drop(incoming, new RpcError(ErrorCode.overloaded, full))
    const invalid = whyInvalidMeta(incoming)
    if (invalid) return this.#drop(incoming, new RpcError(ErrorCode.invalidRequest, invalid))
    const context = this.#begin(incoming, 'notification')
    let heard: MaybeAsync<unknown>
    const outer = this.#enter(context)
    try {
      const { use } = this.#host.settings
      heard = use ? this.#hearThrough(use, incoming, context) : this.#hear(incoming, context)
    } catch (thrown) {
      this.#unheard(thrown, context)
    }
    this.#inTurn = outer
    if (!(heard instanceof Promise)) return context.end()
    this.#goesOn(context, weighed)
    heard.catch((thrown) => this.#unheard(thrown, context)).finally(() => this.#over(context))
  }

  /** A notification is dropped before it has a context. */
  #drop({ method }: Incoming, error: RpcError): void {
    this.#host.error(error, incomingContext({ method, kind: 'notification' }, 'refused'))
  }

  /** A notification was dropped, or its handler has failed. */
  #unheard(thrown: unknown, context: CallContext): void {
    this.#host.error(
      thrown,
      incomingContext(context, context.isBegun ? 'handler' : phaseOf(thrown)),
    )
  }

  #hear(incoming: Incoming, context: CallContext): MaybeAsync<unknown> {
    const prepared = this.#prepare(incoming, context, 'notification')
    return prepared instanceof Promise
      ? prepared.then((ready) => this.#hearReady(ready, context))
      : this.#hearReady(prepared, context)
  }

  #hearReady(prepared: Prepared, context: CallContext): MaybeAsync<unknown> {
    context.isBegun = true
    return this.#run(prepared, context)
  }

  #hearThrough(
    use: readonly Middleware[],
    incoming: Incoming,
    context: CallContext,
  ): Promise<unknown> {
    context.call = new IncomingCall(context, undefined, incoming.params, this.#host.dialect)
    const hear = async () => void (await this.#hear(incoming, context))
    const serve = () => served(context, hear())
    return arrive(use, context.call, serve, (thrown) => this.#told(thrown, context))
  }

  /**
   * Aborts the signal of one running call. Its handler keeps its place until it has ended.
   *
   * @returns the answer for its caller, which no longer waits; `undefined` if there is no such call.
   */
  cancel(id: MessageId, reason: unknown): ResponseMessage | undefined {
    const context = this.#running?.cancel(id, reason)
    if (!context) return undefined
    if (!context.isBegun) return this.#neverBegan(context)
    return cancelledMessage(id, context.method)
  }

  /** Aborts all calls that run, as nobody waits for them any more. Each keeps its place until it has ended. */
  cancelAll(reason: unknown): void {
    for (let context = this.#inTurn; context; context = context.outer) context.abort(reason)
    this.#running?.cancelAll(reason)
  }

  /** How many of the places there are. */
  get #taken(): number {
    return this.#running?.size ?? 0
  }

  /** How much memory the running calls take, in bytes. */
  get runningBytes(): number {
    return this.#running?.bytes ?? 0
  }

  /** @returns why one more call may not run; `undefined` if it may. */
  #whyFull(method: string, weighed: Weighed): string | undefined {
    const { running, runningBytes } = this.#host.settings.limits
    if (this.#taken >= running) {
      return `${quoted(method)} was not run: ${this.#taken} calls of this caller run already, those among them that it has given up and that have not ended, and no more may (limits.running)`
    }
    const bytes = this.runningBytes
    if (bytes === 0 || bytes + weighed.weight <= runningBytes) return undefined
    return `${quoted(method)} was not run: calls of this caller that run take ${Math.round(bytes)} bytes, and with it they would take more than ${runningBytes} (limits.runningBytes)`
  }

  #begin({ method, rpc }: Incoming, kind: Kind, id: MessageId = null): CallContext {
    const context = new CallContext(method, kind, this.#host, id)
    if (rpc?.meta) context.takeMeta(rpc.meta as object)
    return context
  }

  /** @throws whatever says why it has no result. */
  #serve(incoming: Incoming, context: CallContext): MaybeAsync<ResponseMessage> {
    const prepared = this.#prepare(incoming, context, 'method')
    return prepared instanceof Promise
      ? prepared.then((ready) => this.#serveReady(incoming, context, ready))
      : this.#serveReady(incoming, context, prepared)
  }

  #serveReady(
    incoming: Incoming,
    context: CallContext,
    prepared: Prepared,
  ): MaybeAsync<ResponseMessage> {
    // Nobody waits for it any more: it is not begun.
    if (context.aborted) return this.#neverBegan(context)
    context.isBegun = true
    const { rpc } = incoming
    if (rpc?.key !== undefined) {
      return this.#answerKeyed(incoming, context, prepared).then((answer) => ({
        ...answer,
        id: context.id,
      }))
    }
    const result = this.#run(prepared, context)
    return result instanceof Promise
      ? result.then((given) => this.#resultAnswer(context, given))
      : this.#resultAnswer(context, result)
  }

  /** Runs what serves a call, in a context. */
  #run({ params, serves }: Prepared, context: CallContext): MaybeAsync<unknown> {
    if (typeof serves !== 'function') return this.#runAll(serves, params, context)
    const given = settled(serves(params, context))
    if (!context.streams?.isTaken) return given
    return Promise.resolve(given).then((source) => this.#stream(context, source))
  }

  /** The same, through what surrounds it. */
  async #serveThrough(
    use: readonly Middleware[],
    incoming: Incoming,
    context: CallContext,
  ): Promise<ResponseMessage> {
    const { id, method } = context
    const call = new IncomingCall(context, id, incoming.params, this.#host.dialect)
    context.call = call
    let isLetIn = false
    /** An answer that is an error passes through as what was thrown. */
    let refusal: ErrorMessage | undefined
    const resultOf = async () => {
      const answer = await this.#serve(incoming, context)
      if (context.isLeft) return undefined
      if (!('error' in answer)) return answer.result
      refusal = answer
      throw answer
    }
    const serve = () => {
      isLetIn = true
      return served(context, resultOf())
    }
    const told = (thrown: unknown) =>
      refusal && thrown === refusal
        ? new RpcError(refusal.error.code, refusal.error.message, refusal.error.data, { method })
        : this.#told(thrown, context)
    try {
      const result = await arrive(use, call, serve, told)
      if (context.kind !== 'stream') return this.#resultAnswer(context, result)
      // Its items are its result, and middleware need not wait for the last.
      await context.served
      return this.#resultAnswer(context, undefined)
    } catch (thrown) {
      if (refusal && thrown === refusal) return refusal
      const refused = isLetIn ? undefined : toldError(thrown)
      if (refused) return neverRanMessage(id, refused.code, refused.message, refused.data)
      throw thrown
    }
  }

  /** The error that a caller is told of a failure, for who surrounds the call. */
  #told(thrown: unknown, context: CallContext): RpcError {
    if (toldError(thrown)) return thrown as RpcError
    const { code, message, data } = this.#failure(thrown, context)
    return new RpcError(code, message, data, { method: context.method, cause: thrown })
  }

  #neverBegan({ id, method, reason }: CallContext): ResponseMessage {
    const isLate = reason instanceof RpcTimeoutError
    return neverRanMessage(
      id,
      isLate ? ErrorCode.timedOut : ErrorCode.cancelled,
      isLate ? tooLate(method) : wasCancelled(method),
    )
  }

  /** @returns why a call can't be answered by its key, where it can't. */
  #whyKeyless({ method, rpc }: Incoming): string | undefined {
    if (rpc?.key === undefined) return undefined
    if (!isKey(rpc.key)) return `the key of ${quoted(method)} must be text of 1 to 256 characters`
    if (this.#host.answerKeyed) return undefined
    return `${quoted(method)} has a key, and no results are kept here (the endpoint's option idempotency)`
  }

  /** Runs the handler in a context of its own, which outlives this caller, or answers without it. */
  #answerKeyed(
    { method, params, rpc }: Incoming,
    caller: CallContext,
    prepared: Prepared,
  ): Promise<ResponseMessage> {
    const { answerKeyed } = this.#host
    const key = rpc?.key as string
    const runOnce = async (signal: AbortSignal): Promise<ResponseMessage> => {
      const own = new CallContext(method, caller.kind, this.#host)
      own.standInFor(caller)
      own.key = key
      const onAbort = () => own.abort(signal.reason)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        return this.#resultAnswer(own, await this.#run(prepared, own))
      } catch (thrown) {
        return this.#errorAnswer(thrown, own)
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    }
    const { identity, signal } = caller
    // That there is one was looked at before: see #whyKeyless.
    const answer = answerKeyed as AnswerKeyed
    const error = (thrown: unknown) => this.#host.error(thrown, incomingContext(caller, 'store'))
    const { owner } = this.#host
    return answer({ key, method, params, identity, owner, signal, run: runOnce, error })
  }

  /**
   * Finds what serves a call that may be made and is valid.
   *
   * @throws whatever says that it is not to run.
   */
  #prepare(
    incoming: Incoming,
    context: CallContext,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const { method } = incoming
    if (method === DISCOVER) {
      if (context.streams?.isTaken) throw notThisKind(method, false)
      return this.#discover()
    }
    const { localSide: side, authorize } = this.#host
    const definition = definitionOf(side, method)
    if (side && !definition) throw notFound(method)
    // Before the params are looked at: who may not call learns nothing of their schema.
    if (!authorize) return this.#validated(incoming, context, definition, sentAs)
    return after(settled(authorize(method, context)), (isAllowed) => {
      if (!isAllowed) throw notAllowed(method)
      return this.#validated(incoming, context, definition, sentAs)
    })
  }

  #validated(
    { method, params }: Incoming,
    context: CallContext,
    definition: Definition | undefined,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const isTaken = context.streams?.isTaken ?? false
    if (definition && isTaken !== (definition.kind === 'stream')) {
      throw notThisKind(method, !isTaken)
    }
    const valid = this.#validate(method, 'params', params, definition)
    return valid instanceof Promise
      ? valid.then((value) => this.#found(value, context, definition, sentAs))
      : this.#found(valid, context, definition, sentAs)
  }

  /** Looked up after the schema has answered: a handler may have come or gone meanwhile. */
  #found(
    params: unknown,
    context: CallContext,
    definition: Definition | undefined,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const { method } = context
    const fallback = definition ? undefined : this.#host.settings.fallback
    const handlers = this.#handlers.of(method)
    if (handlers.length > 0 || fallback) {
      return preparedOf(params, handlers, definition?.kind ?? sentAs, fallback)
    }
    return this.#handlers
      .awaited(method, () => context.signal)
      .then((there) => {
        if (there.length === 0) throw definition ? notMounted(method) : notFound(method)
        return preparedOf(params, there, definition?.kind ?? sentAs, undefined)
      })
  }

  /** What this caller may call, is what it is told of. */
  async #discover(): Promise<Prepared> {
    const { localSide: side, side: sideName, authorize } = this.#host
    const { discover } = this.#host.settings
    if (!discover) throw undiscoverable()
    this.#discoveries ??= new DiscoveryRate()
    this.#discoveries.take()
    const mayCall = (name: string) => {
      const kind = definitionOf(side, name)?.kind ?? 'method'
      return authorize?.(name, new CallContext(name, kind, this.#host)) ?? true
    }
    const names = await callableNames(side ? Object.keys(side) : this.#handlers.names, mayCall)
    return { params: undefined, serves: () => discover({ sideName, side, names }) }
  }

  /** Sends what a stream's handler gives; the answer ends it. */
  async #stream(context: CallContext, given: unknown): Promise<undefined> {
    const { method } = context
    if (!isSource(given)) {
      if (!this.#host.localSide) throw notThisKind(method, false)
      throw new TypeError(
        `${quoted(method)} is a stream: its handler must be an async generator, or give an iterable`,
      )
    }
    try {
      await context.streams?.send(given)
    } catch (thrown) {
      if (!context.isLeft) throw thrown
      // A caller that has left the stream does not need the error of a source that was told to stop.
      if (!isOfAbort(thrown, context.reason)) {
        this.#host.error(thrown, incomingContext(context, 'source'))
      }
    }
    if (context.aborted && !context.isLeft) throw context.reason
    return undefined
  }

  /** A caller said something more of a call. @returns how it breaks the protocol, where it does. */
  heard(word: string, params: unknown, bytes: number): string | undefined {
    return this.#streams.heard(word, params, bytes)
  }

  /**
   * As {@link heard}, of a message that was refused for this reason. @returns false if the message must be answered
   * with an error.
   */
  refusedWord(word: string, params: unknown, why: string): boolean {
    return this.#streams.refusedWord(word, params, why)
  }

  #runAll(
    handlers: readonly AnyHandler[],
    params: unknown,
    context: CallContext,
  ): MaybeAsync<unknown> {
    const [first] = handlers
    if (first && handlers.length === 1) return this.#runOne(first, params, context)
    const running = handlers.flatMap((handler) => this.#runOne(handler, params, context) ?? [])
    return running.length > 0 ? Promise.all(running) : undefined
  }

  /** One of several handlers of a notification: its failure is its own. */
  #runOne(
    handler: AnyHandler,
    params: unknown,
    context: CallContext,
  ): Promise<unknown> | undefined {
    try {
      const given = settled(handler(params, context))
      return given instanceof Promise
        ? given.catch((thrown) => this.#host.error(thrown, incomingContext(context, 'handler')))
        : undefined
    } catch (thrown) {
      this.#host.error(thrown, incomingContext(context, 'handler'))
      return undefined
    }
  }

  /** @throws {RpcError} where what a caller sent breaks its schema. */
  #validate(
    method: string,
    part: 'params' | 'input',
    value: unknown,
    definition = definitionOf(this.#host.localSide, method),
  ): MaybeAsync<unknown> {
    const schema = schemaOf(definition, part)
    // A method whose contract has no params takes none.
    if (!schema) return definition && part === 'params' ? undefined : value
    const verdict = validate(schema, value)
    if (verdict instanceof Promise) return verdict.then((told) => validOf(told, method, part))
    if ('value' in verdict) return verdict.value
    // One is enough: the caller may be a stranger, and each costs validations.
    const lost = lostKind(this.#host.settings.format, schema, value, verdict.issues.slice(0, 1))
    return validOf(verdict, method, part, lost)
  }

  /** @throws {RpcError} where the result is a stream, which nobody could know who called without a contract. */
  #resultAnswer(context: CallContext, result: unknown): ResponseMessage {
    const { id, method } = context
    if (context.isLeft) return cancelledMessage(id, method)
    if (!this.#host.localSide && isStream(result)) {
      guarded(
        () => result.return?.(undefined),
        (thrown) => this.#host.error(thrown, incomingContext(context, 'source')),
      )
      throw notThisKind(method, true)
    }
    return resultMessage(id, result)
  }

  #errorAnswer(thrown: unknown, context: CallContext): ErrorMessage {
    const told = toldError(thrown)
    const { code, message, data, ran }: ToldError = told ?? this.#failure(thrown, context)
    if (!told && !context.aborted) {
      this.#host.error(thrown, incomingContext(context, 'handler'))
    }
    return errorMessage(context.id, code, message, data, ran)
  }

  /** What a caller is told of what was not thrown to be told. */
  #failure(thrown: unknown, context: CallContext): ToldError {
    const { method } = context
    // The handler may notice before the timer here that the deadline has passed.
    if (!context.aborted && isOfDeadline(thrown, context.deadline)) context.expire()
    if (context.aborted) {
      return context.reason instanceof RpcTimeoutError
        ? { code: ErrorCode.timedOut, message: tookLonger(method), ran: null }
        : { code: ErrorCode.cancelled, message: wasCancelled(method), ran: null }
    }
    const detail = this.#host.settings.exposeErrors ? `: ${describeThrown(thrown)}` : ''
    return { code: ErrorCode.internal, message: `Internal error in ${quoted(method)}${detail}` }
  }
}

/** The answer of a call that had begun when its caller cancelled it. */
function cancelledMessage(id: MessageId, method: string): ErrorMessage {
  return errorMessage(id, ErrorCode.cancelled, wasCancelled(method), undefined, null)
}

/** The newest handler serves a method, or a stream; all of them hear a notification. */
function preparedOf(
  params: unknown,
  handlers: readonly AnyHandler[],
  kind: Kind,
  fallback: AnyHandler | undefined,
): Prepared {
  const newest = handlers.at(-1)
  if (!newest) return { params, serves: fallback as AnyHandler }
  return { params, serves: kind === 'notification' ? handlers : newest }
}

/** @throws {RpcError} with what the schema complains of. */
function validOf(
  verdict: Verdict,
  method: string,
  part: 'params' | 'input',
  lost?: string,
): unknown {
  if ('value' in verdict) return verdict.value
  const { issues } = verdict
  const why = lost === undefined ? '' : `. ${lost}`
  const message = `Invalid ${part} for ${quoted(method)}: ${formatIssues(issues)}${why}`
  throw new RpcError(ErrorCode.invalidParams, message, { issues }, { method })
}

/** At which point a notification failed whose handler was not called. */
function phaseOf(thrown: unknown): ErrorPhase {
  const code = toldError(thrown)?.code
  if (code === undefined) return 'handler'
  return code === ErrorCode.invalidParams ? 'params' : 'refused'
}

/** Records that a call runs, until it has ended. */
function served<T>(context: CallContext, end: Promise<T>): Promise<T> {
  const ended = end.finally(() => (context.served = undefined))
  context.served = ended
  return ended
}

function isStream(result: unknown): result is AsyncGenerator {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
