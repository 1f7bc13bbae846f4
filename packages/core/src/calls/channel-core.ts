import { own } from '../errors/error-origin.js'
import { RpcDisconnectedError } from '../errors/errors.js'
import { Connection } from '../link/connection.js'
import { OVERFLOW, TOO_MUCH_WAITS } from '../link/endings.js'
import { FlowControl } from '../link/flow-control.js'
import type { Handshake } from '../link/handshake.js'
import type {
  Answer,
  BatchMember,
  Hello,
  MessageLink,
  OutgoingMessage,
} from '../link/message-link.js'
import { type PeerFacts, PLAIN_PEER } from '../link/peer-facts.js'
import { translatedTransport } from '../link/translated-transport.js'
import type { WireTap } from '../link/wire-tap.js'
import { type ErrorContext, outgoingContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { type Encoded, encode, heldBytes, type Unsendable, whyUnsendable } from '../wire/encoded.js'
import type { Classified, NotificationMessage, ResponseMessage } from '../wire/message.js'
import { randomId } from '../wire/random-id.js'
import type { Absence } from './absence.js'
import { disconnectedError, type Refusal, refusalOf } from './call-errors.js'
import { Caller } from './caller.js'
import type { Leaving, MethodsThere, PublicChannel } from './channel-context.js'
import type { ChannelCoreOptions } from './channel-core-options.js'
import type { CoreContext } from './core-context.js'
import { Delivery } from './delivery.js'
import type { CallTrace, Entry } from './diagnostics.js'
import { Dispatcher } from './dispatcher.js'
import { ExposedHandlers } from './exposed-handlers.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'
import type { AnyHandler, ExposeOptions, HandlersByName } from './handler.js'
import { type EncodedCall, Outbox, type Outgoing } from './outbox.js'
import type { PendingCall } from './pending-call.js'
import { PendingCalls } from './pending-calls.js'
import { Receiver } from './receiver.js'
import { createRemote } from './remote.js'
import { ResendBudget } from './resend-budget.js'
import type { SharedNotification } from './shared-notification.js'
import type { Unsent } from './unsent.js'

/** Describes the absence of a client. */
const AWAY: Absence = {
  text: 'the connection was lost, and the session waits for the next one',
  isFirst: false,
  cause: undefined,
}

/**
 * One conversation, with method names and unknown values; the public types are added by the callers.
 *
 * If the channel outlives its links, calls that were not written wait for the next link. Calls that were written end
 * with their link. A link may be a session, which continues over several connections.
 */
export class ChannelCore implements CoreContext {
  /** 128 random bits, in hexadecimal; in a cluster, the id of its node before them. */
  readonly id: string
  readonly publicChannel: PublicChannel
  readonly kind: ChannelCoreOptions<PublicChannel>
  /** The handlers that it begins with. */
  readonly #firstHandlers: HandlersByName
  readonly #delivery = new Delivery(this)
  flowIfAny: FlowControl<Outbox> | undefined
  // Parts that most channels of a server never need are made when they are first needed.
  #receiverIfAny: Receiver | undefined
  #otherSide: object | undefined
  #pendingCalls: PendingCalls | undefined
  #callerIfAny: Caller | undefined
  #handlersIfAny: ExposedHandlers | undefined
  /** Made when a message is first sent again: before that it is full. */
  #resendBudget: ResendBudget | undefined
  #states: Map<object, unknown> | undefined
  /** Whether the event `change` is wanted. */
  isWatched = true
  /** Why nothing can be sent, for now or for good. */
  refusal: Refusal | undefined
  /** The newest connection; its handshake may still be running. Undefined if it has ended. */
  connection: Connection | undefined
  link: MessageLink | undefined
  /**
   * The facts from the other side's last hello. They are kept: messages of the session may still be made without a
   * connection.
   */
  peer: PeerFacts = PLAIN_PEER
  #tap: WireTap | undefined
  /** This side is ending the link. */
  #isEnding = false
  /** The other side is giving calls back, and its connection ends soon. */
  #isGivingBack = false
  /** How long the other side asks this side to wait before it connects again, in ms. */
  #retryAfterMs: number | undefined
  leaving: Leaving | undefined
  methodsThere: MethodsThere | undefined
  /** Called when the channel is not serving any more. */
  #onServed: (() => void) | undefined

  /**
   * @param publicChannel the channel or client whose core this is.
   * @param handlers the handlers that it begins with.
   */
  constructor(
    options: ChannelCoreOptions<PublicChannel>,
    owner: PublicChannel,
    handlers: HandlersByName,
  ) {
    this.id = options.newId === undefined ? randomId() : options.newId()
    this.publicChannel = owner
    this.kind = options
    this.#firstHandlers = handlers
  }

  get flow(): FlowControl<Outbox> {
    if (this.flowIfAny === undefined) {
      const { outlivesLinks, settings } = this.kind
      const { limits } = settings
      this.flowIfAny = new FlowControl(new Outbox(limits), { limits, outlivesLinks }, this)
      // If the connection was lost before this was made, it has not been paused yet.
      if (this.link?.isReady === false) this.flowIfAny.pause()
    }
    return this.flowIfAny
  }

  get calls(): PendingCalls {
    this.#pendingCalls ??= new PendingCalls(this.kind.settings.timeout, this)
    return this.#pendingCalls
  }

  get #caller(): Caller {
    this.#callerIfAny ??= new Caller(this, this.kind.features)
    return this.#callerIfAny
  }

  get #handlers(): ExposedHandlers {
    const { mounts } = this.kind.features
    this.#handlersIfAny ??= new ExposedHandlers(this.#firstHandlers, this, mounts)
    return this.#handlersIfAny
  }

  get #receiver(): Receiver {
    if (this.#receiverIfAny) return this.#receiverIfAny
    const { features, authorize } = this.kind
    const dispatcher = new Dispatcher(this, features, this.#handlers, authorize)
    this.#receiverIfAny = new Receiver(this, features, dispatcher)
    return this.#receiverIfAny
  }

  get #resends(): ResendBudget {
    this.#resendBudget ??= new ResendBudget()
    return this.#resendBudget
  }

  // ── For its parts and its features ────────────────────────────────────────────────────────────

  stateOf<T>(key: object, make: () => T): T {
    this.#states ??= new Map()
    const known = this.#states.get(key) as T | undefined
    if (known !== undefined) return known
    const state = make()
    this.#states.set(key, state)
    return state
  }

  stateIfAny<T>(key: object): T | undefined {
    return this.#states?.get(key) as T | undefined
  }

  get absence(): Absence | undefined {
    if (this.isConnected) return undefined
    return this.kind.absence?.() ?? (this.connection ? undefined : AWAY)
  }

  get mayBeExtended(): boolean {
    return !this.connection?.isReady || this.connection.isExtended
  }

  /** The names of the methods that have a handler here. */
  get exposed(): Iterable<string> {
    return this.#handlers.names
  }

  change(): void {
    if (this.isWatched) this.kind.events.change?.(this.publicChannel)
    if (this.#onServed) this.#checkServed()
  }

  error(error: unknown, context: ErrorContext): void {
    this.kind.events.error(this.publicChannel, error, context)
  }

  // ── State ─────────────────────────────────────────────────────────────────────────────────────

  /** Made when it is first read: a server seldom calls all of its clients. */
  get other(): object {
    this.#otherSide ??= createRemote(this.kind.remoteGroups, this.#caller)
    return this.#otherSide
  }

  /** How many calls and notifications this side has started. */
  get begun(): number {
    return this.#pendingCalls?.begun ?? 0
  }

  /** Calls that were sent and wait for their answer. */
  get inFlight(): number {
    return this.#pendingCalls?.inFlight ?? 0
  }

  /** Calls and notifications that wait for a connection. */
  get queued(): number {
    return this.flowIfAny?.queue.calls ?? 0
  }

  /** How much is held for the other side of a session, in bytes, text by its length. */
  get heldBytes(): number {
    return (this.flowIfAny?.bytes ?? 0) + (this.link?.held.bytes ?? 0)
  }

  /** Calls of the other side that run here. */
  get running(): number {
    return this.#receiverIfAny?.dispatcher.running ?? 0
  }

  /**
   * True while calls other than streams run here (a stream may have no end), while messages wait to be written, or
   * while the other side has not confirmed that it knows that this side is leaving.
   */
  get isServing(): boolean {
    // After the channel has ended, nobody waits for calls that still run.
    const isAwaited =
      this.refusal === undefined && this.#receiverIfAny?.dispatcher.hasCalls === true
    return isAwaited || this.flowIfAny?.isHolding === true || this.leaving?.isUnconfirmed === true
  }

  /** Whether no call or stream goes on in either direction, and no message waits or is unacknowledged. */
  get isIdle(): boolean {
    const isCalled = this.running > 0 || this.isServing
    return !isCalled && this.inFlight === 0 && this.queued === 0 && !this.link?.held.messages
  }

  /** @returns a promise that resolves when the channel is not serving. */
  whenServed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onServed = resolve
      // In a later turn, so that the answer is written, or queued, first.
      this.#receiver.dispatcher.onRan = () => setTimeout(() => this.#checkServed(), 0)
      this.#checkServed()
    })
  }

  #checkServed(): void {
    if (!this.#onServed || this.isServing) return
    this.#onServed()
    this.#onServed = undefined
    this.#receiver.dispatcher.onRan = undefined
  }

  get isConnected(): boolean {
    return this.link?.isReady ?? false
  }

  /** The name of the other side's dialect, if it is not JSON-RPC 2.0; a client knows it before it connects. */
  get dialect(): string | undefined {
    if (this.connection) return this.connection.dialect
    return this.kind.side === 'client' ? this.kind.settings.dialect?.name : undefined
  }

  /** The id of the other side's channel, from its hello; null before the hello, and with a plain peer. */
  get otherId(): string | null {
    return this.peer.id ?? null
  }

  // ── Calling ───────────────────────────────────────────────────────────────────────────────────

  /** @param entry the function that the application has called; also in `stream` and `notify`. */
  call(method: string, params: unknown, options?: SendOptions, entry?: Entry): Promise<unknown> {
    return this.#caller.call(method, params, options, entry)
  }

  stream(
    method: string,
    params: unknown,
    options?: SendOptions,
    entry?: Entry,
  ): RpcStream<unknown> {
    return this.#caller.stream(method, params, options, entry)
  }

  /** Resolves when the notification has been handed to the link. */
  notify(method: string, params: unknown, options?: CallOptions, entry?: Entry): Promise<void> {
    return this.#caller.notify(method, params, options, entry)
  }

  /** The place where a call is being made, if the option `traceCalls` is set. */
  trace(entry: Entry): CallTrace | undefined {
    const { traceCalls, diagnostics } = this.kind.settings
    return traceCalls ? diagnostics?.trace(entry) : undefined
  }

  /**
   * Sends a notification that goes to many targets. It may be kept for the other side of a session.
   *
   * @returns undefined if it was written at once, as most are: then no call was opened for it.
   */
  notifyShared(
    notification: SharedNotification,
    options: CallOptions | undefined,
  ): Promise<void> | undefined {
    if (options === undefined && this.#isWritten(notification)) return undefined
    const { method, params } = notification
    return this.#caller.notify(method, params, options, undefined, notification)
  }

  #isWritten(notification: SharedNotification): boolean {
    const { use, format } = this.kind.settings
    const encoded =
      use || this.refusal ? undefined : notification.encodeIfValid(format, this.kind.remoteSide)
    return encoded !== undefined && this.#delivery.writeNow(encoded)
  }

  send(outgoing: Outgoing): void {
    this.#delivery.send(outgoing)
  }

  givenUp(call: PendingCall): void {
    if (call.state !== 'written') this.#delivery.remove(call)
    else if (this.peer.isExtended) {
      // In a session it has a sequence number, and it is sent after the call.
      this.sendControl({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: call.id } })
    }
    this.change()
  }

  sendControl(message: NotificationMessage): Unsent | undefined {
    const { format } = this.kind.settings
    let encoded: Encoded
    try {
      encoded = encode(format, message)
    } catch (cause) {
      return { why: { cause }, limits: this.peer }
    }
    const why = whyUnsendable(format, encoded, this.peer)
    if (why) return { why, limits: this.peer }
    this.#delivery.sendControl(encoded)
    return undefined
  }

  written(call: EncodedCall, link: MessageLink): void {
    this.#callerIfAny?.written(call, link)
  }

  refused(
    outgoing: Outgoing,
    why: Unsendable | Parameters<Caller['fail']>[1],
    link: MessageLink,
  ): void {
    this.#caller.unsendable(outgoing, why, link)
  }

  overflow(): void {
    this.end(OVERFLOW)
  }

  flush(): void {
    this.#delivery.flush()
  }

  answer(answer: Answer): void {
    if (this.#isGivingBack && this.#isGivenBack(answer)) return
    const caller = this.#callerIfAny ?? this.#caller
    if (caller.answered(answer)) this.#resendBudget?.earn()
  }

  /** Whether a server that is leaving gives a call back. If so, the call waits for the next link. */
  #isGivenBack(answer: Answer): boolean {
    if (answer.kind !== 'error' || answer.ran !== false) return false
    const call = this.calls.awaited(answer.id)
    if (call?.encoded === undefined) return false
    this.#takeBack([call as EncodedCall])
    return true
  }

  // ── Serving ───────────────────────────────────────────────────────────────────────────────────

  expose(method: string, handler: AnyHandler, options?: ExposeOptions): () => void {
    return this.#handlers.add(method, handler, options)
  }

  handlersChanged(): void {
    for (const feature of this.kind.features.all) feature.handlersChanged?.(this)
  }

  reply(link: MessageLink, encoded: Encoded): void {
    // A session may have begun over the connection on which the call arrived.
    const to = link.upper ?? link
    if (to === this.link) return this.#delivery.reply(encoded, to)
    if (link !== this.connection) return
    const waiting = this.flowIfAny?.gate.answerBytes ?? 0
    if (waiting + heldBytes(encoded) > this.kind.settings.limits.answerBytes) {
      return link.cut(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
    }
    if (this.connection.holdsAnswers) this.#delivery.hold(encoded)
    else link.send(encoded)
  }

  // ── Events of its links ───────────────────────────────────────────────────────────────────────

  message(
    link: MessageLink,
    message: Classified,
    bytes: number,
    refusal: string | undefined,
  ): void {
    const { kind } = message
    if (refusal === undefined && (kind === 'result' || kind === 'error')) this.answer(message)
    else (this.#receiverIfAny ?? this.#receiver).message(link, message, bytes, refusal)
  }

  batch(link: MessageLink, members: readonly BatchMember[]): void {
    this.#receiver.batch(link, members)
  }

  unreadable(link: MessageLink, _bytes: number | undefined, answer: ResponseMessage): void {
    this.#receiver.answer(link, answer)
  }

  room(link: MessageLink): void {
    if (link === this.link) this.#relieve()
  }

  /** The other side has taken something, or may have. */
  #relieve(): void {
    if (this.flowIfAny) this.flowIfAny.relieve()
    else this.change()
  }

  latency(ms: number): void {
    this.kind.events.latency?.(this.publicChannel, ms)
  }

  spread(ms: number): void {
    this.kind.events.spread?.(this.publicChannel, ms)
  }

  // ── Links ─────────────────────────────────────────────────────────────────────────────────────

  /**
   * Connects over this transport; an earlier connection that still exists ends.
   *
   * @param handshake this side's part of the handshake.
   */
  attach(transport: Transport, handshake: Handshake): void {
    // From here on, messages of an earlier connection are ignored: the hello tells how many messages this side has
    // received.
    this.connection?.end(CloseCode.goingAway, 'Another connection takes its place')
    const { side, settings } = this.kind
    const { dialect } = settings
    const wire = dialect ? translatedTransport(transport, dialect, settings, side, this) : transport
    const connection = new Connection(wire, settings, handshake, this)
    this.connection = connection
    if (this.#tap) connection.tap(this.#tap)
    connection.start()
  }

  ready(link: MessageLink, hello: Hello | undefined, isFirst: boolean): void {
    const { keptLink, events, features } = this.kind
    const isBare = link === this.connection
    // A session reports itself when it is ready.
    if (isBare && keptLink?.(this.publicChannel)?.goOn(link, hello, isFirst)) return
    const isResumed = !isBare && link === this.link
    this.link = link
    this.peer = link.peer
    this.#delivery.begin()
    this.flowIfAny?.resume()
    for (const feature of features.all) feature.ready?.(this, hello)
    if (isResumed) events.resumed?.(this.publicChannel, hello)
    else if (isFirst) events.open(this.publicChannel, hello)
    this.#relieve()
  }

  /** Server: a new connection is this channel's. */
  takeOver(connection: Connection): void {
    this.connection = connection
    if (this.#tap) connection.tap(this.#tap)
  }

  /** The connection continues as another channel's. */
  abandon(info: CloseInfo): void {
    this.connection = undefined
    this.#dropLink(refusalOf(info, 'the channel ended'))
    this.kind.events.ended(this.publicChannel, info, undefined)
  }

  ended(link: MessageLink, info: CloseInfo, goesOn: boolean, isEndReported: boolean): void {
    const isAttempt = link === this.connection && link !== this.link
    if (!isAttempt && link !== this.link) return
    this.connection = undefined
    const { events } = this.kind
    // A session continues although an attempt to reach its server has failed.
    const isOver = isAttempt
      ? this.link === undefined || this.#isEnding || this.#isGivingBack
      : !goesOn
    const recv = this.#isEnding ? this.link?.recv : undefined
    const retryAfterMs = this.#retryAfterMs
    if (isOver) this.#dropLink(refusalOf(info, 'the connection was lost'))
    else this.flowIfAny?.pause()
    events.down(this.publicChannel, info, isEndReported, retryAfterMs)
    // The side that ends a session itself does not connect again to ask how many messages were received.
    if (isOver) events.ended(this.publicChannel, info, recv)
    this.change()
  }

  /**
   * A link has ended, although there is a connection: its session was not continued.
   *
   * @param unreceived the messages that the other side is known not to have received.
   */
  replaced(info: CloseInfo, unreceived: readonly OutgoingMessage[]): void {
    this.#endLink(info, unreceived as readonly Outgoing[])
  }

  #endLink(info: CloseInfo, unreceived: readonly Outgoing[] = []): void {
    const recv = this.link?.recv
    this.#dropLink(refusalOf(info, 'the session ended'), unreceived)
    this.kind.events.ended(this.publicChannel, info, recv)
    this.change()
  }

  /**
   * Ends everything that was bound to the link.
   *
   * @param unreceived the messages that the other side is known not to have received.
   */
  #dropLink(why: Refusal, unreceived: readonly Outgoing[] = []): void {
    this.link?.stop()
    this.flowIfAny?.stop()
    this.#delivery.end()
    this.link = undefined
    // Before the calls that were written end: these do not end with them.
    if (unreceived.length > 0) {
      const wanted = unreceived.filter((outgoing) => this.#caller.isWanted(outgoing))
      this.#takeBack(wanted.filter((call) => this.#maySendAgain(call, why)))
    }
    this.#receiverIfAny?.dispatcher.cancelAll(
      own(new RpcDisconnectedError('The caller is gone', 'maybe-executed')),
    )
    this.lose(why)
    this.#isGivingBack = false
    this.#retryAfterMs = undefined
    this.leaving = undefined
    if (!this.kind.outlivesLinks)
      this.refuse({ ...why, message: `the channel is closed: ${why.message}` })
  }

  /** Ends the calls that were written, except those that may be sent again: another server may know their outcome. */
  lose(why: Refusal): void {
    if (!this.#callerIfAny) return
    const isFree = this.#isGivingBack
    const mayGoAgain = () => this.kind.outlivesLinks && (isFree || this.#resends.spend())
    this.#delivery.restore(this.#caller.lose(why, mayGoAgain))
  }

  /** @returns whether a message may be sent again; if not, its call ends. */
  #maySendAgain(call: EncodedCall, why: Refusal): boolean {
    if (!this.kind.outlivesLinks) return false
    if (this.#resends.spend()) return true
    this.#caller.returned(call)
    const error = disconnectedError(call, why)
    if (call.kind === 'notification') this.error(error, outgoingContext(call, 'send'))
    else this.#caller.fail(call, error)
    return false
  }

  /** Puts messages that were not received at the head of the queue, for the next connection. */
  #takeBack(again: readonly EncodedCall[]): void {
    for (const call of again) this.#caller.returned(call)
    this.#delivery.sendAgain(again)
    this.change()
  }

  // ── Leaving ───────────────────────────────────────────────────────────────────────────────────

  /** The other side has confirmed that it knows that this side is leaving. */
  leavingConfirmed(): void {
    if (this.leaving) this.leaving.isUnconfirmed = false
    this.#checkServed()
  }

  giveBack(
    unreceived: readonly OutgoingMessage[],
    retryAfterMs: number | undefined,
    confirm: () => void,
  ): void {
    this.#isGivingBack = true
    this.#retryAfterMs = retryAfterMs
    this.#delivery.holdCalls()
    confirm()
    const wanted = (unreceived as readonly Outgoing[]).filter((outgoing) =>
      this.#caller.isWanted(outgoing),
    )
    if (wanted.length > 0) this.#takeBack(wanted)
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  /** From now on nothing is sent, and messages that wait are rejected, until {@link allow} is called. */
  refuse(refusal: Refusal): void {
    const { closeCode = CloseCode.normal, message } = refusal
    if (this.link?.session) {
      this.#endLink({ code: closeCode, reason: message })
    }
    this.refusal = refusal
    this.#callerIfAny?.refuse(refusal, (call) => this.#delivery.remove(call))
    this.change()
  }

  allow(): void {
    this.refusal = undefined
  }

  /** Client: ends a connection if its hello has not been answered, as if it had not been made. */
  leaveAttempt(): void {
    const connection = this.connection
    if (!connection || connection.isReady) return
    this.connection = undefined
    // This code does not end a session: the server may have received the hello.
    connection.end(CloseCode.timedOut, 'The client makes another attempt')
  }

  /** Ends the current connection, and the session with it; their calls also end. */
  end({ code, reason }: CloseInfo): void {
    this.#isEnding = true
    const connection = this.connection
    if (connection) (connection.upper ?? connection).end(code, reason)
    else if (this.link) this.#endLink({ code, reason })
    this.#isEnding = false
  }

  /** For developer tools: makes everything that its connections carry pass through a tap, or through none. */
  tap(tap: WireTap | undefined): void {
    this.#tap = tap
    this.connection?.tap(tap)
  }

  /** The current tap. */
  get tapped(): WireTap | undefined {
    return this.#tap
  }
}
