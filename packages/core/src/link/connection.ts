import { MAX_TIMER_MS } from '../base/max-timer.js'
import { describeThrown, ErrorCode, RpcProtocolError } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import { type ErrorContext, IN_FRAME, OF_CONNECTION } from '../logging/error-context.js'
import { type BuiltInEvents, type BuiltInTransport, builtIn } from '../transport/built-in.js'
import { CloseCode } from '../transport/close-codes.js'
import type { DialectTransport } from '../transport/dialect.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Frame, jsonCodec } from '../wire/codec.js'
import { bytesOf, type Encoded, encode, frameOf } from '../wire/encoded.js'
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
import { codecMismatch } from './hello.js'
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

/** How this side speaks: one object for all of a server's connections. */
export interface ConnectionSettings extends KeepaliveOptions {
  readonly format: Format
}

/** What is much in a socket, in bytes. */
const CONGESTED = 1024 * 1024
/** How many control messages of the connection (acknowledgements, answers to pings) may go ahead of what waits. */
const MOST_CONTROLS = 10_000

/** A bare connection keeps nothing. */
const NOTHING: Held = { messages: 0, bytes: 0 }

/**
 * One live connection: it shakes hands, turns frames into messages and messages into frames, and watches whether the
 * other side is alive. It knows no calls, and is not used again when it has ended.
 */
