import { after, type MaybeAsync } from '../base/maybe-async.js'
import { MAX_TIMER_MS } from '../calls/call-timer.js'
import type { Incoming } from '../calls/incoming.js'
import { remedyOfUnsent } from '../calls/lost-kinds.js'
import type { ResolvedChannelOptions } from '../calls/options.js'
import { unknownMethod } from '../calls/refusals.js'
import {
  describeThrown,
  ErrorCode,
  RpcError,
  RpcProtocolError,
  RpcValidationError,
} from '../errors/errors.js'
import { plain, quoted } from '../errors/quoted.js'
import { afterWait } from '../features/deadlines/deadline.js'
import { DISCOVER } from '../features/discovery/discovery.js'
import type { Keys } from '../features/keys/keyed-calls.js'
import type { Session } from '../features/sessions/session.js'
import type { TappedConnection, WireTap } from '../features/tap/wire-tap.js'
import { IN_FRAME, incomingContext, OF_CONNECTION } from '../logging/error-context.js'
import { type BuiltInEvents, type BuiltInTransport, builtIn } from '../transport/built-in.js'
import { CloseCode } from '../transport/close-codes.js'
import type { DialectTransport } from '../transport/dialect.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Frame, jsonCodec } from '../wire/codec.js'
import {
  bytesOf,
  type Encoded,
  encode,
  encodeBatch,
  frameOf,
  heldBytes,
  pathOf,
} from '../wire/encoded.js'
import {
  type Classified,
  classify,
  errorMessage,
  invalidRequestMessage,
  type MessageId,
  type NotificationMessage,
  neverRanMessage,
  type ResponseMessage,
} from '../wire/message.js'
import {
  WEIGHT_OF_CALL,
  type Weighed,
  weightOfJson,
  weightOfLittle,
  weightOfValue,
} from '../wire/weight.js'
import {
  type Answer,
  type ConnectionEvents,
  NO_BYTES,
  type Unsendable,
} from './connection-events.js'
import { TOO_MUCH_WAITS } from './endings.js'
import { isCounted, readBye } from './extensions.js'
import { FrameReader } from './frame-reader.js'
import {
  codecMismatch,
  HELLO,
  type HelloFormat,
  type HelloLimits,
  type HelloParams,
  type HelloResult,
  helloFormat,
  helloMessage,
  helloUnanswered,
  isCodecMismatch,
  isHelloAnswer,
  PROTOCOL_VERSION,
  readHelloParams,
  readHelloResult,
  readMethods,
} from './handshake.js'
import { Life, type LifeEvents, type LifeOptions } from './life.js'
import { type PeerLimits, UNKNOWN_LIMITS, whyUnsendable } from './peer-limits.js'
import { atEndOfTurn, type FrameSink, type InTurn, SharedFrame } from './shared-frame.js'

/** How this side speaks: one object for all of a server's connections. */
export interface ConnectionSettings
  extends LifeOptions,
    Pick<ResolvedChannelOptions, 'format' | 'plain' | 'helloTimeoutMs'> {}

/** What a client says of itself. */
export interface ClientHello extends Pick<HelloParams, 'id' | 'attempt' | 'methods' | 'resume'> {
  /** How much it keeps for a session, in bytes, where it offers to keep one. */
  readonly keepsBytes: number | undefined
  /** Whether the client says hello. It does not where the server is known to be a plain peer. */
  readonly isSaid: boolean
  /** How much of the time for the handshake is left, in ms. */
  readonly timeLeftMs: number
}

/** What is much in a socket, in bytes. */
const CONGESTED = 1024 * 1024
/** How many messages of the protocol's own (acknowledgements, answers to pings) may go ahead of what waits. */
const MOST_WORDS = 10_000

/** An answer that can be sent. */
interface Reply {
  readonly answer: ResponseMessage
  readonly encoded: Encoded
}

/**
 * One live connection of a channel: shakes hands, turns frames into messages and back, answers what
 * is no message, watches over life. It knows no calls, and is not used again once it has ended.
 */
