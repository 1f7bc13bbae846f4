import { MAX_TIMER_MS } from '../base/max-timer.js'
import { describeThrown, ErrorCode, RpcProtocolError } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import { type ErrorContext, IN_FRAME, OF_CONNECTION } from '../logging/error-context.js'
import { type BuiltInEvents, type BuiltInTransport, builtIn } from '../transport/built-in.js'
import { CloseCode } from '../transport/close-codes.js'
import type { DialectTransport } from '../transport/dialect.js'
import type { CloseInfo } from '../transport/transport.js'
import type { FrameLine } from '../wire/attachments.js'
import { type Frame, jsonCodec } from '../wire/codec.js'
import { attachedTo, type Encoded, encode, frameOf } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import {
  type Classified,
  classify,
  errorMessage,
  invalidRequestMessage,
  type MessageId,
  type NotificationMessage,
  type ResponseMessage,
} from '../wire/message.js'
import { WEIGHT_OF_CALL, weightOfJson, weightOfLittle, weightOfValue } from '../wire/weight.js'
import { TOO_MUCH_WAITS } from './endings.js'
import { FrameReader } from './frame-reader.js'
import type { Handshake, HandshakeLine } from './handshake.js'
import { codecMismatch, HELLO } from './hello.js'
import { Keepalive, type KeepaliveEvents, type KeepaliveOptions } from './keepalive.js'
import type {
  BatchMember,
  Held,
  Hello,
  LinkEvents,
  MessageLink,
  OutgoingMessage,
} from './message-link.js'
import { PLAIN_PEER } from './peer-facts.js'
import { atEndOfTurn, type FrameSink, type InTurn, SharedFrame } from './shared-frame.js'
import type { TappedConnection, WireTap } from './wire-tap.js'

/** The settings of this side's connections: one object for all connections of a server. */
export interface ConnectionSettings extends KeepaliveOptions {
  readonly format: Format
}

/** A socket with more bytes than this to send is congested. */
const CONGESTED = 1024 * 1024
/**
 * How many control messages of the connection (acknowledgements, answers to pings) may go ahead of waiting messages.
 */
const MOST_CONTROLS = 10_000

/** A connection without a session keeps nothing. */
const NOTHING: Held = { messages: 0, bytes: 0 }

/**
 * One connection: it makes the handshake, turns frames into messages and messages into frames, and watches whether the
 * other side is alive. It knows no calls, and is not used again after its end.
 */
