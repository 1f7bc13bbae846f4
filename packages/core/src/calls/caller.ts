import { Elapsed } from '../base/elapsed.js'
import { guarded } from '../base/guarded.js'
import type { MaybeAsync } from '../base/maybe-async.js'
import { areParams, type SharedNotification } from '../channels/shared-notification.js'
import { type ContractSide, type Definition, definitionOf, schemaOf } from '../contract/contract.js'
import { insteadOf } from '../contract/unknown-name.js'
import { kindOf } from '../errors/assert-options.js'
import {
  describeThrown,
  RpcConfigError,
  type RpcError,
  RpcProtocolError,
  RpcValidationError,
} from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { leftUntil, restamp } from '../features/deadlines/deadline.js'
import { whyNoMeta } from '../features/middleware/meta.js'
import type { MiddlewareCall } from '../features/middleware/middleware.js'
import { depart, OutgoingCall } from '../features/middleware/outgoing-call.js'
import { PROGRESS, ProgressListening } from '../features/progress/progress.js'
import { CalledStreams } from '../features/streams/called-streams.js'
import { IncomingStream } from '../features/streams/incoming-stream.js'
import { isSource, releaseSource } from '../features/streams/outgoing-stream.js'
import type { StreamRoom } from '../features/streams/stream-room.js'
import { readId, StreamWord } from '../features/streams/stream-words.js'
import type { Connection } from '../link/connection.js'
import type { Answer, Unsendable } from '../link/connection-events.js'
import { type ErrorContext, outgoingContext } from '../logging/error-context.js'
import { datesSoFar } from '../wire/bytes.js'
import { type Encoded, encode, keep } from '../wire/encoded.js'
import type { NotificationMessage, RequestExtras, RequestMessage } from '../wire/message.js'
import { answeredError } from './answered-error.js'
import { disconnectedError, type Refusal, unsendableError } from './call-errors.js'
import { assertCallOptions } from './call-options.js'
import type { Timeout } from './call-timer.js'
import { type CallTrace, type Entry, showCaller, TRACE, traceFrom } from './call-trace.js'
import { checkResult } from './check-result.js'
import { assertDatesArrive } from './dates-in-params.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'
import { remedyOfUnsent } from './lost-kinds.js'
import type { ResolvedChannelOptions } from './options.js'
import type { EncodedCall, Outgoing } from './outbox.js'
import type { CallKind, PendingCall } from './pending-call.js'
import { PendingCalls, type PendingCallsHost } from './pending-calls.js'
import type { Speech } from './speech.js'

/** Whose calls they are. */
export interface CallerHost extends Speech, PendingCallsHost {
  /** What the contract gives the other side; without it every name can be called. */
  readonly remoteSide: ContractSide | undefined
  readonly settings: ResolvedChannelOptions
  /** Whether what was written may be written again, without a session. */
  readonly isLasting: boolean
  /** How much of streams may wait here to be taken. */
  readonly room: StreamRoom
  /** Whether the other side may understand more than JSON-RPC 2.0. */
  readonly mayBeExtended: boolean
  /** Why nothing is sent any more, for now or for good. */
  readonly refusal: Refusal | undefined
  /** What middleware finds as `call.dialect`. */
  readonly dialect: string | undefined
  /** What middleware finds as `call.channel`. */
  readonly channel: unknown
  /** What middleware finds as `call.identity`. */
  readonly identity: unknown
  /**
   * Sends a message, or lets it wait.
   *
   * @throws {RpcOverloadedError} where no more may wait.
   */
  send(outgoing: Outgoing): void
  /** How many calls wait may have changed. */
  change(): void
}

/** Calls the other side: makes messages of calls, and of answers what the calls resolve to. */
export class Caller {
  readonly #host: CallerHost
  readonly #pending: PendingCalls
  #calledStreams: CalledStreams | undefined

  constructor(host: CallerHost) {
    this.#host = host
    this.#pending = new PendingCalls(host.settings.timeout, host)
  }