export class Connection implements BuiltInEvents, LifeEvents, FrameSink, InTurn, Weighed {
  /** Its channel's: the session that its messages belong to; answers outlive their connection, and no session. */
  session: Session | undefined
  /** Its channel's: answers that were ready before the handshake was over, which says whether they count. */
  early: Encoded[] | undefined
  /** Belongs to its channel: how many bytes the answers in `early` have. */
  earlyBytes = 0
  readonly #transport: DialectTransport
  /** The same, if it is one of this library's. */
  readonly #builtIn: BuiltInTransport | undefined
  readonly #settings: ConnectionSettings
  #events: ConnectionEvents
  /** What this side says of itself, where it is the client. */
  readonly #hello: ClientHello | undefined
  readonly #reader: FrameReader
  #handshake: 'waiting' | 'plain' | 'extended' = 'waiting'
  #patience: ReturnType<typeof setTimeout> | undefined
  readonly #life: Life
  /** What is written in a turn, in the fewest frames. */
  readonly #shared = new SharedFrame(this)
  #peerLimits = UNKNOWN_LIMITS
  #otherId: string | undefined
  #keys: Keys | undefined
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
  /** How many messages of the protocol's own went ahead of what waits. */
  #wordsAhead = 0
  #ended = false
  #isEndTold = false
  #isCorked = false
  #tapped: TappedConnection | undefined

  /** @param hello of the client's side. */
  constructor(
    transport: DialectTransport,
    settings: ConnectionSettings,
    events: ConnectionEvents,
    hello: ClientHello | undefined,
  ) {
    this.#transport = transport
    this.#builtIn = builtIn(transport)
    this.#settings = settings
    this.#events = events
    this.#hello = hello
    this.#reader = new FrameReader(settings.format.codec, settings.limits)
    this.#life = new Life(transport, settings, this)
  }

