import type { MaybeAsync } from '../base/maybe-async.js'
import type { SharedNotification } from '../channels/shared-notification.js'
import { type ContractSide, definitionOf, type Side } from '../contract/contract.js'
import { own } from '../errors/error-origin.js'
import { ErrorCode, RpcDisconnectedError, RpcProtocolError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { AnswerKeyed, Keys } from '../features/keys/keyed-calls.js'
import { ToldMethods } from '../features/presence/told-methods.js'
import { Session, type SessionHost } from '../features/sessions/session.js'
import { StreamRoom } from '../features/streams/stream-room.js'
import { wordOf } from '../features/streams/stream-words.js'
import { Unsent } from '../features/streams/unsent.js'
import { snapshotOf } from '../features/tap/snapshot.js'
import type { Inspection, WireTap } from '../features/tap/wire-tap.js'
import { type ClientHello, Connection } from '../link/connection.js'
import type { Answer, ConnectionEvents, Reception, Unsendable } from '../link/connection-events.js'
import { MOVED, OVERFLOW, refusalOf, SESSION_ENDS, TOO_MUCH_WAITS } from '../link/endings.js'
import { type Bye, isCounted } from '../link/extensions.js'
import type { HelloParams, HelloResult } from '../link/handshake.js'
import { UNKNOWN_LIMITS, whyUnsendable } from '../link/peer-limits.js'
import { type ErrorContext, IN_FRAME, outgoingContext } from '../logging/error-context.js'
import { CloseCode, meantBy } from '../transport/close-codes.js'
import { failedTransport } from '../transport/failed-transport.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { type Encoded, encode, heldBytes, keep } from '../wire/encoded.js'
import {
  type ErrorMessage,
  type MessageId,
  type NotificationMessage,
  neverRanMessage,
  type ResponseMessage,
} from '../wire/message.js'
import { randomId } from '../wire/random-id.js'
import type { Weighed } from '../wire/weight.js'
import type { Absence } from './absence.js'
import { disconnectedError, type Refusal } from './call-errors.js'
import { type CallTrace, type Entry, traceFrom } from './call-trace.js'
import { Caller, type CallerHost } from './caller.js'
import type { ChannelCoreOptions, Owner } from './channel-core-options.js'
import { Delivery, type DeliveryEvents } from './delivery.js'
import { type Authorize, Dispatcher, type DispatcherHost } from './dispatcher.js'
import type { AnyHandler, ExposeOptions, HandlersByName } from './exposed-handlers.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'
import { type HeldCall, HeldCalls } from './held-calls.js'
import type { Incoming } from './incoming.js'
import type { ResolvedChannelOptions } from './options.js'
import type { EncodedCall, Outgoing } from './outbox.js'
import type { PendingCall } from './pending-call.js'
import { cancellation } from './refusals.js'
import { createRemote } from './remote.js'
import { ResendBudget } from './resend-budget.js'

/** Whether a client says hello on one connection, and how much time is left for the handshake. */
export type Handshake = Pick<ClientHello, 'isSaid' | 'timeLeftMs'>

/** How many bytes of held calls may wait before the other side is held back. */
const MOST_HELD = 1024 * 1024
/**
 * How long, in ms, the other side may take nothing before it is read again. It may itself be waiting for this side to
 * read.
 */
const HELD_BACK_MS = 1_000

/** What a server knows of a client that is not there. */
const AWAY: Absence = {
  text: 'the connection was lost, and the session waits for the next one',
  isFirst: false,
  cause: undefined,
}

/**
 * One conversation, by names and unknown values; the public types are put on at the edge.
 *
 * It outlives its connections. Calls that were not written wait for the next one, where the channel
 * is a lasting one; those that were, go on in the session, where the two sides keep one, and otherwise
 * end with the connection.
 */
export class ChannelCore
  implements CallerHost, ConnectionEvents, DeliveryEvents, DispatcherHost, SessionHost
{
  /** 128 random bits, in hexadecimal. */
  readonly id = randomId()
  /** What handlers and middleware find as `channel`. */
  readonly channel: Owner
  readonly #options: ChannelCoreOptions<Owner>
  /** Those it begins with. */
  readonly #handlers: HandlersByName
  readonly #delivery: Delivery
  /** Client: what its server was told of its methods. */
  readonly #told: ToldMethods | undefined
  // What most channels of a server never need is made when it is needed.
  #otherSide: object | undefined
  #callerThere: Caller | undefined
  #dispatcherThere: Dispatcher | undefined
  #resendBudget: ResendBudget | undefined
  #streamRoom: StreamRoom | undefined
  /** Calls of the other side that are not begun until it has taken more of what waits for it. */
  #heldCalls: HeldCalls | undefined
  #isBeginning = false
  /** Why nothing is sent any more, for now or for good. */
  #refusal: Refusal | undefined
  #connection: Connection | undefined
  /** What the other side accepts, by the last connection: messages of its session may still be made after it. */
  #peerLimits = UNKNOWN_LIMITS
  #tap: WireTap | undefined
  /** Of the last connection, for those who look back at it. */
  #lastOtherId: string | null = null
  #attempt = 0
  /** This side ends the connection, and the session with it. */
  #isEnding = false
  /** The server has said that it leaves: on the server, itself. */
  #leaving: Bye | undefined
  /** Server: the client has not said that it heard that. */
  #isUnheard = false
  /** Callback that waits until the channel is not serving. */
  #tellServed: (() => void) | undefined

  /**
   * @param owner whose it is.
   * @param handlers those of its methods that it begins with.
   */
  constructor(options: ChannelCoreOptions<Owner>, owner: Owner, handlers: HandlersByName) {
    this.channel = owner
    this.#options = options
    this.#handlers = handlers
    this.#delivery = new Delivery(options.settings.limits, options.lasting, this)
    if (options.side === 'client') {
      this.#told = new ToldMethods(
        () => this.#dispatcher.exposed,
        (exposed) => this.#connection?.sendExtension('rpc.methods', { exposed }) ?? false,
      )
    }
  }

  get #caller(): Caller {
    this.#callerThere ??= new Caller(this)
    return this.#callerThere
  }

  get #dispatcher(): Dispatcher {
    this.#dispatcherThere ??= new Dispatcher(this.#handlers, this)
    return this.#dispatcherThere
  }

  get #resends(): ResendBudget {
    this.#resendBudget ??= new ResendBudget()
    return this.#resendBudget
  }

  // ── What its parts find here ──────────────────────────────────────────────────────────────────

  get side(): Side {
    return this.#options.side
  }

  get settings(): ResolvedChannelOptions {
    return this.#options.settings
  }

  get isLasting(): boolean {
    return this.#options.lasting
  }

  get authorize(): Authorize | undefined {
    return this.#options.authorize
  }

  get answerKeyed(): AnswerKeyed | undefined {
    return this.#options.answerKeyed
  }

  get owner(): string | undefined {
    return this.channel.owner
  }

  /** What handlers and middleware find as `identity`. */
  get identity(): unknown {
    return this.channel.identity
  }

  /** What the contract gives this side. */
  get localSide(): ContractSide | undefined {
    const { side, contract } = this.#options
    return contract?.[side]
  }

  /** What the contract gives the other side. */
  get remoteSide(): ContractSide | undefined {
    const { side, contract } = this.#options
    return contract?.[side === 'server' ? 'client' : 'server']
  }

  /** How much of streams may wait here to be taken. */
  get room(): StreamRoom {
    this.#streamRoom ??= new StreamRoom(this.settings.limits)
    return this.#streamRoom
  }

  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  get absence(): Absence | undefined {
    if (this.isConnected) return undefined
    return this.#options.absence?.() ?? (this.#connection ? undefined : AWAY)
  }

  get mayBeExtended(): boolean {
    return !this.#connection?.isReady || this.#connection.isExtended
  }

  change(): void {
    this.#options.events.change?.(this.channel)
    this.#lookServed()
  }

  error(error: unknown, context: ErrorContext): void {
    this.#options.events.error(this.channel, error, context)
  }

  // ── Where it stands ───────────────────────────────────────────────────────────────────────────

  /** Made when it is first asked for: a server seldom calls all of its clients. */
  get other(): object {
    if (this.#otherSide) return this.#otherSide
    this.#otherSide = createRemote(this.remoteSide, (kind, method, params, callOptions, entry) => {
      if (kind === 'notification') return this.notify(method, params, callOptions, entry)
      return kind === 'stream'
        ? this.stream(method, params, callOptions, entry)
        : this.call(method, params, callOptions, entry)
    })
    return this.#otherSide
  }

  /** How many calls and notifications were begun on this side. */
  get begun(): number {
    return this.#callerThere?.begun ?? 0
  }

  /** Calls that were sent and wait for their answer. */
  get inFlight(): number {
    return this.#callerThere?.inFlight ?? 0
  }

  /** Calls and notifications that wait for a connection. */
  get queued(): number {
    return this.#delivery.queued
  }

  /** How much is held for the other side of a session, in bytes, text by its length. */
  get heldBytes(): number {
    return this.#delivery.heldBytes + (this.#heldCalls?.bytes ?? 0)
  }

  /** Calls of the other side that run here. */
  get running(): number {
    return this.#dispatcherThere?.running ?? 0
  }

  /**
   * Whether calls run here that are no streams, which may have no end, something waits to be written, or the other side
   * calls on, having heard no goodbye.
   */
  get isServing(): boolean {
    // After the channel has ended, nobody waits for calls that still run.
    const isAwaited = this.#refusal === undefined && this.#dispatcherThere?.hasCalls === true
    const isHolding = this.#delivery.isHolding || (this.#heldCalls?.size ?? 0) > 0
    return isAwaited || isHolding || this.#isUnheard
  }

  /** @returns a promise that resolves when the channel is not serving. */
  whenServed(): Promise<void> {
    return new Promise((resolve) => {
      this.#tellServed = resolve
      this.#lookServed()
    })
  }

  #lookServed(): void {
    if (!this.#tellServed || this.isServing) return
    this.#tellServed()
    this.#tellServed = undefined
  }

  /** A call of the other side has ended here. */
  ran(): void {
    // In a later turn, so that the answer is written, or queued, first.
    if (this.#tellServed) setTimeout(() => this.#lookServed(), 0)
  }

  get isConnected(): boolean {
    return this.#connection?.isReady ?? false
  }

  /** The name of what the other side speaks, where it is not JSON-RPC 2.0; a client knows that before it connects. */
  get dialect(): string | undefined {
    if (this.#connection) return this.#connection.dialect
    return this.side === 'client' ? this.settings.dialect?.name : undefined
  }

  /** What the other side calls its channel; null until it has said so, and with a plain peer. */
  get otherId(): string | null {
    return this.#connection?.otherId ?? this.#lastOtherId
  }

  /** Client: the results that its server keeps by key, as it said. */
  get keys(): Keys | undefined {
    return this.#connection?.keys
  }

  // ── Calling ───────────────────────────────────────────────────────────────────────────────────

  /** @param entry what the application has called; of all three. */
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

  /** Resolves when the notification has been handed to the wire. */
  notify(method: string, params: unknown, options?: CallOptions, entry?: Entry): Promise<void> {
    return this.#caller.notify(method, params, options, undefined, entry)
  }

  /** Where a call is being made, if that is to be shown. */
  trace(entry: Entry): CallTrace | undefined {
    return this.settings.traceCalls ? traceFrom(entry) : undefined
  }

  /**
   * The same for one that goes to many; it may be kept for the other side of a session, too.
   *
   * @returns undefined where it has been written, as most are: then it was never a call of its own.
   */
  notifyShared(
    notification: SharedNotification,
    options: CallOptions | undefined,
  ): Promise<void> | undefined {
    if (options === undefined && this.#isWritten(notification)) return undefined
    const { method, params } = notification
    return this.#caller.notify(method, params, options, notification)
  }

  #isWritten(notification: SharedNotification): boolean {
    const { use, format } = this.settings
    const encoded = use || this.#refusal ? undefined : notification.plain(format, this.remoteSide)
    return encoded !== undefined && this.#delivery.writeNow(encoded)
  }

  send(outgoing: Outgoing): void {
    this.#delivery.send(outgoing)
  }

  givenUp(call: PendingCall): void {
    if (!call.isWritten) this.#delivery.remove(call)
    else if (this.#delivery.session || this.#connection?.isExtended) {
      // In a session it has its number, and its place behind the call.
      this.say(wordOf('rpc.cancel', { id: call.id }))
    }
    this.change()
  }

  get largestMessage(): number {
    return this.#peerLimits.message
  }

  whenRoomy(): Promise<void> | undefined {
    return this.#delivery.whenRoomy()
  }

  /** Says something more of a call. @returns why it can't be said, where it can't. */
  say(word: NotificationMessage): Unsent | undefined {
    const { format } = this.settings
    const limits = this.#peerLimits
    let encoded: Encoded
    try {
      encoded = encode(format, word)
    } catch (cause) {
      return new Unsent({ format, cause }, limits)
    }
    const why = whyUnsendable(format, encoded, limits)
    if (why) return new Unsent(why, limits)
    this.#delivery.say(encoded)
    return undefined
  }

  stamped(outgoing: Outgoing, connection: Connection): Encoded {
    return outgoing.call ? this.#caller.stamped(outgoing, connection) : outgoing.encoded
  }

  written(outgoing: Outgoing, connection: Connection): void {
    this.#caller.written(outgoing, connection)
  }

  refused(outgoing: Outgoing, why: Unsendable, connection: Connection): void {
    this.#caller.unsendable(outgoing, why, connection)
  }

  overflow(): void {
    this.end(OVERFLOW)
  }

  // ── A side that is behind ─────────────────────────────────────────────────────────────────────

  get isBehind(): boolean {
    // Held calls are being begun now: these came before all others.
    if (this.#isBeginning) return false
    return (this.#heldCalls?.size ?? 0) > 0 || this.#delivery.isBehind
  }

  hold(call: HeldCall): string | undefined {
    const { runningBytes } = this.settings.limits
    this.#heldCalls ??= new HeldCalls()
    const held = this.#heldCalls
    const bytes = held.bytes + (this.#dispatcherThere?.runningBytes ?? 0)
    if (bytes > 0 && bytes + call.weight > runningBytes) {
      return `${call.what} was not run: too much waits until this caller reads its answers (limits.runningBytes)`
    }
    held.add(call)
    // If nothing waits for the other side to read, the calls that are held may wait for what it sends next, such as
    // the rest of a batch: so it must be read.
    if (held.bytes > MOST_HELD && this.#delivery.isStuck) this.#holdBack(true)
    return undefined
  }

  /**
   * Makes the other side stop sending, or lets it go on. In a session it must still be read, as its acknowledgements
   * arrive there.
   */
  #holdBack(isHeldBack: boolean): void {
    const { session } = this.#delivery
    if (session) session.holdBack(isHeldBack)
    else this.#connection?.holdUp(isHeldBack)
  }

  relieved(): void {
    this.#beginHeld()
    this.change()
  }

  #beginHeld(): void {
    const held = this.#heldCalls
    if (!held || this.#isBeginning) return
    this.#isBeginning = true
    try {
      held.beginWhile(() => !this.#delivery.isBehind)
    } finally {
      this.#isBeginning = false
    }
    this.#letGoOn(held)
  }

  /** Lets the other side send again when few calls are held, or when nothing waits for it to read. */
  #letGoOn({ bytes }: HeldCalls): void {
    if (bytes <= MOST_HELD / 2 || !this.#delivery.isStuck) this.#holdBack(false)
  }

  stalled(ms: number): void {
    const held = this.#heldCalls
    if (!held) return
    // If each side waits for the other to read, one of them must begin to read.
    if (ms >= HELD_BACK_MS) this.#holdBack(false)
    else if (ms === 0 && held.bytes > MOST_HELD) this.#holdBack(true)
  }

  #forgetHeld(): void {
    if (!this.#heldCalls) return
    this.#heldCalls.clear()
    this.#holdBack(false)
  }

  hasRoomFor(answer: Encoded): boolean {
    return this.#delivery.hasRoomFor(answer)
  }

  collected(bytes: number): void {
    this.#delivery.collect(bytes)
    if (bytes < 0) this.#beginHeld()
  }

  drained(connection: Connection): void {
    if (connection === this.#connection) this.#delivery.relieve()
  }

  awaits(id: MessageId): boolean {
    return this.#callerThere?.awaited(id) !== undefined
  }

  answer(answer: Answer): void {
    if (this.#isReturned(answer)) return
    if (this.#caller.answered(answer) && this.isLasting) this.#resends.earn()
  }

  /** Whether a server that leaves gives a call back, which then waits for the next one. */
  #isReturned(answer: Answer): boolean {
    if (!this.#leaving || answer.kind !== 'error' || answer.ran !== false) return false
    const call = this.#caller.awaited(answer.id)
    if (call?.encoded === undefined) return false
    this.#takeBack([call as EncodedCall])
    return true
  }

  // ── Serving ───────────────────────────────────────────────────────────────────────────────────

  expose(method: string, handler: AnyHandler, options?: ExposeOptions): () => void {
    return this.#dispatcher.expose(method, handler, options)
  }

  handlersChanged(): void {
    this.#told?.changed()
  }

  request(
    { session }: Connection,
    id: MessageId,
    incoming: Incoming,
    weighed: Weighed,
  ): MaybeAsync<ResponseMessage | undefined> {
    return this.#leaving && this.side === 'server' && !this.#isBeginning
      ? this.#refuseLate(id, session)
      : this.#dispatcher.request(id, incoming, weighed)
  }

  notification({ session }: Connection, incoming: Incoming, weighed: Weighed): void {
    // In a session it is sent again elsewhere, as a call is.
    if (this.#leaving && session && this.side === 'server' && !this.#isBeginning) return
    this.#dispatcher.notification(incoming, weighed)
  }

  cancel(id: MessageId): ResponseMessage | undefined {
    const held = this.#heldCalls?.take(id)
    if (!held) return this.#dispatcher.cancel(id, cancellation())
    this.#letGoOn(this.#heldCalls as HeldCalls)
    return neverRanMessage(id, ErrorCode.cancelled, `${held.what} was cancelled`)
  }

  word(method: string, params: unknown, bytes: number): string | undefined {
    return (
      this.#caller.heard(method, params, bytes) ?? this.#dispatcher.heard(method, params, bytes)
    )
  }

  refusedWord(method: string, params: unknown, why: string): boolean {
    return (
      this.#caller.refusedWord(method, params, why) ||
      this.#dispatcher.refusedWord(method, params, why)
    )
  }

  reply(connection: Connection, encoded: Encoded): void {
    const { isReady, offersSession, session } = connection
    if (isReady || session) return this.#delivery.reply(encoded, connection)
    connection.earlyBytes += heldBytes(encoded)
    if (connection.earlyBytes > this.settings.limits.answerBytes) {
      return connection.end(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
    }
    if (offersSession) {
      connection.early ??= []
      connection.early.push(keep(encoded, connection))
    } else connection.write(encoded)
  }

  /** A client has said which methods it can be called for; of others than the contract's nothing is kept. */
  exposes(names: readonly string[]): void {
    const { contract, side, events } = this.#options
    const theirs = contract?.client
    if (side === 'server') {
      const known = theirs ? names.filter((name) => definitionOf(theirs, name)) : names
      events.exposes?.(this.channel, known)
    }
  }

  // ── Connections ───────────────────────────────────────────────────────────────────────────────

  /**
   * Goes on over this transport; an earlier connection that is still there ends.
   *
   * @param handshake of a client: how it says hello on this connection. Default: as its options say.
   */
  attach(transport: Transport, handshake: Handshake = this.#handshake): void {
    // From here on nothing of an earlier connection is heard: the hello tells how far this side is.
    this.#connection?.end(CloseCode.goingAway, 'Another connection takes its place')
    const wire = this.#translated(transport)
    const hello = this.side === 'client' ? this.#hello(transport, handshake) : undefined
    const connection = new Connection(wire, this.settings, this, hello)
    this.#connection = connection
    if (this.#tap) connection.tap(this.#tap)
    connection.start()
  }

  /** The transport, or one that speaks the other side's dialect over it. */
  #translated(transport: Transport): Transport {
    const { format, limits, dialect } = this.settings
    if (!dialect) return transport
    try {
      return dialect.wrap(transport, {
        side: this.side,
        channelId: this.id,
        maxMessage: limits.message,
        frameType: format.frameType,
        error: (error: unknown) => this.error(error, IN_FRAME),
      })
    } catch (thrown) {
      return failedTransport(transport, thrown)
    }
  }

  get #handshake(): Handshake {
    const { plain, helloTimeoutMs } = this.settings
    return { isSaid: !plain, timeLeftMs: helloTimeoutMs }
  }

  #hello({ reliable, isReplaceable }: Transport, handshake: Handshake): ClientHello {
    const { session } = this.#delivery
    const token = session?.token
    const offersSession = this.#options.offersSession === true && (isReplaceable ?? !reliable)
    return {
      id: this.id,
      attempt: ++this.#attempt,
      methods: this.#told?.greet(),
      ...(session &&
        token !== undefined && { resume: { sid: session.sid, token, recv: session.tell() } }),
      keepsBytes: offersSession ? this.settings.limits.unackedBytes : undefined,
      ...handshake,
    }
  }

  /** For developer tools: has all that its connections carry pass through a tap, in place of an earlier one. */
  tap(tap: WireTap): Inspection {
    this.#tap = tap
    this.#connection?.tap(tap)
    return {
      codec: this.settings.format.codec,
      isCounted,
      snapshot: () => snapshotOf(this, this.#connection, this.#delivery.session),
      stop: () => {
        if (this.#tap !== tap) return
        this.#tap = undefined
        this.#connection?.tap(undefined)
      },
    }
  }

  receive(hello: HelloParams, connection: Connection): Reception {
    const welcome = { sid: this.id, resumed: false, spreadMs: 0 }
    return this.#options.receive?.(hello, connection, this.channel) ?? { welcome }
  }

  spreadMs(): number | undefined {
    return this.#options.spreadMs?.(this.channel)
  }

  latency(ms: number): void {
    this.#options.events.latency?.(this.channel, ms)
  }

  spread(ms: number): void {
    this.#options.events.spread?.(this.channel, ms)
  }

  unheard(): void {
    this.#lose({ message: 'the client said late who it is' })
  }

  ready(connection: Connection, hello: HelloResult | undefined, isFirst: boolean): void {
    connection.session = this.#ready(connection, hello, isFirst)
    const { early = [] } = connection
    connection.early = undefined
    for (const encoded of early) this.reply(connection, encoded)
  }

  /** @returns the session that goes on, or begins, where the two sides keep one. */
  #ready(
    connection: Connection,
    hello: HelloResult | undefined,
    isFirst: boolean,
  ): Session | undefined {
    const { side, events } = this.#options
    const before = this.#delivery.session
    const isResumed = hello?.resumed === true
    if (side === 'client') {
      if (!isResumed) this.#renew(hello)
      else if (hello.sid !== before?.sid || !this.#delivery.acknowledged(hello.recv)) {
        connection.end(CloseCode.violation, 'The server resumes what this client never had')
        return undefined
      }
    }
    this.#peerLimits = connection.peerLimits
    this.#delivery.attach(connection)
    this.#told?.catchUp()
    if (isResumed) events.resumed?.(this.channel, hello)
    else if (isFirst) events.open(this.channel, hello)
    const session = this.#delivery.session
    this.#delivery.relieve()
    return session
  }

  /** Client: another session begins, or none. */
  #renew(hello: HelloResult | undefined): void {
    const before = this.#delivery.session
    if (before) {
      const lastRecv = before.isPossible(hello?.lastRecv) ? hello?.lastRecv : undefined
      const again = lastRecv === undefined ? [] : before.above(lastRecv)
      this.#endSession(
        { code: 1006, reason: 'The server does not have the session any more' },
        again,
      )
    }
    if (hello?.token !== undefined && this.#options.offersSession) {
      this.#begin(hello.sid, hello.token, hello.limits.buf)
    }
  }

  /** Server: keeps a session for the other side, which keeps so many bytes itself. */
  begin(peerBytes: number | undefined): void {
    this.#begin(this.id, undefined, peerBytes)
  }

  #begin(sid: string, token: string | undefined, peerBytes: number | undefined): void {
    const { limits } = this.settings
    const kept = { sid, token, limits, peerBytes: peerBytes ?? limits.unackedBytes }
    this.#delivery.begin(new Session(kept, this))
  }

  acknowledge(recv: number): void {
    this.#connection?.sendExtension('rpc.ack', [recv])
  }

  /**
   * Server: goes on with the session over a connection that began as another channel's. Nothing of
   * the connection before is heard from here on, and it is told that it lost.
   *
   * @param recv how many messages of this side the client has dispatched.
   * @returns where the connection tells from now on what it hears; `undefined` where `recv` can't be.
   */
  resume(connection: Connection, recv: unknown): ConnectionEvents | undefined {
    if (!this.#delivery.acknowledged(recv)) return undefined
    const before = this.#connection
    this.#connection = connection
    before?.end(CloseCode.takenOver, 'Another connection has taken over the session')
    return this
  }

  /** Server: the last word to a hello that goes on with this session. */
  get recv(): number {
    return this.#delivery.session?.tell() ?? 0
  }

  /** Server: its connection goes on as another channel's. */
  abandon(): void {
    this.#connection = undefined
    this.#delivery.detach()
    this.#over(refusalOf(MOVED, 'the channel ended'))
    this.#options.events.ended(this.channel, MOVED, undefined)
  }

  acknowledged(connection: Connection, recv: unknown): void {
    if (!this.#delivery.session) return
    if (this.#delivery.acknowledged(recv)) return this.#delivery.relieve()
    const reason = `The protocol was broken: an rpc.ack of ${quoted(recv)} can't be`
    this.error(new RpcProtocolError(reason), IN_FRAME)
    connection.end(CloseCode.violation, reason)
  }

  /** Client: gives up a connection whose hello has not been answered, as if it had not been made. */
  leaveAttempt(): void {
    const connection = this.#connection
    if (!connection || connection.isReady) return
    this.#connection = undefined
    // This code does not end a session: the server may have received the hello.
    connection.end(CloseCode.timedOut, 'The client makes another attempt')
  }

  close(connection: Connection, info: CloseInfo): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#lastOtherId = connection.otherId ?? null
    const { events } = this.#options
    const retryAfterMs = this.#leaving?.retryAfterMs
    const session = this.#delivery.session
    const goesOn = session && this.#outlives(info)
    if (!goesOn) this.#over(refusalOf(info, 'the connection was lost'))
    this.#delivery.detach()
    events.down(this.channel, info, retryAfterMs, connection.isEndTold)
    // Who ends a session itself does not come back to ask how far it had come.
    if (!goesOn) events.ended(this.channel, info, this.#isEnding ? session?.recv : undefined)
    this.change()
  }

  /** Whether the session outlives a connection that ended like this. */
  #outlives({ code }: CloseInfo): boolean {
    if (this.#isEnding || this.#leaving) return false
    return this.side === 'client' || !SESSION_ENDS.has(meantBy(code))
  }

  /**
   * The session is over, and its calls with it.
   *
   * @param again what the other side is known not to have received.
   */
  #endSession(info: CloseInfo, again: readonly Outgoing[] = []): void {
    const recv = this.#delivery.session?.recv
    this.#delivery.end()
    const why = refusalOf(info, 'the session ended')
    this.#takeBack(
      again.filter((outgoing) => this.#caller.isWanted(outgoing) && this.#spend(outgoing, why)),
    )
    this.#over(why)
    this.#options.events.ended(this.channel, info, recv)
  }

  /** What was bound to the session, or to the connection where there is none, ends with it. */
  #over(why: Refusal): void {
    this.#isUnheard = false
    this.#forgetHeld()
    this.#delivery.end()
    this.#dispatcherThere?.cancelAll(
      own(new RpcDisconnectedError('The caller is gone', 'maybe-executed')),
    )
    this.#lose(why)
    this.#leaving = undefined
    if (!this.isLasting) this.refuse({ ...why, message: `the channel is closed: ${why.message}` })
  }

  /** What was written ends, but calls with a key: whoever serves next may know what came of them. */
  #lose(why: Refusal): void {
    if (!this.#callerThere) return
    const isFree = this.#leaving !== undefined
    const mayGoAgain = () => this.isLasting && (isFree || this.#resends.spend())
    this.#delivery.restore(this.#caller.lose(why, mayGoAgain))
  }

  /** @returns whether a message may be sent again; where not, its call ends. */
  #spend({ kind, call }: Outgoing, why: Refusal): boolean {
    if (!this.isLasting || kind === 'reply') return false
    if (this.#resends.spend()) return true
    this.#caller.returned(call)
    const error = disconnectedError(call, why)
    if (kind === 'notification') this.error(error, outgoingContext(call, 'send'))
    else this.#caller.fail(call, error)
    return false
  }

  /** Messages that were not received wait, ahead of all else, for whoever serves next. */
  #takeBack(again: readonly Outgoing[]): void {
    for (const { call } of again) if (call) this.#caller.returned(call)
    this.#delivery.sendAgain(again)
    this.change()
  }

  // ── Leaving ───────────────────────────────────────────────────────────────────────────────────

  /** Server: runs no call any more that has not come yet, and says so. */
  leave(retryAfterMs: number | undefined): void {
    const recv = this.#delivery.session?.tell()
    this.#leaving = {
      ...(recv !== undefined && { recv }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
    this.#isUnheard = this.#connection?.isExtended ?? false
    this.#connection?.sendExtension('rpc.bye', this.#leaving)
  }

  /** @returns what a call is told that came after the goodbye; nothing in a session, where the number told it. */
  #refuseLate(id: MessageId, session: Session | undefined): ErrorMessage | undefined {
    if (session) return undefined
    return neverRanMessage(
      id,
      ErrorCode.shuttingDown,
      'The server is leaving: call again, elsewhere',
    )
  }

  bye(connection: Connection, bye: Bye): void {
    if (this.side === 'server') {
      this.#isUnheard = false
      this.#lookServed()
      return
    }
    const session = this.#delivery.session
    const { recv } = bye
    if (session && recv !== undefined && !session.isPossible(recv)) {
      const reason = `The protocol was broken: an rpc.bye of ${quoted(recv)} can't be`
      return connection.end(CloseCode.violation, reason)
    }
    this.#leaving = bye
    this.#delivery.holdCalls()
    // No call comes behind this: the server need not wait for one.
    connection.sendExtension('rpc.bye', {})
    if (session && recv !== undefined) {
      this.#takeBack(session.above(recv).filter((outgoing) => this.#caller.isWanted(outgoing)))
    }
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  /** From now on nothing is sent, and what waited is rejected, until {@link allow}. */
  refuse(refusal: Refusal): void {
    if (this.#delivery.session) {
      const { closeCode = CloseCode.normal, message } = refusal
      this.#endSession({ code: closeCode, reason: message })
    }
    this.#refusal = refusal
    this.#callerThere?.refuse(refusal, (call) => this.#delivery.remove(call))
    this.change()
  }

  allow(): void {
    this.#refusal = undefined
  }

  /** Ends the connection there is, and the session with it; their calls end, too. */
  end({ code, reason }: CloseInfo): void {
    this.#isEnding = true
    if (this.#connection) this.#connection.end(code, reason)
    else if (this.#delivery.session) this.#endSession({ code, reason })
    this.#isEnding = false
  }
}
