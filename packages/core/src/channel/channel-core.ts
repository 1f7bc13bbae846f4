import { type ContractSide, definitionOf } from '../contract.js'
import { ErrorCode, RpcDisconnectedError, RpcError, RpcProtocolError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { type Encoded, encode, keep } from '../wire/encoded.js'
import {
  type ErrorMessage,
  type MessageId,
  type NotificationMessage,
  neverRanMessage,
} from '../wire/message.js'
import { disconnectedError, type Refusal } from './call-errors.js'
import { Caller } from './caller.js'
import type { ChannelCoreOptions } from './channel-core-options.js'
import { Connection } from './connection.js'
import type { Answer, ConnectionEvents, Welcome } from './connection-events.js'
import { Delivery } from './delivery.js'
import { Dispatcher } from './dispatcher.js'
import { MOVED, OVERFLOW, refusalOf, SESSION_ENDS } from './endings.js'
import type { AnyHandler, ExposeOptions } from './exposed-handlers.js'
import { type Bye, isCounted } from './extensions.js'
import type { CallOptions, RpcStream, SendOptions } from './functions.js'
import type { HelloResult } from './handshake.js'
import type { Keys } from './keyed-calls.js'
import type { Outgoing } from './outbox.js'
import type { PendingCall } from './pending-calls.js'
import { Presence } from './presence.js'
import { randomId } from './random-id.js'
import { createRemote } from './remote.js'
import { ResendBudget } from './resend-budget.js'
import { Session, type SessionBounds } from './session.js'
import type { SharedNotification } from './shared-notification.js'
import { snapshotOf } from './snapshot.js'
import type { Speech } from './speech.js'
import { StreamRoom } from './stream-room.js'
import { wordOf } from './stream-words.js'
import { ToldMethods } from './told-methods.js'
import { Unsent } from './unsent.js'
import type { Inspection, WireTap } from './wire-tap.js'

/**
 * One conversation, by names and unknown values; the public types are put on at the edge.
 *
 * It outlives its connections. Calls that were not written wait for the next one, where the channel
 * is a lasting one; those that were, go on in the session, where the two sides keep one, and otherwise
 * end with the connection.
 */
export class ChannelCore {
  /** 128 random bits, in hexadecimal. */
  readonly id = randomId()
  #other: object | undefined
  readonly #options: ChannelCoreOptions
  readonly #caller: Caller
  readonly #delivery: Delivery
  readonly #dispatcher: Dispatcher
  readonly #resends = new ResendBudget()
  /** Server: what its client can be called for now. */
  readonly presence: Presence
  /** Client: what its server was told of that. */
  readonly #told: ToldMethods | undefined
  #connection: Connection | undefined
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

  constructor(options: ChannelCoreOptions) {
    const { side, contract, settings } = options
    this.#options = options
    const { lasting, self, identity = () => undefined } = options
    const { limits, use } = settings
    this.#delivery = new Delivery(
      {
        queued: { messages: limits.queuedMessages, bytes: limits.queuedBytes },
        // One message may have found room as long as it was small, and waits: an item of a stream.
        held: { ...this.#bounds, bytes: this.#bounds.bytes + limits.message },
        callsOutliveSessions: lasting,
      },
      {
        stamped: (outgoing, connection) => this.#caller.stamped(outgoing, connection),
        written: (outgoing, connection) => this.#caller.written(outgoing, connection),
        refused: (outgoing, why, connection) => this.#caller.unsendable(outgoing, why, connection),
        overflow: () => this.end(OVERFLOW),
      },
    )
    const room = new StreamRoom(limits)
    this.#caller = new Caller({
      side: this.#remoteSide,
      format: settings.format,
      timeout: settings.timeout,
      isLasting: lasting,
      send: (outgoing) => this.#delivery.send(outgoing),
      speech: this.#speech,
      room,
      mayBeExtended: () => !this.#connection?.isReady || this.#connection.isExtended,
      use,
      channel: self,
      identity,
      givenUp: (call) => this.#givenUp(call),
      change: options.events.change,
      error: options.events.error,
    })
    this.#dispatcher = new Dispatcher({
      side: contract?.[side],
      sideName: side,
      exposeErrors: settings.exposeErrors,
      channel: self,
      identity,
      use,
      authorize: options.authorize,
      fallback: settings.fallback,
      discover: settings.discover,
      answerKeyed: options.answerKeyed,
      maxRunning: limits.running,
      waitForMount: settings.waitForMount,
      changed: () => this.#told?.changed(),
      speech: this.#speech,
      room,
      onError: options.events.error,
    })
    this.presence = new Presence(options.events.error)
    if (side === 'client') {
      this.#told = new ToldMethods(
        () => this.#dispatcher.exposed,
        (exposed) => this.#connection?.sendExtension('rpc.methods', { exposed }) ?? false,
      )
    }
  }

  /** What the contract gives the other side. */
  get #remoteSide(): ContractSide | undefined {
    const { side, contract } = this.#options
    return contract?.[side === 'server' ? 'client' : 'server']
  }

  /** Made when it is first asked for: a server seldom calls all of its clients. */
  get other(): object {
    if (this.#other) return this.#other
    const remoteSide = this.#remoteSide
    this.#other = createRemote(remoteSide, (method, params, callOptions) => {
      const kind = definitionOf(remoteSide, method)?.kind ?? 'method'
      if (kind === 'notification') return this.notify(method, params, callOptions)
      return kind === 'stream'
        ? this.stream(method, params, callOptions)
        : this.call(method, params, callOptions)
    })
    return this.#other
  }

  /** Calls that were sent and wait for their answer. */
  get inFlight(): number {
    return this.#caller.inFlight
  }

  /** Calls and notifications that wait for a connection. */
  get queued(): number {
    return this.#delivery.queued
  }

  /** How much is held for the other side of a session, in bytes, text by its length. */
  get heldBytes(): number {
    return this.#delivery.heldBytes
  }

  /** Calls of the other side that run here. */
  get running(): number {
    return this.#dispatcher.running
  }

  /** Whether calls run here, something waits to be written, or the other side calls on, having heard no goodbye. */
  get isBusy(): boolean {
    return this.running > 0 || this.#delivery.isHolding || this.#isUnheard
  }

  get isConnected(): boolean {
    return this.#connection?.isReady ?? false
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

  call(method: string, params: unknown, options?: SendOptions): Promise<unknown> {
    return this.#caller.call(method, params, options)
  }

  stream(method: string, params: unknown, options: SendOptions = {}): RpcStream<unknown> {
    return this.#caller.stream(method, params, options)
  }

  /** Resolves when the notification has been handed to the wire. */
  notify(method: string, params: unknown, options: CallOptions = {}): Promise<void> {
    return this.#caller.notify(method, params, options)
  }

  /** The same for one that goes to many; it may be kept for the other side of a session, too. */
  notifyShared(notification: SharedNotification, options: CallOptions = {}): Promise<void> {
    const { method, params } = notification
    return this.#caller.notify(method, params, options, notification)
  }

  #givenUp(call: PendingCall): void {
    if (!call.written) this.#delivery.remove(call)
    else if (this.#delivery.session || this.#connection?.isExtended) {
      // In a session it has its number, and its place behind the call.
      this.#say(wordOf('rpc.cancel', { id: call.id }))
    }
    this.#options.events.change()
  }

  readonly #speech: Speech = {
    say: (word) => this.#say(word),
    whenRoomy: () => this.#delivery.whenRoomy(),
  }

  /** Says something more of a call. @returns why it can't be said, where it can't. */
  #say(word: NotificationMessage): Unsent | undefined {
    const { format } = this.#options.settings
    const most = this.#connection?.peerMaxMessage ?? Number.POSITIVE_INFINITY
    let encoded: Encoded
    try {
      encoded = encode(format, word)
    } catch (cause) {
      return new Unsent({ codec: format.codec.name, cause }, most)
    }
    const why = this.#connection?.refuses(encoded)
    if (why) return new Unsent(why, most)
    this.#delivery.say(encoded)
    return undefined
  }

  #answered(answer: Answer): void {
    if (this.#isReturned(answer)) return
    if (this.#caller.answered(answer)) this.#resends.earn()
  }

  /** Whether a server that leaves gives a call back, which then waits for the next one. */
  #isReturned(answer: Answer): boolean {
    if (!this.#leaving || answer.kind !== 'error' || answer.ran !== false) return false
    const call = this.#caller.awaited(answer.id)
    if (!call?.outgoing) return false
    this.#takeBack([call.outgoing])
    return true
  }

  // ── Serving ───────────────────────────────────────────────────────────────────────────────────

  expose(method: string, handler: AnyHandler, options?: ExposeOptions): () => void {
    return this.#dispatcher.expose(method, handler, options)
  }

  /** Exposes an object's own functions, before anything else. */
  exposeAll(methods: object): void {
    this.#dispatcher.exposeAll(methods)
  }

  /** A client has said which methods it can be called for; of others than the contract's nothing is kept. */
  #exposes(names: readonly string[]): void {
    const { contract, side } = this.#options
    const theirs = contract?.client
    if (side === 'server') {
      this.presence.said(theirs ? names.filter((name) => definitionOf(theirs, name)) : names)
    }
  }

  // ── Connections ───────────────────────────────────────────────────────────────────────────────

  /** Goes on over this transport; an earlier connection that is still there ends. */
  attach(transport: Transport): void {
    // From here on nothing of an earlier connection is heard: the hello tells how far this side is.
    this.#connection?.close(CloseCode.goingAway, 'Another connection takes its place')
    const { side, events } = this.#options
    const { format, limits, heartbeat, dialect } = this.#options.settings
    const dialectContext = {
      side,
      channelId: this.id,
      maxMessage: limits.message,
      frameType: format.frameType,
      error: events.error,
    }
    const session = this.#delivery.session
    const token = session?.token
    const connection: Connection = new Connection(
      dialect ? dialect.wrap(transport, dialectContext) : transport,
      {
        side,
        format,
        limits,
        heartbeat,
        hello: {
          id: this.id,
          attempt: ++this.#attempt,
          methods: this.#told?.greet(),
          ...(session &&
            token !== undefined && { resume: { sid: session.sid, token, recv: session.tell() } }),
        },
        keepsBytes: this.#offers(transport) ? limits.unackedBytes : undefined,
        spreadMs: this.#options.spreadMs,
        receive: this.#options.receive ?? (() => ({ welcome: this.#welcome })),
      },
      this.#eventsOf(() => connection),
    )
    this.#connection = connection
    if (this.#tap) connection.tap(this.#tap)
    connection.start()
  }

  /** For developer tools: has all that its connections carry pass through a tap, in place of an earlier one. */
  tap(tap: WireTap): Inspection {
    this.#tap = tap
    this.#connection?.tap(tap)
    return {
      codec: this.#options.settings.format.codec,
      isCounted,
      snapshot: () => snapshotOf(this, this.#connection, this.#delivery.session),
      stop: () => {
        if (this.#tap !== tap) return
        this.#tap = undefined
        this.#connection?.tap(undefined)
      },
    }
  }

  #offers({ reliable, isReplaceable }: Transport): boolean {
    const mayGoOn = isReplaceable ?? !reliable
    return this.#options.side === 'server' || (this.#options.offersSession === true && mayGoOn)
  }

  get #welcome(): Welcome {
    return { sid: this.id, resumed: false, spreadMs: 0 }
  }

  /** What a connection tells, once it is this channel's. */
  #eventsOf(connectionOf: () => Connection): ConnectionEvents {
    const { events } = this.#options
    /** The session that its messages belong to: answers outlive their connection, and no session. */
    let session: Session | undefined
    /** Answers that were ready before the handshake was over, which says whether they count. */
    const early: Encoded[] = []
    const reply = (encoded: Encoded) => {
      const { isReady, offersSession } = connectionOf()
      if (!isReady && offersSession && !session) early.push(keep(encoded, early))
      else if (session) this.#delivery.reply(encoded, session)
      else connectionOf().write(encoded)
    }
    return {
      ready: (hello, isFirst) => {
        session = this.#ready(connectionOf(), hello, isFirst)
        for (const encoded of early.splice(0)) reply(encoded)
      },
      unheard: () => this.#lose({ message: 'the client said late who it is' }),
      counted: (bytes) => session?.received(bytes),
      request: (id, incoming) =>
        this.#leaving && this.#options.side === 'server'
          ? this.#refuseLate(id, session)
          : this.#dispatcher.request(id, incoming),
      notification: (incoming) => {
        // In a session it is sent again elsewhere, as a call is.
        if (!(this.#leaving && session && this.#options.side === 'server')) {
          this.#dispatcher.notification(incoming)
        }
      },
      reply,
      awaits: (id) => this.#caller.awaited(id) !== undefined,
      answer: (answer) => this.#answered(answer),
      exposes: (names) => this.#exposes(names),
      cancel: (id) => this.#dispatcher.cancel(id, cancelledByCaller()),
      word: (method, params, bytes) =>
        this.#caller.heard(method, params, bytes) ?? this.#dispatcher.heard(method, params, bytes),
      acknowledged: (recv) => this.#acknowledged(connectionOf(), recv),
      bye: (bye) => this.#byeSaid(connectionOf(), bye),
      latency: events.latency,
      spread: (ms) => events.spread?.(ms),
      error: events.error,
      close: (info) => this.#down(connectionOf(), info),
    }
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
        connection.close(CloseCode.violation, 'The server resumes what this client never had')
        return undefined
      }
    }
    this.#delivery.attach(connection)
    this.#told?.catchUp()
    if (isResumed) events.resumed(hello)
    else if (isFirst) events.open(hello)
    const session = this.#delivery.session
    this.#flush()
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
    const session = new Session({
      sid,
      token,
      bounds: this.#bounds,
      peerBytes: peerBytes ?? this.#bounds.bytes,
      acknowledge: (recv) => this.#connection?.sendExtension('rpc.ack', [recv]),
    })
    this.#delivery.begin(session)
  }

  get #bounds(): SessionBounds {
    const { unackedMessages: messages, unackedBytes: bytes } = this.#options.settings.limits
    return { messages, bytes }
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
    before?.close(CloseCode.takenOver, 'Another connection has taken over the session')
    return this.#eventsOf(() => connection)
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
    this.#options.events.ended(MOVED, undefined)
  }

  #acknowledged(connection: Connection, recv: unknown): void {
    if (!this.#delivery.session) return
    if (this.#delivery.acknowledged(recv)) return this.#flush()
    const reason = `The protocol was broken: an rpc.ack of ${String(recv)} can't be`
    this.#options.events.error(new RpcProtocolError(reason))
    connection.close(CloseCode.violation, reason)
  }

  #flush(): void {
    this.#delivery.flush()
    this.#options.events.change()
  }

  #down(connection: Connection, info: CloseInfo): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#lastOtherId = connection.otherId ?? null
    const { events } = this.#options
    const retryAfterMs = this.#leaving?.retryAfterMs
    const session = this.#delivery.session
    const goesOn = session && this.#outlives(info)
    if (!goesOn) this.#over(refusalOf(info, 'the connection was lost'))
    this.#delivery.detach()
    events.down(info, retryAfterMs)
    // Who ends a session itself does not come back to ask how far it had come.
    if (!goesOn) events.ended(info, this.#isEnding ? session?.recv : undefined)
    events.change()
  }

  /** Whether the session outlives a connection that ended like this. */
  #outlives({ code }: CloseInfo): boolean {
    if (this.#isEnding || this.#leaving) return false
    return this.#options.side === 'client' || !SESSION_ENDS.has(code)
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
    this.#options.events.ended(info, recv)
  }

  /** What was bound to the session, or to the connection where there is none, ends with it. */
  #over(why: Refusal): void {
    this.#isUnheard = false
    this.#delivery.end()
    this.#dispatcher.cancelAll(new RpcDisconnectedError('The caller is gone', 'maybe-executed'))
    this.#lose(why)
    this.#leaving = undefined
    if (!this.#options.lasting)
      this.refuse({ ...why, message: `the channel is closed: ${why.message}` })
  }

  /** What was written ends, but calls with a key: whoever serves next may know what came of them. */
  #lose(why: Refusal): void {
    const isFree = this.#leaving !== undefined
    const mayGoAgain = () => this.#options.lasting && (isFree || this.#resends.spend())
    this.#delivery.restore(this.#caller.lose(why, mayGoAgain))
  }

  /** @returns whether a message may be sent again; where not, its call ends. */
  #spend({ kind, call }: Outgoing, why: Refusal): boolean {
    if (!this.#options.lasting || kind === 'reply') return false
    if (this.#resends.spend()) return true
    this.#caller.returned(call)
    const error = disconnectedError(call, why)
    if (kind === 'call') this.#caller.fail(call, error)
    else this.#options.events.error(error)
    return false
  }

  /** Messages that were not received wait, ahead of all else, for whoever serves next. */
  #takeBack(again: readonly Outgoing[]): void {
    for (const { call } of again) if (call) this.#caller.returned(call)
    this.#delivery.sendAgain(again)
    this.#options.events.change()
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

  #byeSaid(connection: Connection, bye: Bye): void {
    if (this.#options.side === 'server') {
      this.#isUnheard = false
      return
    }
    const session = this.#delivery.session
    const { recv } = bye
    if (session && recv !== undefined && !session.isPossible(recv)) {
      const reason = `The protocol was broken: an rpc.bye of ${String(recv)} can't be`
      return connection.close(CloseCode.violation, reason)
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
    this.#caller.refuse(refusal, (call) => this.#delivery.remove(call))
    this.#options.events.change()
  }

  allow(): void {
    this.#caller.allow()
  }

  /** Ends the connection there is, and the session with it; their calls end, too. */
  end({ code, reason }: CloseInfo): void {
    this.#isEnding = true
    if (this.#connection) this.#connection.close(code, reason)
    else if (this.#delivery.session) this.#endSession({ code, reason })
    this.#isEnding = false
  }
}

function cancelledByCaller(): RpcError {
  return new RpcError(ErrorCode.cancelled, 'The caller gave the call up')
}