export class Connection
  implements
    MessageLink,
    HandshakeLine,
    BuiltInEvents,
    KeepaliveEvents,
    FrameSink,
    FrameLine,
    InTurn
{
  upper: MessageLink | undefined
  readonly #transport: DialectTransport
  /** The same, if it is one of this library's. */
  readonly #builtIn: BuiltInTransport | undefined
  readonly #settings: ConnectionSettings
  #events: LinkEvents
  #handshake: Handshake
  readonly #reader: FrameReader
  stage: HandshakeLine['stage'] = 'waiting'
  isReady = false
  peer = PLAIN_PEER
  #patience: ReturnType<typeof setTimeout> | undefined
  readonly #keepalive: Keepalive
  /** Puts the messages that are written in one turn into as few frames as possible. */
  readonly #shared = new SharedFrame(this)
  /** The bytes of the message that is being read, as far as they have come. */
  #bytes = 0
  /** The frame of the message that is being read; others may follow it. */
  #frame: Frame | undefined
  /** The decoded message and its size in bytes. If messages share the frame, both are those of all of them. */
  #decoded: unknown
  #size = 0
  /** How many messages share it. */
  #sharers = 1
  /** The memory that the message being read takes, in bytes; 0 until it is needed. */
  #weight = 0
  /** The number of control messages that went ahead of waiting messages. */
  #controlsAhead = 0
  #isEndTold = false
  #isCorked = false
  #tapped: TappedConnection | undefined

  constructor(
    transport: DialectTransport,
    settings: ConnectionSettings,
    handshake: Handshake,
    events: LinkEvents,
  ) {
    this.#transport = transport
    this.#builtIn = builtIn(transport)
    this.#settings = settings
    this.#handshake = handshake
    this.#events = events
    this.#reader = new FrameReader(settings.format, settings.limits)
    this.#keepalive = new Keepalive(transport, settings, this)
  }

  /** Begins. Called after the maker of the connection has stored it, because the events use the stored one. */
  start(): void {
    const handshake = this.#handshake
    const { isPlain, timeLeftMs } = handshake
    if (!isPlain) {
      const ms = Math.min(timeLeftMs, MAX_TIMER_MS)
      this.#patience = setTimeout(() => handshake.timedOut(this), ms)
    }
    try {
      if (this.#builtIn) this.#builtIn.start(this)
      else this.#transport.start(this.#apart)
    } catch (thrown) {
      // In a later turn, because the caller does not have the channel yet.
      queueMicrotask(() => this.failed(thrown))
      return
    }
    // In a later turn, because the caller does not have the channel yet.
    if (isPlain) queueMicrotask(() => this.#beginUnasked())
    else handshake.begin(this)
  }

  /** The events as an object that the transport may destructure. */
  get #apart(): BuiltInEvents {
    return {
      frame: (frame) => this.frame(frame),
      close: (info) => this.close(info),
      pong: () => this.pong(),
      drained: () => this.drained(),
      arriving: () => this.arriving(),
      passed: (frames, bytes) => this.passed(frames, bytes),
      unreadable: (cause) => this.unreadable(cause),
    }
  }

  /** From now on, events go to the link above this one: a session, or the channel that goes on over the connection. */
  tellInstead(events: LinkEvents, handshake: Handshake = this.#handshake): void {
    this.#events = events
    this.#handshake = handshake
  }

  // ── Events of the transport ───────────────────────────────────────────────────────────────────

  frame(frame: Frame): void {
    try {
      if (this.#tapped) this.#tapped.receive(frame)
      else this.#receive(frame)
    } catch (thrown) {
      this.failed(thrown)
    }
  }

  pong(): void {
    this.#keepalive.answered()
  }

  drained(): void {
    if (this.stage !== 'over') this.#events.room(this)
  }

  arriving(): void {
    this.#keepalive.arriving()
  }

  passed(frames: number, bytes: number): void {
    if (this.stage !== 'over') this.#keepalive.passed(frames, bytes)
  }

  unreadable(cause: Error): void {
    if (this.stage === 'over') return
    this.#isEndTold = true
    const isTooBig = (cause as { code?: unknown }).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    const why = isTooBig
      ? `A message is larger than limits.message (${this.#settings.limits.message} bytes). Raise the limit, or send a stream`
      : `A frame of the WebSocket can't be read: ${cause.message}`
    this.#events.error(new RpcProtocolError(why, { cause }), IN_FRAME)
  }

  close(info: CloseInfo): void {
    if (this.stage === 'over') return
    this.stage = 'over'
    this.isReady = false
    this.#reader.attachments?.discard()
    this.#endPatience()
    this.#keepalive.stop()
    this.#tryOut(() => this.#tapped?.ended(info))
    this.#events.ended(this, info, false, this.#isEndTold)
  }

  // ── Events of the keepalive ───────────────────────────────────────────────────────────────────

  ping(): void {
    this.sendControl('rpc.ping')
  }

  tellArriving(): void {
    this.sendControl('rpc.pong', { unasked: true })
  }

  latency(ms: number): void {
    this.#events.latency(ms)
  }

  dead(reason: string): void {
    this.#drop({ code: CloseCode.timedOut, reason })
  }

  tooMuch(): void {
    this.end(CloseCode.tooMany, 'More comes in a second than may')
  }

  // ── For the handshake ─────────────────────────────────────────────────────────────────────────

  get format(): Format {
    return this.#settings.format
  }

  sendJson(message: object): void {
    this.#shared.flush()
    this.#send(jsonCodec.encode(message))
  }

  agree(hello: Hello): void {
    const { msg: message, batch = 1, depth = Number.POSITIVE_INFINITY } = hello.limits
    const isServer = 'sid' in hello
    this.peer = {
      isExtended: true,
      id: isServer ? hello.sid : hello.id,
      message,
      depth,
      attachments: this.#reader.attachments?.agree(hello) ?? false,
      keys: isServer ? hello.keys : undefined,
    }
    if (this.format.codec === jsonCodec) this.#shared.allow(batch, message)
  }

  complete(hello: Hello | undefined): void {
    this.#endPatience()
    if (this.stage === 'over') return
    const isFirst = this.stage === 'waiting'
    const isExtended = hello !== undefined
    this.stage = isExtended ? 'extended' : 'plain'
    this.isReady = true
    this.#reader.isAgreed = isExtended
    this.#keepalive.watch(isExtended)
    this.#events.ready(this, hello, isFirst)
  }

  answered(): void {
    this.#keepalive.answered()
  }

  refuseCodec(peers: string, id: MessageId = null): void {
    const ours = this.format.codec.name
    const { isServer } = this.#handshake
    const reason = isServer ? codecMismatch(peers, ours) : codecMismatch(ours, peers)
    // A client reports the mismatch when it stops, so it is not reported here.
    if (isServer) {
      this.#isEndTold = true
      this.#events.error(new RpcProtocolError(reason), IN_FRAME)
      const data = { client: peers, server: ours }
      this.sendJson(errorMessage(id, ErrorCode.codecMismatch, reason, data))
    }
    this.end(CloseCode.violation, reason)
  }

  error(error: unknown, context: ErrorContext): void {
    this.#events.error(error, context)
  }

  /** Treats the other side as a plain peer, unless its hello has said otherwise. */
  #beginUnasked(): void {
    if (this.stage === 'waiting') this.complete(undefined)
  }

  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  // ── For the channel ───────────────────────────────────────────────────────────────────────────

  /** From now on, frames in both directions pass through this tap, or through none. */
  tap(tap: WireTap | undefined): void {
    // Messages that were written before do not pass through the tap.
    this.#shared.flush()
    this.#tapped = undefined
    // If the tap fails here, it is left out.
    this.#tryOut(() => {
      this.#tapped = tap?.connected({
        send: (frame) => this.#sendUntapped(frame),
        receive: (frame) => this.#receive(frame),
        cut: (reason) => this.#drop({ code: 1006, reason }),
      })
    })
  }

  /** Whether the other side understands more than JSON-RPC 2.0. */
  get isExtended(): boolean {
    return this.stage === 'extended'
  }

  /** Whether answers must wait until the handshake is over, because it decides whether a session counts them. */
  get holdsAnswers(): boolean {
    return this.stage === 'waiting' && this.#handshake.holdsAnswers
  }

  /** The name of the other side's dialect, if it does not use JSON-RPC 2.0. */
  get dialect(): string | undefined {
    return this.#transport.dialect
  }

  /** The number of bytes that wait to be sent, if that is known. */
  get bufferedBytes(): number | undefined {
    try {
      return this.#transport.bufferedBytes
    } catch (thrown) {
      this.failed(thrown)
      return undefined
    }
  }

  get unsentBytes(): number {
    try {
      return this.#builtIn?.unsentBytes ?? this.#buffered
    } catch (thrown) {
      this.failed(thrown)
      return 0
    }
  }

  /** The number of bytes that wait in the socket; 0 if that is not known. */
  get #buffered(): number {
    return this.bufferedBytes ?? 0
  }

  watchDrain(): boolean {
    try {
      return this.#builtIn?.watchDrain?.() ?? false
    } catch (thrown) {
      this.failed(thrown)
      return false
    }
  }

  /** False if the socket holds too many bytes: then a message must wait. A message that joins a frame need not wait. */
  hasRoomFor(): boolean {
    return !(this.#shared.isEmpty && this.#isSocketFull)
  }

  get #isSocketFull(): boolean {
    return this.#buffered > this.#settings.limits.sendBuffer
  }

  get isRoomy(): boolean {
    return !this.isCongested
  }

  get isCongested(): boolean {
    return this.#buffered > Math.min(CONGESTED, this.#settings.limits.sendBuffer / 2)
  }

  /** Stops reading for a while, if the transport can be paused, or goes on reading. */
  holdBack(isHeldBack: boolean): void {
    if (this.stage !== 'over') this.#keepalive.holdUp(isHeldBack)
  }

  get #isClosed(): boolean {
    try {
      return this.#transport.isOpen === false
    } catch (thrown) {
      this.failed(thrown)
      return true
    }
  }

  send(encoded: Encoded): boolean {
    if (this.stage === 'over') return false
    // A message that joins a frame is sent, or lost, with the frame.
    if (this.#shared.isEmpty && this.#isClosed) return false
    if (typeof encoded === 'string' && this.#shared.take(encoded)) return true
    this.#shared.flush()
    const frame = frameOf(encoded)
    const attached = attachedTo(encoded)
    if (attached) return attached.send(frame, this)
    if (!this.isExtended) this.cork()
    return this.#send(frame)
  }

  get direct(): BuiltInTransport | undefined {
    return this.#tapped ? undefined : this.#builtIn
  }

  /**
   * Writes of one turn leave together even if they can't share a frame: messages to a plain peer, the frames of one
   * message.
   */
  cork(): void {
    if (this.#isCorked || !this.#builtIn?.cork) return
    this.#isCorked = true
    atEndOfTurn(this)
    this.#hold(true)
  }

  endTurn(): void {
    this.#isCorked = false
    this.#hold(false)
  }

  #hold(isHeld: boolean): void {
    try {
      this.#builtIn?.cork?.(isHeld)
    } catch (thrown) {
      this.failed(thrown)
    }
  }

  sendFrame(frame: Frame): boolean {
    return this.#send(frame)
  }

  #send(frame: Frame): boolean {
    try {
      if (!this.#tapped) return this.#transport.send(frame)
      // The transport may hold the frame back.
      return this.#tapped.send(typeof frame === 'string' ? frame : new Uint8Array(frame))
    } catch (thrown) {
      this.failed(thrown)
      return false
    }
  }

  #sendUntapped(frame: Frame): boolean {
    try {
      return this.stage !== 'over' && this.#transport.send(frame)
    } catch (thrown) {
      this.failed(thrown)
      return false
    }
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
    if (!this.#isSocketFull) this.#controlsAhead = 0
    else if (++this.#controlsAhead > MOST_CONTROLS) {
      this.end(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
      return false
    }
    return true
  }

  /** Encodes a control message. A codec that can't carry it can't be used. */
  #encode(message: object): Encoded | undefined {
    try {
      return encode(this.format, message)
    } catch (thrown) {
      this.codecFailed(thrown)
      return undefined
    }
  }

  /** The codec can't carry a control message: the connection ends. */
  codecFailed(thrown: unknown): void {
    this.#events.error(thrown, IN_FRAME)
    this.end(CloseCode.internal, `The codec "${this.format.codec.name}" failed`)
  }

  /** Ends the connection. This is reported at once, however long the closing handshake still takes. */
  end(code: number, reason: string): void {
    this.#shared.flush()
    this.#tryOut(() => this.#transport.close(code, reason))
    this.close({ code, reason })
  }

  // A connection without a session counts and keeps nothing.

  get held(): Held {
    return NOTHING
  }

  get recv(): undefined {
    return undefined
  }

  get session(): undefined {
    return undefined
  }

  get moves(): number {
    return 0
  }

  get underWayBytes(): number {
    return 0
  }

  tell(): undefined {
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
  #drop(info: CloseInfo): void {
    this.#tryOut(() => {
      if (this.#transport.terminate) this.#transport.terminate()
      else this.#transport.close(info.code, info.reason)
    })
    this.close(info)
  }

  /** A function of the transport or of the tap has failed: the connection ends. */
  failed(thrown: unknown): void {
    if (this.stage === 'over') return
    this.#events.error(thrown, OF_CONNECTION)
    this.#drop({ code: 1006, reason: `The transport failed: ${describeThrown(thrown)}` })
  }

  /** Runs a function without using its result. If it throws, `onError` is called. */
  #tryOut(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      this.#events.error(thrown, OF_CONNECTION)
    }
  }

  // ── Incoming ──────────────────────────────────────────────────────────────────────────────────

  #receive(frame: Frame): void {
    if (this.stage === 'over') return
    this.#keepalive.heard(frame.length)
    const reading = this.#reader.read(frame)
    this.#bytes += frame.length
    switch (reading.kind) {
      case 'message':
        this.#frame ??= frame
        return this.#take(reading.decoded, reading.tooDeep)
      case 'part':
        this.#frame ??= frame
        return
      case 'too-big': {
        const { message } = this.#settings.limits
        return this.end(CloseCode.tooBig, `A message is over the limit of ${message} bytes`)
      }
      case 'other-codec':
        return this.refuseCodec(jsonCodec.name)
      case 'violation':
        return this.violated(reading.what)
      case 'too-deep':
        return this.#unread(invalidRequestMessage(null, this.#tooDeep))
      case 'unreadable':
        return this.#unreadable(reading.cause)
      case 'unable':
        this.#events.error(reading.cause, IN_FRAME)
        // The next connection would fail in the same way.
        return this.end(CloseCode.violation, reading.cause.message)
    }
  }

  /** Passes on a whole message, or each message of an array. */
  #take(decoded: unknown, tooDeep: ReadonlySet<unknown> | undefined): void {
    const bytes = this.#bytes
    this.#bytes = 0
    this.#decoded = decoded
    this.#size = bytes
    this.#weight = 0
    if (Array.isArray(decoded)) this.#takeArray(decoded, bytes, tooDeep)
    else {
      this.#tell(classify(decoded), bytes, tooDeep && this.#tooDeep)
      this.#events.frameEnded?.()
    }
    this.#frame = undefined
    this.#decoded = undefined
  }

  #tell(message: Classified, bytes: number, refusal: string | undefined): void {
    // When the handshake is over, only another hello is its business.
    const isOfHandshake =
      this.stage !== 'extended' || (message.kind === 'request' && message.method === HELLO)
    if (isOfHandshake && this.#handshake.takes(this, message)) return
    if (message.kind === 'notification' && this.#isOwn(message.method, message.params)) return
    this.#events.message(this, message, bytes, refusal)
  }

  /** Handles the control messages of the keepalive. @returns whether the message was one of these. */
  #isOwn(method: string, params: unknown): boolean {
    if (method === 'rpc.ping') this.sendControl('rpc.pong', this.#handshake.pong())
    else if (method === 'rpc.pong') this.#ponged(params)
    else return false
    return true
  }

  #ponged(params: unknown): void {
    const { spreadMs, unasked } = (params ?? {}) as { spreadMs?: unknown; unasked?: unknown }
    // This pong tells that our message is arriving; the answer to a ping comes after that message.
    if (unasked === true) return
    this.#keepalive.answered()
    if (Number.isFinite(spreadMs)) this.#events.spread(spreadMs as number)
  }

  /** Handles the messages of an extended peer that share a frame, as if each had come alone. */
  #takeArray(
    messages: readonly unknown[],
    bytes: number,
    tooDeep: ReadonlySet<unknown> | undefined,
  ): void {
    const count = messages.length
    this.#keepalive.shared(count)
    const { batch: most } = this.#settings.limits
    const isExtended = this.isExtended
    if (count > most && isExtended) {
      return this.violated(`a frame holds ${count} messages, and ${most} were agreed on`)
    }
    if (count === 0 || count > most) {
      const reason =
        count === 0
          ? 'a batch is not empty'
          : `a batch holds ${most} messages at the most, not ${count}`
      this.#handshake.unreadable(this)
      return this.#events.unreadable(this, undefined, invalidRequestMessage(null, reason))
    }
    this.#sharers = count
    const each = bytes / count
    const members: BatchMember[] = []
    for (const decoded of messages) {
      if (this.stage === 'over') break
      const refusal = tooDeep?.has(decoded) ? this.#tooDeep : undefined
      const message = classify(decoded)
      if (isExtended) this.#tell(message, each, refusal)
      else if (!this.#handshake.takes(this, message))
        members.push({ message, bytes: each, refusal })
    }
    if (isExtended) this.#events.frameEnded?.()
    else if (members.length > 0) this.#events.batch(this, members)
    this.#sharers = 1
  }

  /** The reason for refusing a message that nests too deep. */
  get #tooDeep(): string {
    return `it nests deeper than ${this.#settings.limits.depth}`
  }

  /** The memory that the message being read takes, in bytes. It is measured only when this is read. */
  get weight(): number {
    if (this.#weight === 0) this.#weight = weightOfLittle(this.#size / this.#sharers)
    if (this.#weight === 0) {
      const isJson = this.format.codec === jsonCodec
      const made = isJson ? weightOfJson(this.#frame ?? '') : weightOfValue(this.#decoded)
      // Rounded: V8 allocates an object for a fraction.
      this.#weight = WEIGHT_OF_CALL + Math.round((this.#size + made) / this.#sharers)
    }
    return this.#weight
  }

  #unreadable(cause: unknown): void {
    const { codec } = this.format
    const why = `A frame is not ${codec.name}`
    const error = new RpcProtocolError(`${why}: ${plain(describeThrown(cause))}`, { cause })
    this.#events.error(error, IN_FRAME)
    this.#unread(errorMessage(null, ErrorCode.parse, `Parse error: a frame is not ${codec.name}`))
  }

  #unread(answer: ResponseMessage): void {
    const bytes = this.#bytes
    this.#bytes = 0
    this.#handshake.unreadable(this)
    this.#events.unreadable(this, bytes, answer)
  }

  /** The other side has broken the protocol: the connection ends. */
  violated(what: string): void {
    const reason = `The protocol was broken: ${what}`
    this.#isEndTold = true
    this.#events.error(new RpcProtocolError(reason), IN_FRAME)
    this.end(CloseCode.violation, reason)
  }
}
