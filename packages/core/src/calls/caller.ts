import type { MaybeAsync } from '../base/maybe-async.js'
import type { Definition } from '../contract/contract.js'
import { definitionOf, schemaOf } from '../contract/definition.js'
import {
  describeThrown,
  RpcConfigError,
  type RpcError,
  RpcProtocolError,
  RpcValidationError,
} from '../errors/errors.js'
import { kindOf } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import type { Answer, MessageLink } from '../link/message-link.js'
import { type ErrorContext, outgoingContext } from '../logging/error-context.js'
import { type Encoded, encode, keep, type Unsendable } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { NotificationMessage, RequestMessage } from '../wire/message.js'
import { datesMade } from '../wire/to-json-method.js'
import { answeredError } from './answered-error.js'
import { assertCallOption, missing } from './assert-features.js'
import { disconnectedError, type Refusal, unsendableError } from './call-errors.js'
import { assertCallOptions } from './call-options.js'
import { timeOf } from './call-time.js'
import type { ChannelContext } from './channel-context.js'
import { checkResult } from './check-result.js'
import { type CallTrace, type Diagnostics, type Entry, TRACE } from './diagnostics.js'
import type { CallSender, FeatureTable, NeededOption } from './feature.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'
import type { EncodedCall, Outgoing } from './outbox.js'
import type { CallKind, CallPart, PendingCall } from './pending-call.js'
import type { PendingCalls } from './pending-calls.js'
import type { RemoteCalls } from './remote.js'
import type { SharedNotification } from './shared-notification.js'

/** The requests of the protocol's own that an application can make. They are in no contract. */
const OWN_REQUEST = /^rpc\.(?:discover|members)$/

/** Calls the other side: turns calls into messages, and answers into the results of the calls. */
export class Caller implements CallSender, RemoteCalls {
  readonly #channel: ChannelContext
  readonly #features: FeatureTable
  readonly #calls: PendingCalls

  constructor(channel: ChannelContext, features: FeatureTable) {
    this.#channel = channel
    this.#features = features
    this.#calls = channel.calls
  }

  /** @param entry the function that the application has called. */
  call(
    method: string,
    params: unknown,
    options: SendOptions = NO_OPTIONS,
    entry?: Entry,
  ): Promise<unknown> {
    const { use, traceCalls } = this.#channel.kind.settings
    const trace = traceCalls ? this.#traceOf(options, entry) : undefined
    if (use) return this.#callThrough(method, params, options, trace)
    try {
      return this.request(this.open(method, options, 'method', trace), params)
    } catch (thrown) {
      return Promise.reject(thrown)
    }
  }

