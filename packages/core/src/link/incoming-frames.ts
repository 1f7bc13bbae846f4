import { describeThrown, ErrorCode, RpcProtocolError } from '../errors/errors.js'
import { plain } from '../errors/quoted.js'
import { IN_FRAME } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import { type Frame, jsonCodec } from '../wire/codec.js'
import {
  type Classified,
  classify,
  errorMessage,
  invalidRequestMessage,
  type ResponseMessage,
} from '../wire/message.js'
import { WEIGHT_OF_CALL, weightOfJson, weightOfSmall, weightOfValue } from '../wire/weight.js'
import { FrameReader } from './frame-reader.js'
import type { Handshake, HandshakeConnection } from './handshake.js'
import { HELLO } from './hello.js'
import type { Keepalive } from './keepalive.js'
import type { ChannelLimits } from './limits.js'
import type { BatchMember, LinkEvents, MessageLink } from './message-link.js'

/** A connection, as its incoming frames use it. */
export interface IncomingFramesHost extends MessageLink, HandshakeConnection {
  /** The link above the connection, or the channel; another takes its place if a session goes on over the connection. */
  readonly events: LinkEvents
  readonly handshake: Handshake
}

/** Makes messages of the frames of one connection, one or several of each, and passes them on. */
export class IncomingFrames {
  readonly reader: FrameReader
  readonly #connection: IncomingFramesHost
  readonly #limits: ChannelLimits
  readonly #keepalive: Keepalive | undefined
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

  constructor(
    connection: IncomingFramesHost,
    limits: ChannelLimits,
    keepalive: Keepalive | undefined,
  ) {
    this.reader = new FrameReader(connection.format, limits)
    this.#connection = connection
    this.#limits = limits
    this.#keepalive = keepalive
  }

  receive(frame: Frame): void {
    const connection = this.#connection
    if (connection.stage === 'over') return
    this.#keepalive?.received(frame.length)
    const reading = this.reader.read(frame)
    this.#bytes += frame.length
    switch (reading.kind) {
      case 'message':
        this.#frame ??= frame
        return this.#take(reading.decoded, reading.tooDeep)
      case 'part':
        this.#frame ??= frame
        return
      case 'too-big': {
        const { message } = this.#limits
        return connection.end(CloseCode.tooBig, `A message is over the limit of ${message} bytes`)
      }
      case 'other-codec':
        return connection.refuseCodec(jsonCodec.name)
      case 'violation':
        return connection.violated(reading.what)
      case 'too-deep':
        return this.#answerUnread(invalidRequestMessage(null, this.#tooDeep))
      case 'unreadable':
        return this.#unreadable(reading.cause)
      case 'unable':
        connection.error(reading.cause, IN_FRAME)
        // The next connection would fail in the same way.
        return connection.end(CloseCode.violation, reading.cause.message)
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
      this.#passOn(classify(decoded), bytes, tooDeep && this.#tooDeep)
      this.#connection.events.frameEnded?.()
    }
    this.#frame = undefined
    this.#decoded = undefined
  }

  #passOn(message: Classified, bytes: number, refusal: string | undefined): void {
    const connection = this.#connection
    // When the handshake is over, only another hello is its business.
    const isOfHandshake =
      connection.stage !== 'extended' || (message.kind === 'request' && message.method === HELLO)
    if (isOfHandshake && connection.handshake.takes(connection, message)) return
    if (message.kind === 'notification' && this.#takeOwn(message.method, message.params)) return
    connection.events.message(connection, message, bytes, refusal)
  }

  /** Handles the control messages of the keepalive. @returns whether the message was one of these. */
  #takeOwn(method: string, params: unknown): boolean {
    const connection = this.#connection
    if (method === 'rpc.ping') connection.sendControl('rpc.pong', connection.handshake.pong())
    else if (method === 'rpc.pong') this.#ponged(params)
    else return false
    return true
  }

  #ponged(params: unknown): void {
    const { spreadMs, unasked } = (params ?? {}) as { spreadMs?: unknown; unasked?: unknown }
    // This pong tells that our message is arriving; the answer to a ping comes after that message.
    if (unasked === true) return
    this.#keepalive?.answered()
    if (Number.isFinite(spreadMs)) this.#connection.events.spread(spreadMs as number)
  }

  /** Handles the messages of an extended peer that share a frame, as if each had come alone. */
  #takeArray(
    messages: readonly unknown[],
    bytes: number,
    tooDeep: ReadonlySet<unknown> | undefined,
  ): void {
    const connection = this.#connection
    const count = messages.length
    this.#keepalive?.frameShared(count)
    const { batch: most } = this.#limits
    const isExtended = connection.stage === 'extended'
    if (count > most && isExtended) {
      return connection.violated(`a frame holds ${count} messages, and ${most} were agreed on`)
    }
    if (count === 0 || count > most) {
      const reason =
        count === 0
          ? 'a batch is not empty'
          : `a batch holds ${most} messages at the most, not ${count}`
      connection.handshake.unreadable(connection)
      return connection.events.unreadable(
        connection,
        undefined,
        invalidRequestMessage(null, reason),
      )
    }
    this.#sharers = count
    const each = bytes / count
    const members: BatchMember[] = []
    for (const decoded of messages) {
      if (connection.stage === 'over') break
      const refusal = tooDeep?.has(decoded) ? this.#tooDeep : undefined
      const message = classify(decoded)
      if (isExtended) this.#passOn(message, each, refusal)
      else if (!connection.handshake.takes(connection, message))
        members.push({ message, bytes: each, refusal })
    }
    if (isExtended) connection.events.frameEnded?.()
    else if (members.length > 0) connection.events.batch(connection, members)
    this.#sharers = 1
  }

  /** The reason for refusing a message that nests too deep. */
  get #tooDeep(): string {
    return `it nests deeper than ${this.#limits.depth}`
  }

  /** The memory that the message being read takes, in bytes. It is measured only when this is read. */
  get weight(): number {
    if (this.#weight === 0) this.#weight = weightOfSmall(this.#size / this.#sharers)
    if (this.#weight === 0) {
      const isJson = this.#connection.format.codec === jsonCodec
      const made = isJson ? weightOfJson(this.#frame ?? '') : weightOfValue(this.#decoded)
      // Rounded: V8 allocates an object for a fraction.
      this.#weight = WEIGHT_OF_CALL + Math.round((this.#size + made) / this.#sharers)
    }
    return this.#weight
  }

  #unreadable(cause: unknown): void {
    const { codec } = this.#connection.format
    const why = `A frame is not ${codec.name}`
    const error = new RpcProtocolError(`${why}: ${plain(describeThrown(cause))}`, { cause })
    this.#connection.error(error, IN_FRAME)
    this.#answerUnread(
      errorMessage(null, ErrorCode.parse, `Parse error: a frame is not ${codec.name}`),
    )
  }

  #answerUnread(answer: ResponseMessage): void {
    const bytes = this.#bytes
    this.#bytes = 0
    const connection = this.#connection
    connection.handshake.unreadable(connection)
    connection.events.unreadable(connection, bytes, answer)
  }
}