export class Connection
  implements MessageLink, HandshakeLine, BuiltInEvents, KeepaliveEvents, FrameSink, InTurn
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
  /** What is written in a turn, in the fewest frames. */
  readonly #shared = new SharedFrame(this)
  /** What has come of the message that is being read. */
  #bytes = 0
  /** The frame of the message that is being read; the frames of its bytes follow it. */
  #frame: Frame | undefined
  /** What was decoded from it, and its size in bytes; if messages share the frame, of all of them. */
  #decoded: unknown
  #size = 0
  /** How many messages share it. */
  #sharers = 1
  /** What a message that is being read takes in memory, in bytes; 0 until somebody asks. */
  #weight = 0
  /** How many control messages went ahead of what waits. */
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
    this.#reader = new FrameReader(settings.format.codec, settings.limits)
    this.#keepalive = new Keepalive(transport, settings, this)
  }

  /** Begins, once the maker of the connection has put it where its events will look for it. */
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
    // In a later turn, as with a hello that is answered, because the caller does not have the channel yet.
    if (isPlain) queueMicrotask(() => this.#beginUnasked())
    else handshake.begin(this)
  }

  /** What the transport is given that may take it apart. */
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

  /** Has what comes told to a link above it from now on: a session, or the channel that goes on over it. */
  tellInstead(events: LinkEvents, handshake: Handshake = this.#handshake): void {
    this.#events = events
    this.#handshake = handshake
  }

  // ── What the transport tells ──────────────────────────────────────────────────────────────────

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
    this.#reader.discard()
    this.#endPatience()
    this.#keepalive.stop()
    this.#tryOut(() => this.#tapped?.ended(info))
    this.#events.ended(this, info, false, this.#isEndTold)
  }

  // ── What its keepalive tells ──────────────────────────────────────────────────────────────────

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

  // ── What its handshake does ───────────────────────────────────────────────────────────────────

  get format(): Format {
    return this.#settings.format
  }

  sendJson(message: object): void {
    this.#shared.flush()
    this.#send(jsonCodec.encode(message))
  }

  agree(hello: Hello): void {
    const { bytes, frames, limits } = hello
    const { msg: message, batch = 1, depth = Number.POSITIVE_INFINITY } = limits
    const isJson = this.format.codec === jsonCodec
    const takesBytes = isJson && bytes === true
    const isServer = 'sid' in hello
    this.peer = {
      isExtended: true,
      id: isServer ? hello.sid : hello.id,
      message,
      depth,
      bytes: takesBytes,
      keys: isServer ? hello.keys : undefined,
    }
    if (isJson) this.#shared.allow(batch, message)
    if (takesBytes) this.#reader.peerFrames = frames === 'binary' ? frames : 'text'
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
    // A client tells it when it stops.
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

  /** Treats the other side as a plain peer, unless it has said that it is something else. */
  #beginUnasked(): void {
    if (this.stage === 'waiting') this.complete(undefined)
  }

  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  // ── What its channel asks ─────────────────────────────────────────────────────────────────────

  /** Has what is written and what comes pass through a tap from now on, or through none. */
  tap(tap: WireTap | undefined): void {
    // What was written before is not the tap's.
    this.#shared.flush()
    this.#tapped = undefined
    // A tap that fails here is left out.
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

  /** Whether answers must wait until the handshake is over, as it decides whether a session counts them. */
  get holdsAnswers(): boolean {
    return this.stage === 'waiting' && this.#handshake.holdsAnswers
  }

  /** The name of what the other side speaks, if it is not JSON-RPC 2.0. */
  get dialect(): string | undefined {
    return this.#transport.dialect
  }

  /** How many bytes wait to leave, if that is known. */
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

  /** What waits in the socket, in bytes; 0 if that is not known. */
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

  /**
   * A message must wait here if so much waits in the socket. A message that joins a frame which is being filled need
   * not.
   */
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
    // A message that joins others in their frame goes the way that they go.
    if (this.#shared.isEmpty && this.#isClosed) return false
    if (typeof encoded === 'string' && this.#shared.take(encoded)) return true
    this.#shared.flush()
    const frame = frameOf(encoded)
    const bytes = bytesOf(encoded)
    if (bytes.length > 0 && !this.#tapped && this.#builtIn?.sendTogether) {
      return this.#sendTogether([frame, ...bytes])
    }
    if (bytes.length > 0 || !this.isExtended) this.#cork()
    // A message whose last frame did not leave is never complete: nobody has seen it.
    return this.#send(frame) && bytes.every((part) => this.#send(part))
  }

  /**
   * What can share no frame leaves in one piece all the same: the messages of a turn to a plain peer, a message and its
   * bytes.
   */
  #cork(): void {
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

  sendFrame(frame: string): void {
    this.#send(frame)
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

  #sendTogether(frames: readonly Frame[]): boolean {
    try {
      return this.#builtIn?.sendTogether?.(frames) ?? false
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

  /** A peer that reads so little that too many control messages wait is closed. */
  #hasRoomForControl(): boolean {
    if (!this.#isSocketFull) this.#controlsAhead = 0
    else if (++this.#controlsAhead > MOST_CONTROLS) {
      this.end(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
      return false
    }
    return true
  }

  /** Encodes a control message. A codec that can't carry that much is of no use. */
  #encode(message: object): Encoded | undefined {
    try {
      return encode(this.format, message)
    } catch (thrown) {
      this.codecFailed(thrown)
      return undefined
    }
  }

  /** The codec can't carry a message of the protocol's own: the connection ends. */
  codecFailed(thrown: unknown): void {
    this.#events.error(thrown, IN_FRAME)
    this.end(CloseCode.internal, `The codec "${this.format.codec.name}" failed`)
  }

  /** Ends the connection: told at once, whatever the goodbye on the wire still takes. */
  end(code: number, reason: string): void {
    this.#shared.flush()
    this.#tryOut(() => this.#transport.close(code, reason))
    this.close({ code, reason })
  }

  // A bare connection counts and keeps nothing.

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

  /** Nobody counts messages on a bare connection. */
  unreceived(): readonly OutgoingMessage[] {
    return []
  }

  endWithConnection(): void {}

  stop(): void {}

  cut(code: number, reason: string): void {
    this.end(code, reason)
  }

  /** Ends the connection to another side that is known to be dead: no goodbye is waited for. */
  #drop(info: CloseInfo): void {
    this.#tryOut(() => {
      if (this.#transport.terminate) this.#transport.terminate()
      else this.#transport.close(info.code, info.reason)
    })
    this.close(info)
  }

  /** A function that was given for the connection (of its transport, or its tap) has failed: the connection ends. */
  failed(thrown: unknown): void {
    if (this.stage === 'over') return
    this.#events.error(thrown, OF_CONNECTION)
    this.#drop({ code: 1006, reason: `The transport failed: ${describeThrown(thrown)}` })
  }

  /** Runs something whose result does not matter any more; if it fails, `onError` is told. */
  #tryOut(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      this.#events.error(thrown, OF_CONNECTION)
    }
  }

  // ── What comes in ─────────────────────────────────────────────────────────────────────────────

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

  /** Tells a whole message, or each of an array of messages. */
  #take(decoded: unknown, tooDeep: ReadonlySet<unknown> | undefined): void {
    const bytes = this.#bytes
    this.#bytes = 0
    this.#decoded = decoded
    this.#size = bytes
    this.#weight = 0
    if (Array.isArray(decoded)) this.#takeArray(decoded, bytes, tooDeep)
    else {
      this.#tell(classify(decoded), bytes, tooDeep && this.#tooDeep)
      this.#events.frameEnded()
    }
    this.#frame = undefined
    this.#decoded = undefined
  }

  #tell(message: Classified, bytes: number, refusal: string | undefined): void {
    if (this.#handshake.takes(this, message)) return
    if (message.kind === 'notification' && this.#isOwn(message.method, message.params)) return
    this.#events.message(this, message, bytes, refusal)
  }

  /** Takes the control messages of the keepalive. @returns whether it was one of these. */
  #isOwn(method: string, params: unknown): boolean {
    if (method === 'rpc.ping') this.sendControl('rpc.pong', this.#handshake.pong())
    else if (method === 'rpc.pong') this.#ponged(params)
    else return false
    return true
  }

  #ponged(params: unknown): void {
    const { spreadMs, unasked } = (params ?? {}) as { spreadMs?: unknown; unasked?: unknown }
    // This pong says that a message of ours is arriving; the answer to a ping comes after that message.
    if (unasked === true) return
    this.#keepalive.answered()
    if (Number.isFinite(spreadMs)) this.#events.spread(spreadMs as number)
  }

  /** Messages of an extended peer that share a frame are taken as if each had come alone. */
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
    if (isExtended) this.#events.frameEnded()
    else if (members.length > 0) this.#events.batch(this, members)
    this.#sharers = 1
  }

  /** Why a message that nests too deep is refused. */
  get #tooDeep(): string {
    return `it nests deeper than ${this.#settings.limits.depth}`
  }

  /** How much memory the message that is being read takes, in bytes. It is measured only when somebody asks. */
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
