import { MAX_TIMER_MS } from '../base/max-timer.js'
import { describeThrown, ErrorCode, RpcProtocolError } from '../errors/errors.js'
import { type ErrorContext, IN_FRAME, OF_CONNECTION } from '../logging/error-context.js'
import type { BuiltInEvents } from '../transport/built-in.js'
import { CloseCode } from '../transport/close-codes.js'
import type { DialectTransport } from '../transport/dialect.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Frame, jsonCodec } from '../wire/codec.js'
import { attachedTo, type Encoded, encode, frameOf } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import { errorMessage, type MessageId, type NotificationMessage } from '../wire/message.js'
import { OVER_RATE, TOO_MUCH_WAITS } from './endings.js'
import { GuardedTransport, type PauseReason, type TransportOwner } from './guarded-transport.js'
import type { Handshake, HandshakeConnection } from './handshake.js'
import { codecMismatch } from './hello.js'
import { IncomingFrames, type IncomingFramesHost } from './incoming-frames.js'
import type { CreateKeepalive, Keepalive, KeepaliveEvents } from './keepalive.js'
import type { ChannelLimits } from './limits.js'
import type {
  EarlyEvents,
  Hello,
  LinkEvents,
  MessageAmount,
  MessageLink,
  OutgoingMessage,
} from './message-link.js'
import { PLAIN_PEER } from './peer-facts.js'
import { SharedFrame } from './shared-frame.js'
import type { WireTap } from './wire-tap.js'

/** The settings of this side's connections: one object for all connections of a server. */
export interface ConnectionSettings {
  readonly limits: ChannelLimits
  readonly format: Format
  /** Makes what watches the other side; undefined if nothing does. */
  readonly createKeepalive: CreateKeepalive | undefined
}

/** A socket with more bytes than this to send is congested. */
const CONGESTED = 1024 * 1024
/**
 * How many control messages of the connection (acknowledgements, answers to pings) may go ahead of waiting messages.
 */
const MOST_CONTROLS = 10_000

/** A connection without a session keeps nothing. */
const NOTHING: MessageAmount = { messages: 0, bytes: 0 }

/**
 * One connection: it makes the handshake, turns frames into messages and messages into frames, and watches whether the
 * other side is alive. It knows no calls, and is not used again after its end.
 */