  get #streams(): CalledStreams {
    this.#calledStreams ??= new CalledStreams(this.#host, this.#pending)
    return this.#calledStreams
  }

  /** How many calls and notifications were begun since the channel was made. */
  get begun(): number {
    return this.#pending.begun
  }

  /** Calls that were written and wait for their answer. */
  get inFlight(): number {
    return this.#pending.inFlight
  }

  /** @param entry what the application has called. */
  call(
    method: string,
    params: unknown,
    options: SendOptions = NO_OPTIONS,
    entry?: Entry,
  ): Promise<unknown> {
    const { use, traceCalls } = this.#host.settings
    const trace = traceCalls ? traceOf(options, entry) : undefined
    if (use) return this.#callThrough(method, params, options, trace)
    try {
      return this.#call(this.#open(method, options, 'call', trace), params, options)
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
    const call = this.#open(method, options, 'call', trace)
    return this.#passed(call, 'method', params, options, () => this.#call(call, params, options))
  }

  #call(call: PendingCall, params: unknown, options: SendOptions): Promise<unknown> {
    const { key } = call
    this.#request(call, params, options, key === undefined ? undefined : { key })
    return call.promise
  }

  /** The items of a call, which begins when the first of them is asked for. */
  stream(
    method: string,
    params: unknown,
    options: SendOptions = NO_OPTIONS,
    entry?: Entry,
  ): RpcStream<unknown> {
    const trace = this.#host.settings.traceCalls ? traceOf(options, entry) : undefined
    let call: PendingCall
    const stream: IncomingStream = new IncomingStream({
      method,
      room: this.#host.room,
      signal: options?.signal,
      begin: (credit) => {
        call = this.#open(method, options, 'stream', trace)
        call.items = stream
        const ended = this.#passed(call, 'stream', params, options, () => {
          this.#request(call, params, options, { credit })
          return call.promise
        })
        const endWith = (end: Promise<unknown>): Promise<void> =>
          end.then(
            // Middleware need not wait for the end.
            () => (this.#pending.has(call) ? endWith(call.promise) : stream.end()),
            (error) => stream.fail(error),
          )
        void endWith(ended)
      },
      grant: (credit) => this.#streams.grant(call, credit),
      leave: () => this.#pending.leave(call),
      unbegun: () => this.#release(method, options?.input, 'stream'),
      check: (item) =>
        checkResult(definitionOf(this.#host.remoteSide, method), method, 'item', item, this.#host),
    })
    return stream
  }

  /** Sends a call through what surrounds it. @returns what comes of it. */
  #passed(
    call: PendingCall,
    kind: MiddlewareCall['kind'],
    params: unknown,
    { signal }: SendOptions,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    const { use } = this.#host.settings
    if (!use) return send()
    const { dialect, channel, identity } = this.#host
    const departure = { kind, params, dialect, channel, identity, signal }
    const outgoing = new OutgoingCall(call, departure)
    const isOpen = () => this.#pending.has(call)
    return depart(use, outgoing, call.promise, {
      send: () => {
        if (isOpen()) this.#takeMeta(call, outgoing)
        return isOpen() ? send() : call.promise
      },
      drop: () => this.#pending.take(call.id)?.resolve(undefined),
    })
  }

  #takeMeta(call: PendingCall, { method, meta }: OutgoingCall): void {
    const why = whyNoMeta(meta)
    if (why) this.fail(call, new RpcConfigError(`call.meta of "${method}" ${why}`, { method }))
    else if (Object.keys(meta).length > 0) call.meta = { ...meta }
  }

  #request(
    call: PendingCall,
    params: unknown,
    { input, onProgress, timeout = this.#host.settings.timeout }: SendOptions,
    said: RequestExtras | undefined,
  ): void {
    const { id, method } = call
    let rpc = said
    if (input) {
      rpc ??= {}
      rpc.input = true
    }
    const listener = onProgress ?? (needsSigns(call, timeout) ? ignore : undefined)
    if (listener) call.progress = this.#listen(call, listener)
    if (listener || call.meta || call.deadline !== undefined) {
      rpc = this.#stamped(call, rpc)
    }
    const message: RequestMessage = { jsonrpc: '2.0', id, method }
    if (rpc) message.rpc = rpc
    this.#say(message, params, call)
  }

  /** Adds what a plain peer is not told, to the call's own: a copy with more members would be of a new hidden class. */
  #stamped(call: PendingCall, said: RequestExtras | undefined): RequestExtras | undefined {
    const isSaid = this.#host.mayBeExtended
    call.stamp = { at: performance.now(), isSaid }
    if (!isSaid) return said
    const rpc = said ?? {}
    if (call.progress) rpc.progress = true
    if (call.deadline !== undefined) rpc.deadlineMs = leftUntil(call.deadline)
    if (call.meta) rpc.meta = call.meta
    return rpc
  }

  /** A message as it goes out now, to this other side. */
  stamped({ encoded, call }: Outgoing, { isExtended }: Connection): Encoded {
    if (!call?.stamp) return encoded
    return restamp(this.#host.settings.format, encoded, call, isExtended)
  }

  #listen(call: PendingCall, listener: (value: never) => unknown): ProgressListening {
    const { method, definition } = call
    const host = this.#host
    return new ProgressListening({
      check: (value) => checkResult(definition, method, 'progress', value, host),
      listener: listener as (value: unknown) => unknown,
      error: (error) => host.error(error, outgoingContext(call, 'progress')),
    })
  }

  /** The other side said something more of a call. @returns how it breaks the protocol, where it does. */
  heard(word: string, params: unknown, bytes: number): string | undefined {
    return word === PROGRESS
      ? this.#heardProgress(params)
      : this.#streams.heard(word, params, bytes)
  }

  /**
   * As {@link heard}, of a message that was refused for this reason. @returns false if the message must be answered
   * with an error.
   */
  refusedWord(word: string, params: unknown, why: string): boolean {
    if (word !== PROGRESS && word !== StreamWord.item) return false
    const call = this.#pending.awaited(readId(params)?.id)
    if (!call) return true
    const what = `${word === PROGRESS ? 'Progress' : 'An item'} of "${call.method}" was not taken: ${why}`
    const error = new RpcProtocolError(what, { method: call.method })
    // A stream that misses an item is wrong as a whole, so it ends.
    if (word === PROGRESS) this.#host.error(error, outgoingContext(call, 'progress'))
    else this.#pending.giveUp(call, error)
    return true
  }

  #heardProgress(params: unknown): string | undefined {
    const id = readId(params)?.id
    const call = this.#pending.awaited(id)
    if (!call) return this.#pending.stateOf(id) === 'over' ? undefined : `an ${PROGRESS} of no call`
    if (!call.progress) return `an ${PROGRESS} of a call that did not ask for it`
    this.#pending.touch(id)
    call.progress.heard((params as { value?: unknown }).value)
    return undefined
  }

  /**
   * Resolves when the notification has been handed to the wire, or, where it goes to others, too, is kept
   * for that.
   */
  notify(
    method: string,
    params: unknown,
    options: CallOptions = NO_OPTIONS,
    shared?: SharedNotification,
    entry?: Entry,
  ): Promise<void> {
    const trace = this.#host.settings.traceCalls ? traceOf(options, entry) : undefined
    const written = this.#notify(method, params, options, shared, trace)
    // Nobody need wait for a notification; a failure that nobody waits for ends no process.
    written.catch((error: unknown) => this.#host.error(error, notSent(method)))
    return written
  }

  async #notify(
    method: string,
    params: unknown,
    options: CallOptions,
    shared: SharedNotification | undefined,
    trace: CallTrace | undefined,
  ): Promise<void> {
    const call = this.#open(method, options, 'notification', trace)
    await this.#passed(call, 'notification', params, options, () => {
      this.#sayNotification(call, params, shared)
      if (!shared || !this.#pending.has(call)) return call.promise
      // One slow target is waited for by nobody: what it is sent has its place on the way out.
      call.promise.catch((error: unknown) => this.#host.error(error, notSent(method)))
      return KEPT
    })
    // Middleware need not wait for it.
    if (!shared && this.#pending.has(call)) await call.promise
  }

  #sayNotification(
    call: PendingCall,
    params: unknown,
    shared: SharedNotification | undefined,
  ): void {
    const message: NotificationMessage = { jsonrpc: '2.0', method: call.method }
    if (!call.meta) return this.#say(message, params, call, shared)
    const rpc = this.#stamped(call, undefined)
    if (rpc) message.rpc = rpc
    this.#say(message, params, call)
  }

  /** @throws {RpcConfigError} if the call is not valid: its method, options, input or listener. */
  #open(
    method: string,
    options: SendOptions,
    kind: CallKind,
    trace: CallTrace | undefined,
  ): PendingCall {
    try {
      const call = this.#openValid(method, options, kind)
      if (trace) call.trace = trace
      return call
    } catch (thrown) {
      this.#release(method, options?.input, kind)
      if (trace) showCaller(thrown, trace)
      throw thrown
    }
  }

  #openValid(method: string, options: SendOptions, kind: CallKind): PendingCall {
    if (typeof method !== 'string') throw new RpcConfigError('A method is called by its name')
    if (options !== NO_OPTIONS) assertCallOptions(method, options)
    const { remoteSide } = this.#host
    const definition = definitionOf(remoteSide, method)
    if (remoteSide && !definition) {
      throw new RpcConfigError(
        `${quoted(method)} can't be called: the contract's other side ${insteadOf(method, remoteSide)}`,
        { method },
      )
    }
    assertInput(method, options.input, kind, definition)
    assertListener(method, options.onProgress, definition)
    const call = this.#pending.open(method, options, kind, definition)
    // Taken when there is credit for it, which is when the call has been sent; and ended with the call.
    if (options.input) this.#streams.send(call, options.input)
    return call
  }

  /** Tells the source of an input that no items are wanted, if its call was never opened or never begun. */
  #release(method: string, input: unknown, kind: CallKind): void {
    if (isSource(input))
      guarded(
        () => releaseSource(input),
        (thrown) => this.#host.error(thrown, outgoingContext({ method, kind }, 'source')),
      )
  }

  /** Encodes at once, so that later changes to the params change nothing, and sends when it can. */
  #say(
    message: RequestMessage | NotificationMessage,
    params: unknown,
    call: PendingCall,
    shared?: SharedNotification,
  ): void {
    const { refusal } = this.#host
    if (refusal) return this.fail(call, disconnectedError(call, refusal))
    const encoded = this.#encode(message, params, call, shared)
    if (encoded === undefined) return
    // A server that leaves gives calls back, and they go out again.
    if (this.#host.isLasting) keep(encoded, call)
    call.encoded = encoded
    try {
      this.#host.send(call as EncodedCall)
    } catch (error) {
      this.fail(call, error as RpcError)
    }
    this.#host.change()
  }

  #encode(
    message: RequestMessage | NotificationMessage,
    params: unknown,
    call: PendingCall,
    shared: SharedNotification | undefined,
  ): Encoded | undefined {
    const { format } = this.#host.settings
    try {
      if (params !== undefined) {
        if (!areParams(params)) {
          throw new TypeError(
            'params are one object of named params. Put them in braces: { name: value }',
          )
        }
        message.params = params
      }
      if (shared) return shared.encode(format)
      const before = datesSoFar()
      const encoded = encode(format, message)
      if (datesSoFar() !== before) assertDatesArrive(call.definition, params)
      return encoded
    } catch (thrown) {
      const why = `${describeThrown(thrown)}${remedyOfUnsent(format, thrown)}`
      this.fail(
        call,
        new RpcValidationError(
          `The params of "${call.method}" can't be sent as ${format.codec.name}: ${why}`,
          [{ message: why }],
          'not-sent',
          { method: call.method, cause: thrown },
        ),
      )
      return undefined
    }
  }

  /** A message was handed to the wire. */
  written({ kind, call }: Outgoing, { keys }: Connection): void {
    if (!call) return
    if (kind !== 'notification') {
      if (call.key !== undefined && keys)
        call.sentTo ??= { store: keys.store, since: new Elapsed() }
      this.#pending.wrote(call)
    } else this.#pending.take(call.id)?.resolve(undefined)
  }

  /** A message can't be sent to this other side. */
  unsendable({ call, encoded }: Outgoing, why: Unsendable, { peerLimits }: Connection): void {
    if (!call) {
      // When this answer was queued, the other side accepted it. The limits have changed since.
      const error = unsendableError('An answer', encoded, why, peerLimits)
      return this.#host.error(error, { phase: 'answer', direction: 'in' })
    }
    this.fail(
      call,
      call.uncertain
        ? disconnectedError(call, { message: 'the server that is there now can’t tell' })
        : unsendableError(call.method, encoded, why, peerLimits),
    )
  }

  fail(call: PendingCall, error: RpcError): void {
    this.#pending.take(call.id)?.reject(error)
  }

  // ── Being answered ────────────────────────────────────────────────────────────────────────────

  /** @returns whether a call of ours has ended by it. */
  answered(answer: Answer): boolean {
    const call = this.#pending.awaited(answer.id)
    if (!call) {
      // A late answer, or a second one, is nobody's; an error without an id is about a frame of ours.
      if (answer.kind === 'error' && answer.id === null) {
        this.#host.error(
          new RpcProtocolError(
            `The other side could not read a message: ${quoted(answer.error.message)} (${answer.error.code})`,
          ),
          { phase: 'frame', direction: 'out' },
        )
      }
      return false
    }
    if (answer.kind === 'result') return this.#resultCame(call, answer.result)
    this.#takeOut(call)
    const { method } = call
    if (answer.kind === 'error') call.rejectWithAnswer(answeredError(call, answer))
    else {
      const why = `The answer to "${method}" breaks JSON-RPC 2.0: ${answer.reason}`
      call.reject(new RpcProtocolError(why, { method }))
    }
    return true
  }

  /** @returns true. */
  #resultCame(call: PendingCall, result: unknown): true {
    let verdict: MaybeAsync<unknown>
    try {
      verdict = this.#verdict(call, result)
    } catch (error) {
      this.#takeOut(call).reject(error as RpcError)
      return true
    }
    if (verdict instanceof Promise) this.#awaitVerdict(call, verdict)
    else this.#takeOut(call).resolve(verdict)
    return true
  }

  /** What a call resolves to: the result as its schema makes it, after all progress was told. */
  #verdict(call: PendingCall, result: unknown): MaybeAsync<unknown> {
    if (call.progress) return this.#verdictAfter(call.progress, call, result)
    // A stream has no result.
    return call.kind === 'call' ? checkedResult(call, result, this.#host) : result
  }

  async #verdictAfter(
    progress: ProgressListening,
    call: PendingCall,
    result: unknown,
  ): Promise<unknown> {
    await progress.end()
    return checkedResult(call, result, this.#host)
  }

  /**
   * The call has its answer, but the result is still being checked. Its timer runs on; further messages about it are
   * ignored.
   */
  #awaitVerdict(call: PendingCall, verdict: Promise<unknown>): void {
    this.#pending.doubt(call)
    this.#host.change()
    verdict.then(
      (value) => this.#pending.take(call.id)?.resolve(value),
      (error: RpcError) => this.fail(call, error),
    )
  }

  /**
   * Takes out a call that has its answer, before the promise is settled, so that the counts are right when the caller
   * reads them.
   */
  #takeOut(call: PendingCall): PendingCall {
    this.#pending.takeOut(call)
    this.#host.change()
    return call
  }

  /** The call with this id that was written and waits for its answer. */
  awaited(id: unknown): PendingCall | undefined {
    return this.#pending.awaited(id)
  }

  // ── What becomes of calls without an answer ───────────────────────────────────────────────────

  /** Whether a message that was written is wanted, though the other side has not received it. */
  isWanted({ kind, call }: Outgoing): boolean {
    if (kind === 'reply') return false
    return kind === 'notification' || (call.isWritten && this.#pending.has(call))
  }

  /** A call that was written is known not to have been received. */
  returned(call: PendingCall): void {
    this.#pending.returned(call)
  }

  /**
   * Rejects what was written: whoever had it does not answer any more.
   *
   * @param mayGoAgain asked for each call with a key, which is safe to send again.
   * @returns the messages of those that may.
   */
  lose(why: Refusal, mayGoAgain: () => boolean): readonly Outgoing[] {
    const again = this.#host.refusal ? [] : this.#pending.written.filter(hasKey).filter(mayGoAgain)
    for (const call of again) this.#pending.doubt(call)
    this.#pending.rejectAll(
      (call) => call.isWritten,
      (call) => disconnectedError(call, why),
    )
    return again.filter((call): call is EncodedCall => call.encoded !== undefined)
  }

  /**
   * Calls are rejected from now on: those that were not written are, too.
   *
   * @param remove told of each of these.
   */
  refuse(refusal: Refusal, remove: (call: PendingCall) => void): void {
    this.#pending.rejectAll(
      (call) => !call.isWritten,
      (call) => {
        remove(call)
        return disconnectedError(call, refusal)
      },
    )
    this.#pending.rest()
  }
}