  /** Begins, once whoever made the connection has put it where its events will look for it. */
  start(): void {
    const hello = this.#hello
    const isPlain = hello ? !hello.isSaid : this.#settings.plain
    const ms = hello?.timeLeftMs ?? this.#settings.helloTimeoutMs
    if (!isPlain) {
      this.#patience = setTimeout(() => this.#helloTimedOut(), Math.min(ms, MAX_TIMER_MS))
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
    else if (hello) this.#sayHello(hello)
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
    this.#life.answered()
  }

  drained(): void {
    if (!this.#ended) this.#events.drained(this)
  }

  arriving(): void {
    this.#life.arriving()
  }

  passed(frames: number, bytes: number): void {
    if (!this.#ended) this.#life.passed(frames, bytes)
  }

  unreadable(cause: Error): void {
    if (this.#ended) return
    this.#isEndTold = true
    const isTooBig = (cause as { code?: unknown }).code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    const why = isTooBig
      ? `A message is larger than limits.message (${this.#settings.limits.message} bytes). Raise the limit, or send a stream`
      : `A frame of the WebSocket can't be read: ${cause.message}`
    this.#events.error(new RpcProtocolError(why, { cause }), IN_FRAME)
  }

  close(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    this.#reader.discard()
    this.#endPatience()
    this.#life.stop()
    this.#tryOut(() => this.#tapped?.ended(info))
    this.#events.close(this, info)
  }

  // ── What its life tells ───────────────────────────────────────────────────────────────────────

  ping(): void {
    this.sendExtension('rpc.ping')
  }

  tellArriving(): void {
    this.sendExtension('rpc.pong', { unasked: true })
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

  /** The handshake is over and the connection has not ended. */
  get isReady(): boolean {
    return this.#handshake !== 'waiting' && !this.#ended
  }

  /** Whether an error has already said why the connection ends. */
  get isEndTold(): boolean {
    return this.#isEndTold
  }

  /** Client: whether it has offered the server to keep a session. */
  get offersSession(): boolean {
    return this.#hello?.keepsBytes !== undefined
  }

  /** Whether the other side understands more than JSON-RPC 2.0. */
  get isExtended(): boolean {
    return this.#handshake === 'extended'
  }

  /** What the other side accepts, as far as it has said. */
  get peerLimits(): PeerLimits {
    return this.#peerLimits
  }

  /** The name of what the other side speaks, where it is not JSON-RPC 2.0. */
  get dialect(): string | undefined {
    return this.#transport.dialect
  }

  /** What the other side calls its channel, where it has said so. */
  get otherId(): string | undefined {
    return this.#otherId
  }

  /** What the other side has said of the results that it keeps by key. */
  get keys(): Keys | undefined {
    return this.#keys
  }

  /** How many bytes wait to leave, where that is known. */
  get bufferedBytes(): number | undefined {
    try {
      return this.#transport.bufferedBytes
    } catch (thrown) {
      this.failed(thrown)
      return undefined
    }
  }

  /** As `bufferedBytes`, but see {@link BuiltInTransport.unsentBytes}. */
  get unsentBytes(): number {
    try {
      return this.#builtIn?.unsentBytes ?? this.#buffered
    } catch (thrown) {
      this.failed(thrown)
      return 0
    }
  }

  /** What waits in the socket, in bytes; 0 where that is not known. */
  get #buffered(): number {
    return this.bufferedBytes ?? 0
  }

  /** As {@link BuiltInTransport.watchDrain}. */
  watchDrain(): boolean {
    try {
      return this.#builtIn?.watchDrain?.() ?? false
    } catch (thrown) {
      this.failed(thrown)
      return false
    }
  }

  /**
   * Whether so much waits in the socket that a message must wait here. A message that joins a frame which is being
   * filled need not.
   */
  get isFull(): boolean {
    return this.#shared.isEmpty && this.#isSocketFull
  }

  get #isSocketFull(): boolean {
    return this.#buffered > this.#settings.limits.sendBuffer
  }

  /** Stops reading for a while, if the transport can be paused, or goes on reading. */
  holdUp(isHeldUp: boolean): void {
    if (!this.#ended) this.#life.holdUp(isHeldUp)
  }

  /** Whether so much waits in the socket that what can wait should. */
  get isCongested(): boolean {
    return this.#buffered > Math.min(CONGESTED, this.#settings.limits.sendBuffer / 2)
  }

  /** @returns why the other side can't take a message, where it can't. */
  refuses(encoded: Encoded): Unsendable | undefined {
    return whyUnsendable(this.#settings.format, encoded, this.#peerLimits)
  }

  get #isClosed(): boolean {
    try {
      return this.#transport.isOpen === false
    } catch (thrown) {
      this.failed(thrown)
      return true
    }
  }

  /** Writes a message. @returns false where it certainly did not leave. */
  write(encoded: Encoded): boolean {
    if (this.#ended) return false
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
      return !this.#ended && this.#transport.send(frame)
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

  /** Sends a notification of the protocol; a plain peer gets none. @returns whether it was sent. */
  sendExtension(method: string, params?: unknown): boolean {
    if (!this.isExtended || !this.#hasRoomForWord()) return false
    const message: NotificationMessage = { jsonrpc: '2.0', method }
    if (params !== undefined) message.params = params
    return this.#sendOwn(message)
  }

  /**
   * Messages of the protocol's own go ahead of what waits. A peer that reads so few that too many of them wait is
   * closed.
   */
  #hasRoomForWord(): boolean {
    if (!this.#isSocketFull) this.#wordsAhead = 0
    else if (++this.#wordsAhead > MOST_WORDS) {
      this.end(CloseCode.tryAgainLater, TOO_MUCH_WAITS)
      return false
    }
    return true
  }

  #sendOwn(message: object): boolean {
    const encoded = this.#encodeOwn(message)
    return encoded !== undefined && this.write(encoded)
  }

  /** Encodes what is the protocol's own. A codec that can't carry that much is of no use. */
  #encodeOwn(message: object): Encoded | undefined {
    const { format } = this.#settings
    try {
      return encode(format, message)
    } catch (thrown) {
      this.#codecFailed(thrown)
      return undefined
    }
  }

  #codecFailed(thrown: unknown): void {
    this.#events.error(thrown, IN_FRAME)
    this.end(CloseCode.internal, `The codec "${this.#settings.format.codec.name}" failed`)
  }

  /** Ends the connection: told at once, whatever the goodbye on the wire still takes. */
  end(code: number, reason: string): void {
    this.#shared.flush()
    this.#tryOut(() => this.#transport.close(code, reason))
    this.close({ code, reason })
  }

  /** Ends the connection to an other side that is known to be dead: no goodbye is waited for. */
  #drop(info: CloseInfo): void {
    this.#tryOut(() => {
      if (this.#transport.terminate) this.#transport.terminate()
      else this.#transport.close(info.code, info.reason)
    })
    this.close(info)
  }

  /** A function that was given for the connection (of its transport, or its tap) has failed: the connection ends. */
  failed(thrown: unknown): void {
    if (this.#ended) return
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

  // ── The handshake ─────────────────────────────────────────────────────────────────────────────

  #helloTimedOut(): void {
    if (!this.#hello) return this.#beginUnasked()
    this.end(CloseCode.timedOut, helloUnanswered(this.#settings.helloTimeoutMs))
  }

  /** Treats the other side as a plain peer, unless it has said that it is something else. */
  #beginUnasked(): void {
    if (this.#handshake === 'waiting' && !this.#ended) this.#ready(undefined)
  }

  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  #sayHello({ keepsBytes: _, isSaid: __, timeLeftMs: ___, ...hello }: ClientHello): void {
    const { format } = this.#settings
    const params = { v: PROTOCOL_VERSION, ...hello, ...helloFormat(format), limits: this.#limits }
    this.#sendJson(helloMessage(params))
  }

  #answerHello(id: MessageId, params: unknown): void {
    if (this.#handshake === 'extended') {
      this.end(CloseCode.tooMany, 'A connection says rpc.hello once')
      return
    }
    const hello = readHelloParams(params)
    if (!hello) {
      const why = 'Invalid params for "rpc.hello"'
      this.#sendJson(errorMessage(id, ErrorCode.invalidParams, why))
      return
    }
    const { format } = this.#settings
    if (hello.codec !== format.codec.name) return this.#refuseCodec(id, hello.codec)
    const reception = this.#events.receive(hello, this)
    if ('refuse' in reception) return this.end(reception.refuse.code, reception.refuse.reason)
    const { welcome, events } = reception
    if (events) this.#events = events
    // Who would go on with a session hears nothing else before the answer: see #isTooEarly.
    else if (this.#handshake === 'plain' && hello.resume) this.#events.unheard()
    this.#otherId = hello.id
    this.#agree(hello)
    this.#events.exposes(hello.methods ?? [])
    const { buf, ...limits } = this.#limits
    const kept = welcome.token !== undefined && buf !== undefined && { buf }
    const result = {
      v: PROTOCOL_VERSION,
      ...welcome,
      ...helloFormat(format),
      limits: { ...limits, ...kept },
    }
    this.#sendJson({ jsonrpc: '2.0', id, result })
    this.#ready(result)
  }

  get #limits(): HelloLimits {
    const { message: msg, batch, depth, unackedBytes } = this.#settings.limits
    const buf = this.#hello ? this.#hello.keepsBytes : unackedBytes
    return buf === undefined ? { msg, batch, depth } : { msg, batch, depth, buf }
  }

  /** The hello and what answers it are JSON in text, whatever the codec. */
  #sendJson(message: object): void {
    this.#shared.flush()
    this.#send(jsonCodec.encode(message))
  }

  #agree({
    bytes,
    frames,
    limits: { msg: message, batch = 1, depth = Number.POSITIVE_INFINITY },
  }: HelloFormat & { limits: HelloLimits }): void {
    const isJson = this.#settings.format.codec === jsonCodec
    const takesBytes = isJson && bytes === true
    this.#peerLimits = { message, depth, bytes: takesBytes }
    if (isJson) this.#shared.allow(batch, message)
    if (takesBytes) this.#reader.peerFrames = frames === 'binary' ? frames : 'text'
  }

  /** Tells both sides that they would not understand each other, and ends the connection. */
  #refuseCodec(id: MessageId, peers: string): void {
    const ours = this.#settings.format.codec.name
    const isClient = this.#hello !== undefined
    const reason = isClient ? codecMismatch(ours, peers) : codecMismatch(peers, ours)
    // A client tells it when it stops.
    if (!isClient) {
      this.#isEndTold = true
      this.#events.error(new RpcProtocolError(reason), IN_FRAME)
      const data = { client: peers, server: ours }
      this.#sendJson(errorMessage(id, ErrorCode.codecMismatch, reason, data))
    }
    this.end(CloseCode.violation, reason)
  }

  #helloAnswered(answer: Answer): void {
    // A second answer is nobody's.
    if (this.#handshake !== 'waiting') return
    this.#life.answered()
    const { codec } = this.#settings.format
    if (answer.kind === 'error' && isCodecMismatch(answer.error)) {
      return this.end(CloseCode.violation, answer.error.message)
    }
    const hello = answer.kind === 'result' ? readHelloResult(answer.result) : undefined
    // Who knows nothing of codecs, and answers the JSON of the hello, speaks JSON.
    const peers = hello?.codec ?? jsonCodec.name
    if (peers !== codec.name) return this.#refuseCodec(null, peers)
    if (hello) {
      this.#otherId = hello.sid
      this.#keys = hello.keys
      this.#agree(hello)
    }
    this.#ready(hello)
  }

  #ready(hello: HelloResult | undefined): void {
    this.#endPatience()
    const isFirst = this.#handshake === 'waiting'
    this.#handshake = hello ? 'extended' : 'plain'
    this.#reader.isAgreed = this.isExtended
    this.#life.watch(this.isExtended)
    if (!this.#ended) this.#events.ready(this, hello, isFirst)
  }

  // ── What comes in ─────────────────────────────────────────────────────────────────────────────

  #receive(frame: Frame): void {
    if (this.#ended) return
    this.#life.heard(frame.length)
    const reading = this.#reader.read(frame)
    this.#bytes += frame.length
    switch (reading.kind) {
      case 'message':
        this.#frame ??= frame
        return this.#take(reading.decoded, reading.tooDeep)
      case 'part':
        this.#frame ??= frame
        return
      case 'too-big':
        return this.#tooBig(this.#settings.limits.message)
      case 'other-codec':
        return this.#refuseCodec(null, jsonCodec.name)
      case 'violation':
        return this.#violated(reading.what)
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

  /** Handles a whole message, or an array of messages. */
  #take(decoded: unknown, tooDeep: ReadonlySet<unknown> | undefined): void {
    const bytes = this.#bytes
    this.#bytes = 0
    this.#decoded = decoded
    this.#size = bytes
    this.#weight = 0
    if (Array.isArray(decoded)) {
      this.#life.shared(decoded.length)
      this.#sharers = decoded.length
      this.#receiveArray(decoded, bytes, tooDeep)
      this.#sharers = 1
    } else {
      this.#count(decoded, bytes)
      this.#receiveOne(decoded, bytes, tooDeep && this.#tooDeep)
      this.session?.frameEnded()
    }
    this.#frame = undefined
    this.#decoded = undefined
  }

  /** Why a message that nests too deep is refused. */
  get #tooDeep(): string {
    return `it nests deeper than ${this.#settings.limits.depth}`
  }

  /** How much memory the message that is being read takes, in bytes. It is measured only when somebody asks. */
  get weight(): number {
    if (this.#weight === 0) this.#weight = weightOfLittle(this.#size / this.#sharers)
    if (this.#weight === 0) {
      const isJson = this.#settings.format.codec === jsonCodec
      const made = isJson ? weightOfJson(this.#frame ?? '') : weightOfValue(this.#decoded)
      // Rounded: V8 allocates an object for a fraction.
      this.#weight = WEIGHT_OF_CALL + Math.round((this.#size + made) / this.#sharers)
    }
    return this.#weight
  }

  /** Counts a message of a session, whatever it may be, in the turn that dispatches it. */
  #count(decoded: unknown, bytes: number): void {
    if (this.session && isCounted(decoded)) this.session.received(bytes)
  }

  #unreadable(cause: unknown): void {
    const { codec } = this.#settings.format
    const why = `A frame is not ${codec.name}`
    const error = new RpcProtocolError(`${why}: ${plain(describeThrown(cause))}`, { cause })
    this.#events.error(error, IN_FRAME)
    this.#unread(errorMessage(null, ErrorCode.parse, `Parse error: a frame is not ${codec.name}`))
  }

  /**
   * Answers a frame of which nothing can be read. In a session, both sides must agree on how many messages it held.
   * With JSON, which puts several messages in a frame, that can't be known, so the connection ends.
   */
  #unread(answer: ResponseMessage): void {
    const { session } = this
    if (session && this.#settings.format.codec === jsonCodec) {
      return this.#violated(
        'a frame of a session is no JSON, and the messages in it can not be counted',
      )
    }
    this.#count(undefined, this.#bytes)
    this.#bytes = 0
    session?.frameEnded()
    this.#beginAsPlain()
    this.#answer(answer)
  }

  #violated(what: string): void {
    const reason = `The protocol was broken: ${what}`
    this.#isEndTold = true
    this.#events.error(new RpcProtocolError(reason), IN_FRAME)
    this.end(CloseCode.violation, reason)
  }

  #tooBig(limit: number): void {
    this.end(CloseCode.tooBig, `A message is over the limit of ${limit} bytes`)
  }

  /** @param refusal why the message is refused; `undefined` if it is not. */
  #receiveOne(decoded: unknown, bytes: number, refusal: string | undefined): void {
    this.#answerWith(this.#handle(decoded, bytes, refusal))
  }

  #answerWith(reply: MaybeAsync<Reply | undefined>): void {
    const events = this.#events
    if (reply instanceof Promise) {
      void reply.then((given) => given && events.reply(this, given.encoded))
    } else if (reply) events.reply(this, reply.encoded)
  }

  /**
   * Of an extended peer, messages that share a frame: each is taken up as if it had come alone. Of a plain one, a batch
   * (JSON-RPC 2.0, section 6).
   */
  #receiveArray(
    messages: readonly unknown[],
    bytes: number,
    tooDeep: ReadonlySet<unknown> | undefined,
  ): void {
    const { batch: most } = this.#settings.limits
    if (messages.length > most && this.isExtended) {
      return this.#violated(`a frame holds ${messages.length} messages, and ${most} were agreed on`)
    }
    if (messages.length === 0 || messages.length > most) {
      this.#beginAsPlain()
      const reason =
        messages.length === 0
          ? 'a batch is not empty'
          : `a batch holds ${most} messages at the most, not ${messages.length}`
      return this.#answer(invalidRequestMessage(null, reason))
    }
    if (!this.isExtended) {
      if (this.#events.isBehind) this.#holdBatch(messages, bytes, tooDeep)
      else this.#beginBatch(messages, bytes, tooDeep)
      return
    }
    const each = bytes / messages.length
    for (const decoded of messages) {
      if (this.#ended) return
      this.#count(decoded, each)
      this.#receiveOne(decoded, each, tooDeep?.has(decoded) ? this.#tooDeep : undefined)
    }
    this.session?.frameEnded()
  }

  /** It is a plain peer's, and in no session, also where one has begun since it came. */
  #beginBatch(
    messages: readonly unknown[],
    bytes: number,
    tooDeep: ReadonlySet<unknown> | undefined,
  ): void {
    const each = bytes / messages.length
    const replies: MaybeAsync<Reply | undefined>[] = []
    for (const decoded of messages) {
      if (this.#ended) break
      const refusal = tooDeep?.has(decoded) ? this.#tooDeep : undefined
      replies.push(this.#collected(this.#handle(decoded, each, refusal)))
    }
    void this.#answerBatch(replies)
  }

  /** Messages that are answered together are begun together. */
  #holdBatch(
    messages: readonly unknown[],
    bytes: number,
    tooDeep: ReadonlySet<unknown> | undefined,
  ): void {
    const { weight } = this
    const begin = () => {
      this.#weight = weight
      this.#beginBatch(messages, bytes, tooDeep)
      this.#weight = 0
    }
    const held = { id: null, weight: weight * messages.length, begin }
    const why = this.#events.hold({ ...held, what: 'A batch' })
    if (why !== undefined) this.#answer(neverRanMessage(null, ErrorCode.overloaded, why))
  }

  /** One array of answers, in any order, and none where there are none. */
  async #answerBatch(owed: readonly MaybeAsync<Reply | undefined>[]): Promise<void> {
    const events = this.#events
    const replies = (await Promise.all(owed)).filter((reply) => reply !== undefined)
    if (replies.length === 0) return
    try {
      this.#sayAnswers(replies)
    } finally {
      events.collected(-replies.reduce((bytes, { encoded }) => bytes + heldBytes(encoded), 0))
    }
  }

  /** Counts an answer that is ready and waits for the others of its batch. */
  #collected(reply: MaybeAsync<Reply | undefined>): MaybeAsync<Reply | undefined> {
    const events = this.#events
    return after(reply, (given) => {
      if (given) events.collected(heldBytes(given.encoded))
      return given
    })
  }

  #sayAnswers(replies: readonly Reply[]): void {
    const events = this.#events
    // If the peer has said hello meanwhile, it gets each answer by itself: in a session, messages are counted.
    if (this.isExtended) {
      for (const { encoded } of replies) events.reply(this, encoded)
      return
    }
    try {
      events.reply(this, encodeBatch(this.#settings.format, replies))
    } catch (thrown) {
      this.#codecFailed(thrown)
    }
  }

  /**
   * @param refusal why the message is refused; `undefined` if it is not.
   * @returns the answer owed, one that the codec can carry and the other side accepts.
   */
  #handle(
    decoded: unknown,
    bytes: number,
    refusal: string | undefined,
  ): MaybeAsync<Reply | undefined> {
    const message = classify(decoded)
    const isClient = this.#hello !== undefined
    const isHello = message.kind === 'request' && message.method === HELLO
    if (!isHello) this.#beginAsPlain()
    if (this.#ended || this.#isTooEarly(message)) return undefined
    if (refusal !== undefined) return this.#refused(message, refusal)
    switch (message.kind) {
      case 'request':
        if (isHello && !isClient && !this.#settings.plain) {
          this.#answerHello(message.id, message.params)
          return undefined
        }
        return this.#request(message.id, message)
      case 'notification':
        this.#notification(message, bytes)
        return undefined
      case 'neither': {
        const reason = 'it has neither a method nor a result nor an error'
        if (!this.#events.awaits(message.id)) {
          return this.#reply(invalidRequestMessage(message.id, reason))
        }
        this.#events.answer({ kind: 'malformed-response', id: message.id, reason })
        return undefined
      }
      case 'invalid':
        return this.#reply(invalidRequestMessage(message.id, message.reason))
      default:
        if (isClient && this.#isHelloAnswer(message)) this.#helloAnswered(message)
        else this.#events.answer(message)
        return undefined
    }
  }

  /** Refuses a message of which enough can be read to know its call: only that call is affected. */
  #refused(message: Classified, why: string): Reply | undefined {
    switch (message.kind) {
      case 'request':
        return this.#reply(invalidRequestMessage(message.id, why, false))
      case 'notification':
        if (this.#events.refusedWord(message.method, message.params, why)) return undefined
        return this.#reply(invalidRequestMessage(null, why))
      case 'invalid':
      case 'neither':
        return this.#reply(invalidRequestMessage(message.id, why))
      default:
        this.#events.answer({ kind: 'malformed-response', id: message.id, reason: why })
        return undefined
    }
  }

  /**
   * An error without an id also answers the hello, if nothing else was asked: a server may be unable to read the id,
   * or may not accept text as one.
   */
  #isHelloAnswer({ kind, id }: Answer): boolean {
    return isHelloAnswer(id) || (kind === 'error' && id === null && this.#handshake === 'waiting')
  }

  /**
   * Whether a client that would go on with its session hears something else than the answer to that:
   * from a server that has lost patience, and speaks as to a plain peer, in the name of another channel.
   */
  #isTooEarly(message: Classified): boolean {
    if (this.#handshake !== 'waiting' || !this.#hello?.resume) return false
    const isAnswer = message.kind === 'result' || message.kind === 'error'
    return !(isAnswer && this.#isHelloAnswer(message))
  }

  #request(id: MessageId, incoming: Incoming): MaybeAsync<Reply | undefined> {
    const { method } = incoming
    if (method.startsWith('rpc.') && method !== DISCOVER) {
      return this.#reply(errorMessage(id, ErrorCode.methodNotFound, unknownMethod(method)))
    }
    if (!this.#events.isBehind) return this.#begin(id, incoming, this)
    const { weight } = this
    const why = this.#events.hold({
      id,
      weight,
      what: `${quoted(method)}`,
      begin: (waitedMs) =>
        this.#answerWith(this.#begin(id, afterWait(incoming, waitedMs), { weight })),
    })
    return why === undefined
      ? undefined
      : this.#reply(neverRanMessage(id, ErrorCode.overloaded, why))
  }

  #begin(id: MessageId, incoming: Incoming, weighed: Weighed): MaybeAsync<Reply | undefined> {
    const { method } = incoming
    const answer = this.#events.request(this, id, incoming, weighed)
    if (answer instanceof Promise) {
      return answer.then((given) => given && this.#carried(method, given))
    }
    return answer && this.#carried(method, answer)
  }

  #notification(incoming: Incoming, bytes: number): void {
    const { method, params } = incoming
    if (method === 'rpc.ping') this.#answerPing()
    else if (method === 'rpc.pong') this.#ponged(params)
    else if (method === 'rpc.ack')
      this.#events.acknowledged(this, (params as unknown[] | undefined)?.[0])
    else if (method === 'rpc.bye') this.#bye(params)
    else if (method === 'rpc.methods') this.#exposes(params)
    else if (method === 'rpc.cancel' || method === '$/cancelRequest') {
      const id = (params as { id?: MessageId } | undefined)?.id
      const answer = id === undefined ? undefined : this.#events.cancel(id)
      if (answer) this.#answer(answer)
    } else if (method.startsWith('rpc.')) this.#word(method, params, bytes)
    else if (!this.#events.isBehind) this.#events.notification(this, incoming, this)
    else this.#holdNotification(incoming)
  }

  #holdNotification(incoming: Incoming): void {
    const { weight } = this
    const why = this.#events.hold({
      id: null,
      weight,
      what: `${quoted(incoming.method)}`,
      begin: () => this.#events.notification(this, incoming, { weight }),
    })
    if (why === undefined) return
    const context = incomingContext({ method: incoming.method, kind: 'notification' }, 'refused')
    this.#events.error(new RpcError(ErrorCode.overloaded, why), context)
  }

  #word(method: string, params: unknown, bytes: number): void {
    const violation = this.#events.word(method, params, bytes)
    if (violation) this.#violated(violation)
  }

  #answerPing(): void {
    const spreadMs = this.#events.spreadMs()
    this.sendExtension('rpc.pong', spreadMs !== undefined ? { spreadMs } : undefined)
  }

  #ponged(params: unknown): void {
    const { spreadMs, unasked } = (params ?? {}) as { spreadMs?: unknown; unasked?: unknown }
    // This pong says that a message of ours is arriving; the answer to a ping comes after that message.
    if (unasked === true) return
    this.#life.answered()
    if (Number.isFinite(spreadMs)) this.#events.spread(spreadMs as number)
  }

  #bye(params: unknown): void {
    const bye = readBye(params)
    if (!bye) this.#violated('an rpc.bye says recv and retryAfterMs, each a number or nothing')
    else this.#events.bye(this, bye)
  }

  #exposes(params: unknown): void {
    const methods = readMethods((params as { exposed?: unknown } | undefined)?.exposed)
    if (methods) this.#events.exposes(methods)
    else this.#violated('an rpc.methods says exposed, an array of names')
  }

  /** On the server, any first frame but the hello means a plain peer; the client waits for its answer. */
  #beginAsPlain(): void {
    if (!this.#hello) this.#beginUnasked()
  }

  /** The answer, or, where it can't be carried, the error that says so. */
  #carried(method: string, answer: ResponseMessage): Reply | undefined {
    const { id } = answer
    let encoded: Encoded
    try {
      encoded = encode(this.#settings.format, answer)
    } catch (thrown) {
      // Why, is told on this side only: the text may be that of an error of the handler's own.
      const { format } = this.#settings
      const why = `The answer of ${quoted(method)} can't be sent as ${format.codec.name}`
      const detail = `${describeThrown(thrown)}${remedyOfUnsent(format, thrown)}`
      const told = { method, cause: thrown }
      this.#events.error(
        new RpcValidationError(`${why}: ${detail}`, [{ message: detail }], 'not-sent', told),
        incomingContext({ method, kind: 'method', id }, 'answer'),
      )
      return this.#reply(errorMessage(id, ErrorCode.internal, why))
    }
    const unsendable = this.refuses(encoded)
    if (unsendable) return this.#unsendable(method, id, encoded, unsendable)
    if (this.#events.hasRoomFor(encoded)) return { answer, encoded }
    const why = `The answer of ${quoted(method)} was dropped: too many answers wait until its caller reads them (limits.answerBytes)`
    return this.#reply(errorMessage(id, ErrorCode.overloaded, why, undefined, null))
  }

  /** Makes the error that is sent instead of an answer that the other side can't take. */
  #unsendable(
    method: string,
    id: MessageId,
    encoded: Encoded,
    unsendable: Unsendable,
  ): Reply | undefined {
    const { message, depth } = this.#peerLimits
    if (unsendable === 'too-big') {
      const why = `The answer of ${quoted(method)} is larger than the ${message} bytes its caller accepts. Make it a stream, or raise the caller's limit "message"`
      return this.#reply(errorMessage(id, ErrorCode.overloaded, why, undefined, null))
    }
    const why =
      unsendable === 'too-deep'
        ? `The answer of ${quoted(method)} nests deeper than the ${depth} levels its caller accepts`
        : `${plain(pathOf(encoded).join('.'))} in the answer of ${quoted(method)} is a Uint8Array, which ${NO_BYTES}`
    const error = new RpcValidationError(why, [{ message: why }], 'not-sent', { method })
    this.#events.error(error, incomingContext({ method, kind: 'method', id }, 'answer'))
    return this.#reply(errorMessage(id, ErrorCode.internal, why))
  }

  /** Sends an answer in a message of its own. */
  #answer(message: ResponseMessage): void {
    const reply = this.#reply(message)
    if (reply) this.#events.reply(this, reply.encoded)
  }

  /** An answer of the protocol's own. */
  #reply(answer: ResponseMessage): Reply | undefined {
    const encoded = this.#encodeOwn(answer)
    return encoded === undefined ? undefined : { answer, encoded }
  }
}