export class Connection
  implements
    MessageLink,
    IncomingFramesHost,
    TransportOwner,
    Required<BuiltInEvents>,
    KeepaliveEvents
{
  upper: MessageLink | undefined
  readonly format: Format
  readonly #transport: GuardedTransport
  readonly #settings: ConnectionSettings
  events: LinkEvents
  readonly handshake: Handshake
  stage: HandshakeConnection['stage'] = 'waiting'
  isReady = false
  peer = PLAIN_PEER
  #handshakeTimer: ReturnType<typeof setTimeout> | undefined
  readonly #keepalive: Keepalive | undefined
  readonly #incoming: IncomingFrames
  /** Puts the messages that are written in one turn into as few frames as possible. */
  readonly #shared: SharedFrame
  /** The number of control messages that went ahead of waiting messages. */
  #controlsAhead = 0
  #isEndReported = false

  /** @param events if it takes early events only, it calls `redirectEvents` when the connection is ready. */
  constructor(
    transport: DialectTransport,
    settings: ConnectionSettings,
    handshake: Handshake,
    events: EarlyEvents,
  ) {
    this.#settings = settings
    this.format = settings.format
    this.handshake = handshake
    // A receiver of early events only sets another receiver at the first `ready`.
    this.events = events as LinkEvents
    this.#transport = new GuardedTransport(transport, this)
    this.#shared = new SharedFrame(this.#transport)
    const { limits, createKeepalive } = settings
    const { isServer } = handshake
    this.#keepalive = createKeepalive?.(transport, { limits, isServer }, this)
    this.#incoming = new IncomingFrames(this, limits, this.#keepalive)
  }

  /** Begins. Called after the maker of the connection has stored it, because the events use the stored one. */
  start(): void {
    const handshake = this.handshake
    const { isPlain, timeLeftMs } = handshake
    if (!isPlain) {
      const ms = Math.min(timeLeftMs, MAX_TIMER_MS)
      this.#handshakeTimer = setTimeout(() => handshake.timedOut(this), ms)
    }
    try {
      this.#transport.start(this)
    } catch (thrown) {
      // In a later turn, because the caller does not have the channel yet.
      queueMicrotask(() => this.failed(thrown))
      return
    }
    // In a later turn, because the caller does not have the channel yet.
    if (isPlain) queueMicrotask(() => this.#beginUnasked())
    else handshake.begin(this)
  }

  /** From now on, events go to the link above this one: a session, or the channel that goes on over the connection. */
  redirectEvents(events: LinkEvents): void {
    this.events = events
  }

  // ── Events of the transport ───────────────────────────────────────────────────────────────────

  frame(frame: Frame): void {
    try {
      const { tapped } = this.#transport
      if (tapped) tapped.receive(frame)
      else this.#incoming.receive(frame)
    } catch (thrown) {
      this.failed(thrown)
    }
  }

  receive(frame: Frame): void {
    this.#incoming.receive(frame)
  }

  pong(): void {
    this.#keepalive?.answered()
  }

  drained(): void {
    if (this.stage !== 'over') this.events.room(this)
  }

  arriving(): void {
    this.#keepalive?.arriving()
  }

  otherFrames(frames: number, bytes: number): void {
    if (this.stage !== 'over') this.#keepalive?.otherFrames(frames, bytes)
  }

  unreadable(cause: Error): void {
    if (this.stage === 'over') return
    this.#isEndReported = true
    const isTooBig = (cause as { code?: unknown }).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    const why = isTooBig
      ? `A message is larger than limits.message (${this.#settings.limits.message} bytes). Raise the limit, or send a stream`
      : `A frame of the WebSocket can't be read: ${cause.message}`
    this.events.error(new RpcProtocolError(why, { cause }), IN_FRAME)
  }

  close(info: CloseInfo): void {
    if (this.stage === 'over') return
    this.stage = 'over'
    this.isReady = false
    this.#incoming.reader.attachments?.discard()
    this.#stopHandshakeTimer()
    this.#keepalive?.stop()
    this.#transport.ended(info)
    this.events.ended(this, info, false, this.#isEndReported)
  }

  // ── Events of the keepalive ───────────────────────────────────────────────────────────────────

  ping(): void {
    this.sendControl('rpc.ping')
  }

  tellArriving(): void {
    this.sendControl('rpc.pong', { unasked: true })
  }

  latency(ms: number): void {
    this.events.latency(ms)
  }

  dead(reason: string): void {
    this.drop({ code: CloseCode.timedOut, reason })
  }

  overRate(isOver: boolean): void {
    if (this.#transport.canPause) this.#pause('over-rate', isOver)
    else if (isOver) this.end(CloseCode.tooMany, OVER_RATE)
  }

  // ── For the handshake ─────────────────────────────────────────────────────────────────────────

  sendJson(message: object): void {
    this.#shared.flush()
    this.#transport.sendFrame(jsonCodec.encode(message))
  }

  agree(hello: Hello): void {
    const { msg: message, batch = 1, depth = Number.POSITIVE_INFINITY } = hello.limits
    const isServer = 'sid' in hello
    this.peer = {
      isExtended: true,
      id: isServer ? hello.sid : hello.id,
      message,
      depth,
      attachments: this.#incoming.reader.attachments?.agree(hello) ?? false,
      keys: isServer ? hello.keys : undefined,
    }
    if (this.format.codec === jsonCodec) this.#shared.allow(batch, message)
  }

  complete(hello: Hello | undefined): void {
    this.#stopHandshakeTimer()
    if (this.stage === 'over') return
    const isFirst = this.stage === 'waiting'
    const isExtended = hello !== undefined
    this.stage = isExtended ? 'extended' : 'plain'
    this.isReady = true
    this.#incoming.reader.isAgreed = isExtended
    this.#keepalive?.watch(isExtended)
    this.events.ready(this, hello, isFirst)
  }

  answered(): void {
    this.#keepalive?.answered()
  }

  refuseCodec(peers: string, id: MessageId = null): void {
    const ours = this.format.codec.name
    const { isServer } = this.handshake
    const reason = isServer ? codecMismatch(peers, ours) : codecMismatch(ours, peers)
    // A client reports the mismatch when it stops, so it is not reported here.
    if (isServer) {
      this.#isEndReported = true
      this.events.error(new RpcProtocolError(reason), IN_FRAME)
      const data = { client: peers, server: ours }
      this.sendJson(errorMessage(id, ErrorCode.codecMismatch, reason, data))
    }
    this.end(CloseCode.violation, reason)
  }

  error(error: unknown, context: ErrorContext): void {
    this.events.error(error, context)
  }

  /** Treats the other side as a plain peer, unless its hello has said otherwise. */
  #beginUnasked(): void {
    if (this.stage === 'waiting') this.complete(undefined)
  }

  #stopHandshakeTimer(): void {
    clearTimeout(this.#handshakeTimer)
    this.#handshakeTimer = undefined
  }

  // ── For the channel ───────────────────────────────────────────────────────────────────────────

  /** From now on, frames in both directions pass through this tap, or through none. */
  tap(tap: WireTap | undefined): void {
    // Messages that were written before do not pass through the tap.
    this.#shared.flush()
    this.#transport.tap(tap)
  }

  /** Whether the other side understands more than JSON-RPC 2.0. */
  get isExtended(): boolean {
    return this.stage === 'extended'
  }

  /** Whether answers must wait until the handshake is over, because it decides whether a session counts them. */
  get holdsAnswers(): boolean {
    return this.stage === 'waiting' && this.handshake.holdsAnswers
  }

  /** The name of the other side's dialect, if it does not use JSON-RPC 2.0. */
  get dialect(): string | undefined {
    return this.#transport.dialect
  }

  /** The number of bytes that wait to be sent, if that is known. */
  get bufferedBytes(): number | undefined {
    return this.#transport.bufferedBytes
  }

  get unsentBytes(): number {
    return this.#transport.unsentBytes
  }

  watchDrain(): boolean {
    return this.#transport.watchDrain()
  }

  /** False if the socket holds too many bytes: then a message must wait. A message that joins a frame need not wait. */
  hasRoomFor(): boolean {
    return !this.#shared.isEmpty || !this.#holdsMoreThan(this.#settings.limits.sendBuffer)
  }

  /** Whether more than `bytes` bytes wait in the socket, as far as that is known. */
  #holdsMoreThan(bytes: number): boolean {
    return (this.#transport.bufferedBytes ?? 0) > bytes
  }

  get isRoomy(): boolean {
    return !this.isCongested
  }

  get isCongested(): boolean {
    return this.#holdsMoreThan(Math.min(CONGESTED, this.#settings.limits.sendBuffer / 2))
  }

  /** Stops reading for a while, if the transport can be paused, or goes on reading. */
  holdBack(isHeldBack: boolean): void {
    if (this.stage !== 'over') this.#pause('held-back', isHeldBack)
  }

  #pause(why: PauseReason, isPaused: boolean): void {
    const hasChanged = this.#transport.pause(why, isPaused)
    if (hasChanged) this.#keepalive?.paused(isPaused)
  }

  send(encoded: Encoded): boolean {
    if (this.stage === 'over') return false
    // A message that joins a frame is sent, or lost, with the frame.
    if (this.#shared.isEmpty && this.#transport.isClosed) return false
    if (typeof encoded === 'string' && this.#shared.take(encoded)) return true
    this.#shared.flush()
    const frame = frameOf(encoded)
    const attached = attachedTo(encoded)
    if (attached) return attached.send(frame, this.#transport)
    if (!this.isExtended) this.#transport.cork()
    return this.#transport.sendFrame(frame)
  }

  sendControl(method: string, params?: unknown): boolean {
    if (!this.isExtended || !this.#hasRoomForControl()) return false
    const message: NotificationMessage = { jsonrpc: '2.0', method }
    if (params !== undefined) message.params = params
    const encoded = this.#encode(message)
    return encoded !== undefined && this.send(encoded)
  }

  /** Closes the connection if the other side reads so little that too many control messages wait. */
  #hasRoomForControl(): boolean {
    if (!this.#holdsMoreThan(this.#settings.limits.sendBuffer)) this.#controlsAhead = 0
    else if (++this.#controlsAhead > MOST_CONTROLS) {
      this.end(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
      return false
    }
    return true
  }

  /** Encodes a control message. If the codec can't carry it, the connection ends. */
  #encode(message: object): Encoded | undefined {
    try {
      return encode(this.format, message)
    } catch (thrown) {
      this.events.error(thrown, IN_FRAME)
      this.end(CloseCode.internal, `The codec "${this.format.codec.name}" failed`)
      return undefined
    }
  }

  /** Ends the connection. This is reported at once, however long the closing handshake still takes. */
  end(code: number, reason: string): void {
    this.#shared.flush()
    this.#transport.close(code, reason)
    this.close({ code, reason })
  }

  /** The memory that the message being delivered takes, in bytes. */
  get weight(): number {
    return this.#incoming.weight
  }

  // A connection without a session counts and keeps nothing.

  get held(): MessageAmount {
    return NOTHING
  }

  get recv(): undefined {
    return undefined
  }

  get session(): undefined {
    return undefined
  }

  get acknowledgements(): number {
    return 0
  }

  get underWayBytes(): number {
    return 0
  }

  reportRecv(): undefined {
    return undefined
  }

  /** Messages are not counted on a connection without a session. */
  unreceived(): readonly OutgoingMessage[] {
    return []
  }

  endWithConnection(): void {}

  stop(): void {}

  cut(code: number, reason: string): void {
    this.end(code, reason)
  }

  /** Ends the connection to a side that is known to be dead: there is no closing handshake. */
  drop(info: CloseInfo): void {
    this.#transport.terminate(info)
    this.close(info)
  }

  /** A function of the transport or of the tap has failed: the connection ends. */
  failed(thrown: unknown): void {
    if (this.stage === 'over') return
    this.events.error(thrown, OF_CONNECTION)
    this.drop({ code: 1006, reason: `The transport failed: ${describeThrown(thrown)}` })
  }

  /** The other side has broken the protocol: the connection ends. */
  violated(what: string): void {
    const reason = `The protocol was broken: ${what}`
    this.#isEndReported = true
    this.events.error(new RpcProtocolError(reason), IN_FRAME)
    this.end(CloseCode.violation, reason)
  }
}