function checkedResult(
  { definition, method }: PendingCall,
  result: unknown,
  host: CallerHost,
): MaybeAsync<unknown> {
  return checkResult(definition, method, 'result', result, host)
}

/** Where a call is made. A client that makes a call later, for another client, gives the place in the options. */
function traceOf(options: SendOptions, entry: Entry | undefined): CallTrace {
  return (options as { [TRACE]?: CallTrace } | null)?.[TRACE] ?? traceFrom(entry)
}

/** The context of a notification that was not sent. */
function notSent(method: string): ErrorContext {
  return outgoingContext({ method, kind: 'notification' }, 'send')
}

const KEPT = Promise.resolve()

/** Of most calls. */
const NO_OPTIONS: SendOptions = Object.freeze({})

/** @throws {RpcConfigError} where a call has no input that needs one, or one that takes none. */
function assertInput(
  method: string,
  input: unknown,
  kind: CallKind,
  definition: Definition | undefined,
): void {
  const schema = schemaOf(definition, 'input')
  if (input === undefined ? !schema : isSource(input) && (!definition || schema)) return
  const takesNone = kind === 'notification' || (definition && !schema)
  throw new RpcConfigError(
    takesNone
      ? `"${method}" takes no input: leave it out, or add it to the contract`
      : `The input of "${method}" must be an iterable, or an async one`,
    { method },
  )
}

/** @throws {RpcConfigError} where nobody will tell of any progress, or the listener is none. */
function assertListener(
  method: string,
  listener: unknown,
  definition: Definition | undefined,
): void {
  if (listener === undefined) return
  const tellsNone = definition && !schemaOf(definition, 'progress')
  if (!tellsNone && typeof listener === 'function') return
  throw new RpcConfigError(
    tellsNone
      ? `"${method}" tells of no progress: leave onProgress out, or add progress to the contract`
      : `onProgress of "${method}" must be a function; it is ${kindOf(listener)}`,
    { method },
  )
}

/** Whether a call has an idle timeout, and its handler can show signs of life by progress. */
function needsSigns({ kind, definition }: PendingCall, timeout: Timeout): boolean {
  if (typeof timeout === 'number' || !Number.isFinite(timeout.idle) || kind !== 'call') return false
  return !definition || schemaOf(definition, 'progress') !== undefined
}

function ignore(): void {}

function hasKey({ key }: PendingCall): boolean {
  return key !== undefined
}
