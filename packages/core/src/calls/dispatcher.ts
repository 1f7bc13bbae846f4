import { guarded } from '../base/guarded.js'
import { after, type MaybeAsync, settled } from '../base/maybe-async.js'
import type { Definition } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { describeThrown, ErrorCode, RpcError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
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
import type { WeightSource } from '../wire/weight.js'
import { CallContext } from './call-context.js'
import type { ChannelContext } from './channel-context.js'
import type { ExposedHandlers } from './exposed-handlers.js'
import type { Around, FeatureTable, OwnRequest, ReceivedRequest } from './feature.js'
import type { HandlerContext } from './functions.js'
import type { AnyHandler } from './handler.js'
import type { Incoming } from './incoming.js'
import {
  type ErrorForCaller,
  errorForCaller,
  isOfDeadline,
  notAllowed,
  notFound,
  notMounted,
  notThisKind,
  tookLonger,
  tooLate,
  wasCancelled,
} from './refusals.js'
import { RunningCalls } from './running-calls.js'
import { validated } from './validated.js'

type Kind = HandlerContext['kind']

/** The validated params of a call that is allowed, and the handlers that serve it. */
interface Prepared {
  readonly params: unknown
  /** One handler, which gives the result of the call, or all handlers of a notification. */
  readonly serves: AnyHandler | readonly AnyHandler[]
}

/** Decides for each call whether it may run. */
export type Authorize = (method: string, context: HandlerContext) => boolean | Promise<boolean>

/**
 * Runs the methods of this side: finds the handlers, validates the params, runs the handlers, and makes the answers.
 *
 * Several handlers may be exposed under one name: a method goes to the newest of them, a notification to all. Calls run
 * concurrently; none waits for another.
 */
export class Dispatcher {
  readonly #channel: ChannelContext
  readonly #features: FeatureTable
  readonly #handlers: ExposedHandlers
  readonly #authorize: Authorize | undefined
  /** Set if calls go through middleware. */
  readonly #around: Around | undefined
  /** Called when a call or a notification has ended, while somebody waits for that. */
  onRan: (() => void) | undefined
  /** The innermost call that is being started in this turn. */
  #inTurn: CallContext | undefined
  /** The calls that run beyond their first turn; made for the first of them. */
  #running: RunningCalls | undefined

  /** @param authorize decides whether a call may run; without it, all may. */
  constructor(
    channel: ChannelContext,
    features: FeatureTable,
    handlers: ExposedHandlers,
    authorize: Authorize | undefined,
  ) {
    this.#channel = channel
    this.#features = features
    this.#handlers = handlers
    this.#authorize = authorize
    this.#around = channel.kind.settings.use && features.around
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

  /**
   * Runs a request and answers it, in the same turn if its handler returns in it. Never throws or rejects.
   *
   * @returns its answer; `undefined` if {@link cancel} has already answered it.
   */
  request(
    id: MessageId,
    incoming: Incoming,
    weightSource: WeightSource,
  ): MaybeAsync<ResponseMessage | undefined> {
    const { method, rpc } = incoming
    const running = this.#running
    if (running !== undefined && running.size > 0) {
      if (id !== null && running.has(id)) {
        const reason = `a call with the id ${JSON.stringify(id)} is still running`
        return invalidRequestMessage(id, reason)
      }
      const full = this.#whyFull(running, method, weightSource)
      if (full) return neverRanMessage(id, ErrorCode.overloaded, full)
    }
    const refusal = rpc && this.#refusalOf({ method, params: incoming.params, rpc, id }, rpc)
    if (refusal) return refusal
    const kind = rpc?.credit === undefined ? 'method' : 'stream'
    const context = new CallContext(method, kind, this.#channel, id)
    if (rpc) this.#takeExtras(incoming, context, rpc)
    let answer: MaybeAsync<ResponseMessage>
    const outer = this.#inTurn
    context.outer = outer
    this.#inTurn = context
    try {
      const around = this.#around
      answer = around
        ? this.#serveThrough(around, incoming, context)
        : this.#serve(incoming, context)
    } catch (thrown) {
      answer = this.#errorAnswer(thrown, context)
    }
    // The call around this one in this turn goes on.
    this.#inTurn = outer
    // A call that ends in its first turn, as most do, never enters RunningCalls.
    if (!(answer instanceof Promise)) {
      context.end()
      this.onRan?.()
      return answer
    }
    this.#goesOn(context, weightSource)
    return this.#answered(answer, context)
  }

  /** @returns the answer of a request, if its extras are wrong or prevent it from starting. */
  #refusalOf(request: ReceivedRequest, rpc: Extras): ErrorMessage | undefined {
    const { extras } = this.#features
    for (const name in rpc) {
      const extra = extras.get(name)
      const wrong = extra ? extra.whyWrong?.(rpc[name], request) : whyNotUnderstood(name, request)
      if (wrong) return neverRanMessage(request.id, ErrorCode.invalidRequest, wrong)
    }
    for (const name in rpc) {
      const refusal = extras.get(name)?.refuse?.(rpc[name], request)
      if (refusal) return refusal
    }
    return undefined
  }

  #takeExtras(incoming: Incoming, context: CallContext, rpc: Extras): void {
    const { extras } = this.#features
    const isNotification = context.kind === 'notification'
    for (const name in rpc) {
      const extra = extras.get(name)
      if (extra && !(isNotification && !extra.isForNotifications)) {
        extra.take?.(this.#channel, context, rpc[name], incoming)
      }
    }
  }

  #answered(
    answer: Promise<ResponseMessage>,
    context: CallContext,
  ): Promise<ResponseMessage | undefined> {
    return answer.then(
      (given) => {
        this.#ended(context)
        return context.isAnswered ? undefined : given
      },
      (thrown) => {
        try {
          const answer = this.#errorAnswer(thrown, context)
          return context.isAnswered ? undefined : answer
        } finally {
          this.#ended(context)
        }
      },
    )
  }

  #ended(context: CallContext): void {
    context.end()
    const { served } = context
    if (served) this.#leaveAfter(served, context)
    else this.#leave(context)
  }

  /** The middleware did not wait for the handler. The call keeps its place until the handler has ended. */
  #leaveAfter(served: Promise<unknown>, context: CallContext): void {
    this.#running?.answered(context)
    const leave = () => this.#leave(context)
    served.then(leave, leave)
  }

  #leave(context: CallContext): void {
    this.#running?.leave(context)
    this.onRan?.()
  }

  /** The call has not ended in its first turn. */
  #goesOn(context: CallContext, { weight }: WeightSource): void {
    this.#running ??= new RunningCalls()
    context.weight = weight
    this.#running.add(context)
  }

  /** Runs a notification. Never throws: failures go to `onError`. */
  notification(incoming: Incoming, weightSource: WeightSource): void {
    const running = this.#running
    const full = running && this.#whyFull(running, incoming.method, weightSource)
    if (full) return this.#drop(incoming, new RpcError(ErrorCode.overloaded, full))
    const { method, rpc } = incoming
    const wrong = rpc && this.#whyWrong(incoming, rpc)
    if (wrong) return this.#drop(incoming, new RpcError(ErrorCode.invalidRequest, wrong))
    const context = new CallContext(method, 'notification', this.#channel)
    if (rpc) this.#takeExtras(incoming, context, rpc)
    let handled: MaybeAsync<unknown>
    const outer = this.#inTurn
    context.outer = outer
    this.#inTurn = context
    try {
      const around = this.#around
      handled = around
        ? this.#runNotificationThrough(around, incoming, context)
        : this.#runNotification(incoming, context)
    } catch (thrown) {
      this.#notificationFailed(thrown, context)
    }
    this.#inTurn = outer
    if (!(handled instanceof Promise)) return context.end()
    this.#goesOn(context, weightSource)
    this.#notificationGoesOn(handled, context)
  }

  #notificationGoesOn(handled: Promise<unknown>, context: CallContext): void {
    handled
      .catch((thrown) => this.#notificationFailed(thrown, context))
      .finally(() => this.#ended(context))
  }

  /** @returns what is wrong with the extras of a notification. */
  #whyWrong({ method, params }: Incoming, rpc: Extras): string | undefined {
    for (const name in rpc) {
      const extra = this.#features.extras.get(name)
      if (!extra?.isForNotifications) continue
      const wrong = extra.whyWrong?.(rpc[name], { method, params, rpc, id: null })
      if (wrong) return wrong
    }
    return undefined
  }

  /** A notification is dropped before it has a context. */
  #drop({ method }: Incoming, error: RpcError): void {
    this.#channel.error(error, incomingContext({ method, kind: 'notification' }, 'refused'))
  }

  /** Reports that a notification was dropped, or that its handler has failed. */
  #notificationFailed(thrown: unknown, context: CallContext): void {
    this.#channel.error(
      thrown,
      incomingContext(context, context.isBegun ? 'handler' : phaseOf(thrown)),
    )
  }

  #runNotification(incoming: Incoming, context: CallContext): MaybeAsync<unknown> {
    const prepared = this.#prepare(incoming, context, 'notification')
    return prepared instanceof Promise
      ? this.#runNotificationLater(prepared, context)
      : this.#runPrepared(prepared, context)
  }

  #runNotificationLater(prepared: Promise<Prepared>, context: CallContext): Promise<unknown> {
    return prepared.then((ready) => this.#runPrepared(ready, context))
  }

  #runPrepared(prepared: Prepared, context: CallContext): MaybeAsync<unknown> {
    context.isBegun = true
    return this.#run(prepared, context)
  }

  #runNotificationThrough(
    around: Around,
    incoming: Incoming,
    context: CallContext,
  ): Promise<unknown> {
    return around.runNotification(this.#channel, context, incoming.params, {
      run: () => this.#runNotification(incoming, context),
      failure: (thrown) => this.#failure(thrown, context),
    })
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

  /** How much memory the running calls take, in bytes. */
  get runningBytes(): number {
    return this.#running?.bytes ?? 0
  }

  /** @returns why one more call may not run; `undefined` if it may. */
  #whyFull(
    { size, bytes }: RunningCalls,
    method: string,
    weightSource: WeightSource,
  ): string | undefined {
    const { running, runningBytes } = this.#channel.kind.settings.limits
    if (size >= running) {
      return `${quoted(method)} was not run: ${size} calls of this caller run already, which is the most (limits.running). A cancelled call counts until its handler has ended`
    }
    if (bytes === 0 || bytes + weightSource.weight <= runningBytes) return undefined
    return `${quoted(method)} was not run: calls of this caller that run take ${Math.round(bytes)} bytes, and with it they would take more than ${runningBytes} (limits.runningBytes)`
  }

  /** @throws the reason why the call has no result. */
  #serve(incoming: Incoming, context: CallContext): MaybeAsync<ResponseMessage> {
    const prepared = this.#prepare(incoming, context, 'method')
    return prepared instanceof Promise
      ? this.#serveLater(context, prepared)
      : this.#serveReady(context, prepared)
  }

  // What is rare or comes later has functions of its own here: whatever has closures makes an object for them each time
  // it runs.

  #serveLater(context: CallContext, prepared: Promise<Prepared>): Promise<ResponseMessage> {
    return prepared.then((ready) => this.#serveReady(context, ready))
  }

  #serveReady(context: CallContext, prepared: Prepared): MaybeAsync<ResponseMessage> {
    // Nobody waits for the call any more, so its handler is not called.
    if (context.aborted) return this.#neverBegan(context)
    context.isBegun = true
    if (context.serveBy) return this.#serveBy(context.serveBy, prepared)
    const result = this.#run(prepared, context)
    return result instanceof Promise
      ? this.#answerLater(context, result)
      : this.#resultAnswer(context, result)
  }

  #serveBy(
    serveBy: NonNullable<CallContext['serveBy']>,
    prepared: Prepared,
  ): Promise<ResponseMessage> {
    return serveBy((own) => this.#runIn(own, prepared))
  }

  #answerLater(context: CallContext, result: Promise<unknown>): Promise<ResponseMessage> {
    return result.then((given) => this.#resultAnswer(context, given))
  }

  /** Runs a call in a context other than that of its caller. Never rejects. */
  async #runIn(own: CallContext, prepared: Prepared): Promise<ResponseMessage> {
    try {
      return this.#resultAnswer(own, await this.#run(prepared, own))
    } catch (thrown) {
      return this.#errorAnswer(thrown, own)
    }
  }

  /** Runs the handlers of a call in a context. */
  #run({ params, serves }: Prepared, context: CallContext): MaybeAsync<unknown> {
    if (typeof serves !== 'function') return this.#runAll(serves, params, context)
    const given = settled(serves(params, context))
    const { finish } = context
    return finish ? Promise.resolve(given).then(finish) : given
  }

  #serveThrough(
    around: Around,
    incoming: Incoming,
    context: CallContext,
  ): Promise<ResponseMessage> {
    return around.serve(this.#channel, context, incoming.params, {
      serve: () => this.#serve(incoming, context),
      answer: (result) => this.#resultAnswer(context, result),
      failure: (thrown) => this.#failure(thrown, context),
    })
  }

  #neverBegan({ id, method, reason }: CallContext): ResponseMessage {
    const isLate = reason instanceof RpcTimeoutError
    return neverRanMessage(
      id,
      isLate ? ErrorCode.timedOut : ErrorCode.cancelled,
      isLate ? tooLate(method) : wasCancelled(method),
    )
  }

  /**
   * Finds the handlers of a call that is allowed and valid.
   *
   * @throws the reason why it must not run.
   */
  #prepare(
    incoming: Incoming,
    context: CallContext,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const { method } = incoming
    const request = this.#features.requests.get(method)
    if (request) {
      if (context.kind !== request.kind) throw notThisKind(method, request.kind === 'stream')
      return this.#serveOwn(request, incoming.params)
    }
    const { localSide: side } = this.#channel.kind
    const authorize = this.#authorize
    const definition = definitionOf(side, method)
    if (side && !definition) throw notFound(method)
    // Authorize before the params are validated: a caller that may not call learns nothing about their schema.
    if (!authorize) return this.#validated(incoming, context, definition, sentAs)
    return this.#authorized(authorize, incoming, context, definition, sentAs)
  }

  #authorized(
    authorize: Authorize,
    incoming: Incoming,
    context: CallContext,
    definition: Definition | undefined,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const { method } = incoming
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
    const isTaken = context.kind === 'stream'
    if (definition && isTaken !== (definition.kind === 'stream')) {
      throw notThisKind(method, !isTaken)
    }
    const valid = validated(this.#channel.kind, method, 'params', params, definition)
    return valid instanceof Promise
      ? this.#foundLater(valid, context, definition, sentAs)
      : this.#found(valid, context, definition, sentAs)
  }

  #foundLater(
    valid: Promise<unknown>,
    context: CallContext,
    definition: Definition | undefined,
    sentAs: 'method' | 'notification',
  ): Promise<Prepared> {
    return valid.then((value) => this.#found(value, context, definition, sentAs))
  }

  /** Finds the handlers after validation: a handler may have been added or removed meanwhile. */
  #found(
    params: unknown,
    context: CallContext,
    definition: Definition | undefined,
    sentAs: 'method' | 'notification',
  ): MaybeAsync<Prepared> {
    const { method } = context
    const kind = definition?.kind ?? sentAs
    const handlers = this.#handlers.byName.get(method)
    if (handlers) return { params, serves: servingOf(handlers, kind) }
    const { fallback } = this.#channel.kind.settings
    if (!definition && fallback) return { params, serves: fallback }
    return this.#awaited(params, context, definition, kind)
  }

  #awaited(
    params: unknown,
    context: CallContext,
    definition: Definition | undefined,
    kind: Kind,
  ): Promise<Prepared> {
    const { method } = context
    return this.#handlers
      .awaited(method, () => context.signal)
      .then((there) => {
        if (there.length === 0) throw definition ? notMounted(method) : notFound(method)
        return { params, serves: servingOf(there, kind) }
      })
  }

  /** Answers a request of the protocol's own. */
  async #serveOwn(request: OwnRequest, params: unknown): Promise<Prepared> {
    const { localSide: side } = this.#channel.kind
    const mayCall = (name: string) => {
      const kind = definitionOf(side, name)?.kind ?? 'method'
      return this.#authorize?.(name, new CallContext(name, kind, this.#channel)) ?? true
    }
    const names = side ? Object.keys(side) : this.#handlers.names
    return { params, serves: await request.handler(this.#channel, names, mayCall) }
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

  /** Runs one of several handlers of a notification. The failure of one does not affect the others. */
  #runOne(
    handler: AnyHandler,
    params: unknown,
    context: CallContext,
  ): Promise<unknown> | undefined {
    try {
      const given = settled(handler(params, context))
      return given instanceof Promise
        ? given.catch((thrown) => this.#channel.error(thrown, incomingContext(context, 'handler')))
        : undefined
    } catch (thrown) {
      this.#channel.error(thrown, incomingContext(context, 'handler'))
      return undefined
    }
  }

  /**
   * @throws {RpcError} if the result is a stream and the method was called as a method, which can happen without a
   *   contract.
   */
  #resultAnswer(context: CallContext, result: unknown): ResponseMessage {
    const { id, method } = context
    if (context.aborted && context.isLeft) return cancelledMessage(id, method)
    if (!this.#channel.kind.localSide && isStream(result)) {
      this.#release(result, context)
      throw notThisKind(method, true)
    }
    return resultMessage(id, result)
  }

  /** Tells a stream that nobody takes its items. */
  #release(stream: AsyncGenerator, context: CallContext): void {
    guarded(
      () => stream.return?.(undefined),
      (thrown) => this.#channel.error(thrown, incomingContext(context, 'source')),
    )
  }

  #errorAnswer(thrown: unknown, context: CallContext): ErrorMessage {
    const meant = errorForCaller(thrown)
    const { code, message, data, ran }: ErrorForCaller = meant ?? this.#failure(thrown, context)
    if (!meant && !context.aborted) {
      this.#channel.error(thrown, incomingContext(context, 'handler'))
    }
    return errorMessage(context.id, code, message, data, ran)
  }

  /** The error for the caller, if a handler threw something that was not meant for the caller. */
  #failure(thrown: unknown, context: CallContext): ErrorForCaller {
    const { method } = context
    // The handler may notice before the timer here that the deadline has passed.
    if (!context.aborted && isOfDeadline(thrown, context.deadline)) context.expire()
    if (context.aborted) {
      return context.reason instanceof RpcTimeoutError
        ? { code: ErrorCode.timedOut, message: tookLonger(method), ran: null }
        : { code: ErrorCode.cancelled, message: wasCancelled(method), ran: null }
    }
    const detail = this.#channel.kind.settings.exposeErrors ? `: ${describeThrown(thrown)}` : ''
    return { code: ErrorCode.internal, message: `Internal error in ${quoted(method)}${detail}` }
  }
}