  async #callThrough(
    method: string,
    params: unknown,
    options: SendOptions,
    trace: CallTrace | undefined,
  ): Promise<unknown> {
    const call = this.open(method, options, 'method', trace)
    return this.pass(call, params, options, () => this.request(call, params))
  }

  /** The items of a call. The call begins when the first item is asked for. */
  stream(
    method: string,
    params: unknown,
    options: SendOptions = NO_OPTIONS,
    entry?: Entry,
  ): RpcStream<unknown> {
    const { traceCalls } = this.#channel.kind.settings
    const trace = traceCalls ? this.#traceOf(options, entry) : undefined
    const { stream } = this.#features
    if (!stream) throw missing(method, 'is called as a stream', 'streams')
    return stream(this.#channel, this, { method, params, options, trace })
  }

  /** The place where a call is made. If a client makes a call later, for another client, its options have the place. */
  #traceOf(options: SendOptions, entry: Entry | undefined): CallTrace | undefined {
    const { diagnostics } = this.#channel.kind.settings
    return (options as { [TRACE]?: CallTrace } | null)?.[TRACE] ?? diagnostics?.trace(entry)
  }

  pass(
    call: PendingCall,
    params: unknown,
    { signal }: SendOptions,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    const { around } = this.#features
    if (!(around && this.#channel.kind.settings.use)) return send()
    const calls = this.#calls
    return around.send(this.#channel, {
      call,
      params,
      signal,
      isOpen: () => calls.has(call),
      send,
      drop: () => calls.take(call.id)?.resolve(undefined),
      fail: (error) => this.fail(call, error as RpcError),
    })
  }

  request(call: PendingCall, params: unknown): Promise<unknown> {
    const { id, method, promise } = call
    const message: RequestMessage = { jsonrpc: '2.0', id, method }
    if (call.extras || call.computedExtras) this.#addExtras(message, call)
    this.#encodeAndSend(message, params, call)
    return promise
  }

  /** Adds the extras of the call to its message. */
  #addExtras(message: RequestMessage | NotificationMessage, call: PendingCall): void {
    const { extras, computedExtras } = call
    const { mayBeExtended, kind } = this.#channel
    const rpc = computedExtras
      ? computedExtras.extrasOf(call, kind.settings.format, mayBeExtended)
      : extras
    if (rpc) message.rpc = rpc
  }

  /**
   * Resolves when the notification has been handed to the link. If it goes to many targets, it also resolves when it is
   * kept for a slow one.
   */
  notify(
    method: string,
    params: unknown,
    options: CallOptions = NO_OPTIONS,
    entry?: Entry,
    shared?: SharedNotification,
  ): Promise<void> {
    const { traceCalls } = this.#channel.kind.settings
    const trace = traceCalls ? this.#traceOf(options, entry) : undefined
    const written = this.#notify(method, params, options, shared, trace)
    // The application need not await a notification, so its failure must not become an unhandled rejection.
    written.catch((error: unknown) => this.#channel.error(error, notSentContext(method)))
    return written
  }

  async #notify(
    method: string,
    params: unknown,
    options: CallOptions,
    shared: SharedNotification | undefined,
    trace: CallTrace | undefined,
  ): Promise<void> {
    const calls = this.#calls
    const call = this.open(method, options, 'notification', trace)
    const { promise } = call
    await this.pass(call, params, options, () => {
      this.#sendNotification(call, params, shared)
      if (!shared || !calls.has(call)) return promise
      // Nobody waits for one slow target: its message is already in the queue.
      promise.catch((error: unknown) => this.#channel.error(error, notSentContext(method)))
      return KEPT
    })
    // Middleware may not wait for it.
    if (!shared && calls.has(call)) await promise
  }

  #sendNotification(
    call: PendingCall,
    params: unknown,
    shared: SharedNotification | undefined,
  ): void {
    const message: NotificationMessage = { jsonrpc: '2.0', method: call.method }
    // It has no deadline: nobody waits for its answer.
    if (call.computedExtras) this.#addExtras(message, call)
    this.#encodeAndSend(message, params, call, call.computedExtras ? undefined : shared)
  }

  open(
    method: string,
    options: SendOptions,
    kind: CallKind,
    trace: CallTrace | undefined,
  ): PendingCall {
    try {
      if (typeof method !== 'string') {
        throw new RpcConfigError(`A method's name is a string, not ${kindOf(method)}`)
      }
      const { remoteSide, settings } = this.#channel.kind
      const definition = definitionOf(remoteSide, method)
      if (remoteSide && !definition && !OWN_REQUEST.test(method)) {
        const instead = settings.diagnostics?.insteadOf(method, remoteSide)
        throw new RpcConfigError(
          `Unknown method ${quoted(method)}: the other side of the contract ${instead ?? 'has no such method'}`,
          { method },
        )
      }
      const { neededOptions } = this.#features
      for (let at = 0; at < neededOptions.length; at++) {
        const { name, part, error } = neededOptions[at] as NeededOption
        const isMissing = options?.[name as keyof SendOptions] === undefined
        if (isMissing && schemaOf(definition, part)) throw error(method)
      }
      const call =
        options === NO_OPTIONS && kind !== 'stream'
          ? this.#calls.open(method, NO_OPTIONS, kind, definition, undefined)
          : this.#openWith(options, method, kind, definition)
      if (trace) call.trace = trace
      const { timeout = settings.timeout } = options
      if (kind === 'method' && typeof timeout === 'object' && Number.isFinite(timeout.idle)) {
        this.#features.showSigns?.(this.#channel, call)
      }
      return call
    } catch (thrown) {
      this.release(method, options, kind)
      trace?.show(thrown)
      throw thrown
    }
  }

  /** Opens a call that has options, or a stream, whose time limits are not those of the channel. */
  #openWith(
    options: SendOptions,
    method: string,
    kind: CallKind,
    definition: Definition | undefined,
  ): PendingCall {
    const { timeout, diagnostics } = this.#channel.kind.settings
    const nearest = diagnostics?.nearest
    const { callOptions, deadlines } = this.#features
    assertCallOptions(method, options, nearest, callOptions)
    for (const [name, value] of Object.entries(options)) {
      const option = callOptions.get(name)
      if (option) option.check?.({ method, kind, definition, options, value })
      else if (value !== undefined) assertCallOption(method, name)
    }
    const time = timeOf(method, options, timeout, kind, deadlines?.of, nearest)
    const call = this.#calls.open(method, options, kind, definition, time)
    if (call.deadline !== undefined) deadlines?.tell(call, call.deadline)
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) callOptions.get(name)?.open?.(this.#channel, call, value as never)
    }
    return call
  }

  release(method: string, options: SendOptions, kind: CallKind): void {
    const { callOptions } = this.#features
    for (const [name, value] of Object.entries(options ?? {})) {
      const request = { method, kind, value, options, definition: undefined }
      callOptions.get(name)?.release?.(this.#channel, request)
    }
  }

  /** Encodes the message at once, so that later changes to the params have no effect, and sends it when possible. */
  #encodeAndSend(
    message: RequestMessage | NotificationMessage,
    params: unknown,
    call: PendingCall,
    shared?: SharedNotification,
  ): void {
    const { refusal } = this.#channel
    if (refusal) return this.fail(call, disconnectedError(call, refusal))
    const { format, diagnostics } = this.#channel.kind.settings
    let encoded: Encoded
    try {
      if (params !== undefined) {
        if (typeof params !== 'object' || params === null) {
          throw new TypeError(
            'params are one object of named params. Put them in braces: { name: value }',
          )
        }
        message.params = params
      }
      const before = datesMade.count
      encoded = shared ? shared.encode(format) : encode(format, message)
      if (datesMade.count !== before && !shared) {
        diagnostics?.assertDatesArrive(call.definition, params)
      }
    } catch (thrown) {
      return this.fail(call, unencodable(call, format, diagnostics, thrown))
    }
    // A server that is leaving gives calls back, and they are sent again.
    if (typeof encoded !== 'string' && this.#channel.kind.outlivesLinks) keep(encoded, call)
    call.encoded = encoded
    try {
      this.#channel.send(call as EncodedCall)
    } catch (error) {
      this.fail(call, error as RpcError)
    }
    this.#channel.change()
  }

  /** A message was handed to the link. */
  written(call: EncodedCall, link: MessageLink): void {
    if (call.kind !== 'notification') {
      call.repeat?.sentTo(link)
      this.#calls.wrote(call)
    } else this.#calls.take(call.id)?.resolve(undefined)
  }

  /** A message can't be sent, because this other side can't accept it. */
  unsendable(outgoing: Outgoing, why: Unsendable | RpcError, { peer }: MessageLink): void {
    if (outgoing.kind === 'reply') {
      // When this answer was queued, the other side accepted it. The limits have changed since.
      const error = unsendableError('An answer', why as Unsendable, peer)
      return this.#channel.error(error, { phase: 'answer', direction: 'in' })
    }
    if (outgoing.uncertain) {
      const message = 'the server that is connected now does not know its outcome'
      this.fail(outgoing, disconnectedError(outgoing, { message }))
    } else {
      const { method } = outgoing
      this.fail(outgoing, why instanceof Error ? why : unsendableError(method, why, peer))
    }
  }

  fail(call: PendingCall, error: RpcError): void {
    this.#calls.take(call.id)?.reject(error)
  }

  // ── Answers ───────────────────────────────────────────────────────────────────────────────────

  /** @returns whether it has ended a call of this side. */
  answered(answer: Answer): boolean {
    const call = this.#calls.awaited(answer.id)
    if (!call) {
      // A late answer, or a second one, belongs to no call; an error without an id is about a frame of this side.
      if (answer.kind === 'error' && answer.id === null) {
        this.#channel.error(
          new RpcProtocolError(
            `The other side could not read a message: ${quoted(answer.error.message)} (${answer.error.code})`,
          ),
          { phase: 'frame', direction: 'out' },
        )
      }
      return false
    }
    if (answer.kind === 'result') this.#resolveWith(call, answer.result)
    else {
      this.#takeOut(call)
      const { method } = call
      if (answer.kind === 'error') call.rejectWithAnswer(answeredError(call, answer))
      else {
        const why = `The answer to "${method}" breaks JSON-RPC 2.0: ${answer.reason}`
        call.reject(new RpcProtocolError(why, { method }))
      }
    }
    return true
  }

  /** Ends a call with its result, as its schema makes it, after all progress was reported. */
  #resolveWith(call: PendingCall, result: unknown): void {
    let verdict: MaybeAsync<unknown>
    try {
      const { parts } = call
      verdict = parts ? this.#verdictAfter(parts, call, result) : this.#verdictOn(call, result)
    } catch (error) {
      this.#takeOut(call)
      return call.reject(error as RpcError)
    }
    if (verdict instanceof Promise) return this.#awaitVerdict(call, verdict)
    this.#takeOut(call)
    call.resolve(verdict)
  }

  #verdictAfter(
    parts: readonly CallPart[],
    call: PendingCall,
    result: unknown,
  ): MaybeAsync<unknown> {
    const check = () => this.#verdictOn(call, result)
    for (const part of parts) {
      if (part.beforeResult) return part.beforeResult().then(check)
    }
    return check()
  }

  /** @throws {RpcValidationError} if the result breaks its schema. */
  #verdictOn({ definition, method, kind }: PendingCall, result: unknown): MaybeAsync<unknown> {
    // A stream has no result.
    if (kind === 'stream') return result
    return checkResult(definition, method, 'result', result, this.#channel.kind)
  }

  /**
   * The call has its answer, but the result is still being validated. Its timer keeps running; further messages about
   * it are ignored.
   */
  #awaitVerdict(call: PendingCall, verdict: Promise<unknown>): void {
    this.#calls.markUncertain(call)
    this.#channel.change()
    verdict.then(
      (value) => this.#calls.take(call.id)?.resolve(value),
      (error: RpcError) => this.fail(call, error),
    )
  }

  /**
   * Removes a call that has its answer, before the promise is settled, so that the counts are right when the caller
   * reads them.
   */
  #takeOut(call: PendingCall): void {
    this.#calls.takeOut(call)
    this.#channel.change()
  }

  // ── Calls without an answer ───────────────────────────────────────────────────────────────────

  /** Whether a message that was written, but that the other side has not received, must be sent again. */
  isWanted(outgoing: Outgoing): outgoing is EncodedCall {
    if (outgoing.kind === 'reply') return false
    if (outgoing.kind === 'notification') return true
    return outgoing.state === 'written' && this.#calls.has(outgoing)
  }

  /** A call that was written is known not to have been received. */
  returned(call: PendingCall): void {
    this.#calls.returned(call)
  }

  /**
   * Rejects the calls that were written: the other side that had them will not answer any more.
   *
   * @param mayGoAgain called for each call with a key, which is safe to send again.
   * @returns the messages of the calls that may be sent again.
   */
  lose(why: Refusal, mayGoAgain: () => boolean): readonly Outgoing[] {
    const again = this.#channel.refusal
      ? []
      : this.#calls.written.filter(mayRepeat).filter(mayGoAgain)
    for (const call of again) this.#calls.markUncertain(call)
    this.#calls.rejectAll(
      (call) => call.state === 'written',
      (call) => disconnectedError(call, why),
    )
    return again.filter((call): call is EncodedCall => call.encoded !== undefined)
  }

  /**
   * Rejects all calls that were not written; later calls are rejected, too.
   *
   * @param remove called with each of these calls.
   */
  refuse(refusal: Refusal, remove: (call: PendingCall) => void): void {
    this.#calls.rejectAll(
      (call) => call.state !== 'written',
      (call) => {
        remove(call)
        return disconnectedError(call, refusal)
      },
    )
    this.#calls.rest()
  }
}

/** The error of a call whose params can't be sent. */
export function unencodable(
  { method }: Pick<PendingCall, 'method'>,
  format: Format,
  diagnostics: Diagnostics | undefined,
  thrown: unknown,
): RpcError {
  const why = `${describeThrown(thrown)}${diagnostics?.remedyOfUnsent(format, thrown) ?? ''}`
  return new RpcValidationError(
    `The params of "${method}" can't be sent as ${format.codec.name}: ${why}`,
    [{ message: why }],
    'not-sent',
    { method, cause: thrown },
  )
}

/** The context of a notification that was not sent. */
function notSentContext(method: string): ErrorContext {
  return outgoingContext({ method, kind: 'notification' }, 'send')
}

const KEPT = Promise.resolve()

/** The options of most calls. */
const NO_OPTIONS: SendOptions = Object.freeze({})

function mayRepeat({ repeat }: PendingCall): boolean {
  return repeat !== undefined
}