/** The answer of a call that had begun when its caller cancelled it. */
function cancelledMessage(id: MessageId, method: string): ErrorMessage {
  return errorMessage(id, ErrorCode.cancelled, wasCancelled(method), undefined, null)
}

/** The newest handler serves a method or a stream; all handlers receive a notification. */
function servingOf(handlers: readonly AnyHandler[], kind: Kind): Prepared['serves'] {
  return kind === 'notification' ? handlers : (handlers.at(-1) as AnyHandler)
}

/** The phase in which a notification failed, if its handler was not called. */
function phaseOf(thrown: unknown): ErrorPhase {
  const code = errorForCaller(thrown)?.code
  if (code === undefined) return 'handler'
  return code === ErrorCode.invalidParams ? 'params' : 'refused'
}

function isStream(result: unknown): result is AsyncGenerator {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}

type Extras = NonNullable<Incoming['rpc']>

/** Extras that change what a request asks for: a side that does not understand one must not run the request. */
const MUST_BE_UNDERSTOOD: ReadonlySet<string> = new Set(['credit', 'input', 'key', 'bytes'])

/** @returns why a request with such an extra can't be served here; undefined if it need not be understood. */
function whyNotUnderstood(name: string, { method }: Incoming): string | undefined {
  if (!MUST_BE_UNDERSTOOD.has(name)) return undefined
  const what =
    name === 'key'
      ? 'a key, and keys()'
      : name === 'bytes'
        ? 'bytes, and bytes()'
        : 'a stream, and streams()'
  return `${quoted(method)} has ${what} is not among the features here`
}
