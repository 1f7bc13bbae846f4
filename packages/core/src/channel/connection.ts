import type { Side } from '../contract.js'
import { describeThrown, ErrorCode, RpcProtocolError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { type Codec, exceeds, type Frame, jsonCodec } from '../wire/codec.js'
import {
  type Classified,
  classify,
  errorMessage,
  invalidRequestMessage,
  MAX_BATCH,
  type Message,
  type MessageId,
  type NotificationMessage,
  type ResponseMessage,
} from '../wire/message.js'
import type { Incoming } from './dispatcher.js'
import {
  CLIENT_PATIENCE_MS,
  HELLO,
  type HelloResult,
  helloMessage,
  isHelloAnswer,
  PROTOCOL_VERSION,
  readHelloParams,
  readHelloResult,
  SERVER_PATIENCE_MS,
} from './handshake.js'
import { Heartbeat, type HeartbeatOptions } from './heartbeat.js'

/** An answer to a call of ours. */
export type Answer = Extract<Classified, { kind: 'result' | 'error' | 'malformed-response' }>

/** What a connection tells its channel. After `close` it tells nothing more. */
export interface ConnectionEvents {
  /** The handshake is over: messages may be sent. `hello` is missing where the peer is a plain one. */
  ready(hello: HelloResult | undefined): void
  /** Runs a call of the other side. Never rejects. */
  request(id: MessageId, incoming: Incoming): Promise<ResponseMessage>
  notification(incoming: Incoming): void
  /** Whether a call of ours waits for an answer with this id. */
  awaits(id: MessageId): boolean
  answer(answer: Answer): void
  /** The caller gave up a call that may be running here. */
  cancel(id: MessageId): void
  /** How long the other side took to answer a ping or the hello, in ms. */
  latency(ms: number): void
  /** Something went wrong that no answer tells the other side about. */
  error(error: unknown): void
  close(info: CloseInfo): void
}

export interface ConnectionOptions {
  readonly side: Side
  readonly codec: Codec
  /** The largest frame accepted, in bytes. */
  readonly maxMessage: number
  readonly heartbeat: HeartbeatOptions | false
  /** Client: the channel's id, for the server. */
  readonly id: string
  /** Client: which connection of the channel this is, from 1. */
  readonly attempt: number
  /** Server: what it answers a hello with. */
  readonly welcome: Pick<HelloResult, 'sid' | 'resumed' | 'spreadMs'>
}

/** What became of a frame that was to be sent. */
export type Sent = 'sent' | 'too-big' | 'not-sent'

/**
 * One live connection of a channel: shakes hands, turns frames into messages and back, answers what
 * is no message, watches over life. It knows no calls, and is not used again once it has ended.
 */
export class Connection {
  readonly #transport: Transport
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  #handshake: 'waiting' | 'plain' | 'extended' = 'waiting'
  #patience: ReturnType<typeof setTimeout> | undefined
  #heartbeat: Heartbeat | undefined
  #pingedAt: number
  #peerMaxMessage = Number.POSITIVE_INFINITY
  #otherId: string | undefined
  #ended = false

  constructor(transport: Transport, options: ConnectionOptions, events: ConnectionEvents) {
    this.#transport = transport
    this.#options = options
    this.#events = events
    this.#pingedAt = performance.now()
  }

  /** Begins, once whoever made the connection has put it where its events will look for it. */
  start(): void {
    const isClient = this.#options.side === 'client'
    const patience = isClient ? CLIENT_PATIENCE_MS : SERVER_PATIENCE_MS
    this.#patience = setTimeout(() => this.#ready(undefined), patience)
    this.#transport.start({
      frame: (frame) => this.#receive(frame),
      close: (info) => this.#end(info),
      pong: () => this.#pong(),
    })
    if (isClient) this.#sayHello()
  }

  /** The handshake is over and the connection has not ended. */
  get isReady(): boolean {
    return this.#handshake !== 'waiting' && !this.#ended
  }

  /** Whether the other side understands more than JSON-RPC 2.0. */
  get isExtended(): boolean {
    return this.#handshake === 'extended'
  }

  /** The largest frame the other side accepts, in bytes, as far as it has said. */
  get peerMaxMessage(): number {
    return this.#peerMaxMessage
  }

  /** What the other side calls its channel, where it has said so. */
  get otherId(): string | undefined {
    return this.#otherId
  }

  encode(message: Message): Frame {
    return this.#options.codec.encode(message)
  }

  /** Sends a frame that was encoded earlier. */
  send(frame: Frame): Sent {
    if (this.#ended) return 'not-sent'
    if (exceeds(frame, this.#peerMaxMessage)) return 'too-big'
    return this.#transport.send(frame) ? 'sent' : 'not-sent'
  }

  /** Sends a notification of the protocol; a plain peer gets none. */
  sendExtension(method: string, params?: unknown): void {
    if (!this.isExtended) return
    const message: NotificationMessage = { jsonrpc: '2.0', method }
    if (params !== undefined) message.params = params
    this.send(this.encode(message))
  }

  /** Ends the connection: told at once, whatever the goodbye on the wire still takes. */
  close(code: number, reason: string): void {
    this.#transport.close(code, reason)
    this.#end({ code, reason })
  }

  #end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#patience)
    this.#heartbeat?.stop()
    this.#events.close(info)
  }

  // ── The handshake ─────────────────────────────────────────────────────────────────────────────

  #sayHello(): void {
    const { id, attempt, codec, maxMessage } = this.#options
    const limits = { msg: maxMessage }
    const hello = { v: PROTOCOL_VERSION, id, attempt, codec: codec.name, limits }
    this.#transport.send(jsonCodec.encode(helloMessage(hello)))
  }

  #answerHello(id: MessageId, params: unknown): ResponseMessage | undefined {
    if (this.#handshake === 'extended') {
      this.close(CloseCode.tooMany, 'A connection says rpc.hello once')
      return undefined
    }
    const hello = readHelloParams(params)
    if (!hello) return errorMessage(id, ErrorCode.invalidParams, 'Invalid params for "rpc.hello"')
    const { welcome, maxMessage } = this.#options
    this.#peerMaxMessage = hello.limits.msg
    this.#otherId = hello.id
    const result: HelloResult = { v: PROTOCOL_VERSION, ...welcome, limits: { msg: maxMessage } }
    this.send(jsonCodec.encode({ jsonrpc: '2.0', id, result }))
    this.#ready(result)
    return undefined
  }

  #helloAnswered(answer: Answer): void {
    // A second answer is nobody's.
    if (this.#handshake === 'extended') return
    if (this.#handshake === 'plain') {
      // Too late: we have spoken as to a plain peer since, and it has not listened as one.
      if (answer.kind === 'result')
        this.close(CloseCode.timedOut, 'The rpc.hello was answered late')
      return
    }
    this.#events.latency(performance.now() - this.#pingedAt)
    const hello = answer.kind === 'result' ? readHelloResult(answer.result) : undefined
    if (hello) {
      this.#peerMaxMessage = hello.limits.msg
      this.#otherId = hello.sid
    }
    this.#ready(hello)
  }

  #ready(hello: HelloResult | undefined): void {
    clearTimeout(this.#patience)
    const first = this.#handshake === 'waiting'
    this.#handshake = hello ? 'extended' : 'plain'
    this.#watch()
    // A hello that comes after the server's patience upgrades the connection; it is open already.
    if (first && !this.#ended) this.#events.ready(hello)
  }

  // ── Life ──────────────────────────────────────────────────────────────────────────────────────

  #watch(): void {
    this.#heartbeat?.stop()
    const { heartbeat } = this.#options
    const canPing = this.isExtended || this.#transport.ping !== undefined
    if (!heartbeat || this.#transport.reliable || !canPing || this.#ended) return
    this.#heartbeat = new Heartbeat(heartbeat, {
      ping: () => {
        this.#pingedAt = performance.now()
        if (this.isExtended) this.sendExtension('rpc.ping')
        else this.#transport.ping?.()
      },
      dead: () => {
        const reason = `No sign of life from the other side for ${heartbeat.intervalMs + heartbeat.timeoutMs} ms`
        if (this.#transport.terminate) this.#transport.terminate()
        else this.#transport.close(CloseCode.timedOut, reason)
        this.#end({ code: CloseCode.timedOut, reason })
      },
    })
  }

  #pong(): void {
    if (this.#ended) return
    this.#heartbeat?.heard()
    this.#events.latency(performance.now() - this.#pingedAt)
  }

  // ── What comes in ─────────────────────────────────────────────────────────────────────────────

  #receive(frame: Frame): void {
    if (this.#ended) return
    this.#heartbeat?.heard()
    const { maxMessage, codec } = this.#options
    if (exceeds(frame, maxMessage)) {
      this.close(CloseCode.tooBig, `A frame is over the limit of ${maxMessage} bytes`)
      return
    }
    let decoded: unknown
    try {
      decoded = codec.decode(frame)
    } catch (thrown) {
      this.#events.error(
        new RpcProtocolError(`A frame is not ${codec.name}: ${describeThrown(thrown)}`, {
          cause: thrown,
        }),
      )
      this.#beginAsPlain()
      this.#reply(errorMessage(null, ErrorCode.parse, `Parse error: a frame is not ${codec.name}`))
      return
    }
    if (Array.isArray(decoded)) void this.#receiveBatch(decoded)
    else void this.#receiveOne(decoded)
  }

  async #receiveOne(decoded: unknown): Promise<void> {
    const answer = await this.#handle(decoded)
    if (answer) this.#reply(answer)
  }

  /**
   * JSON-RPC 2.0, section 6: one array of answers, in any order, and none where there are none.
   * Between extended peers, each answer goes on its own.
   */
  async #receiveBatch(batch: unknown[]): Promise<void> {
    this.#beginAsPlain()
    if (batch.length === 0) return this.#reply(invalidRequestMessage(null, 'a batch is not empty'))
    if (batch.length > MAX_BATCH) {
      const reason = `a batch holds ${MAX_BATCH} messages at the most, not ${batch.length}`
      return this.#reply(invalidRequestMessage(null, reason))
    }
    if (this.isExtended) {
      // Not a batch: messages that share a frame, none of whose answers waits for another.
      for (const decoded of batch) void this.#receiveOne(decoded)
      return
    }
    const answers = await Promise.all(batch.map((decoded) => this.#handle(decoded)))
    const told = answers.filter((answer) => answer !== undefined)
    if (told.length > 0) this.send(this.#options.codec.encode(told))
  }

  /** @returns the answer owed, one that the codec can carry and the other side accepts. */
  #handle(decoded: unknown): Promise<ResponseMessage | undefined> | ResponseMessage | undefined {
    const message = classify(decoded)
    const isClient = this.#options.side === 'client'
    const isHello = message.kind === 'request' && message.method === HELLO
    if (!isHello) this.#beginAsPlain()
    if (this.#ended) return undefined
    switch (message.kind) {
      case 'request':
        if (isHello && !isClient) {
          return this.#answerHello(message.id, message.params)
        }
        return this.#request(message.id, message)
      case 'notification':
        this.#notification(message)
        return undefined
      case 'neither': {
        const reason = 'it has neither a method nor a result nor an error'
        if (!this.#events.awaits(message.id)) return invalidRequestMessage(message.id, reason)
        this.#events.answer({ kind: 'malformed-response', id: message.id, reason })
        return undefined
      }
      case 'invalid':
        return invalidRequestMessage(message.id, message.reason)
      default:
        if (isClient && isHelloAnswer(message.id)) this.#helloAnswered(message)
        else this.#events.answer(message)
        return undefined
    }
  }

  async #request(id: MessageId, incoming: Incoming): Promise<ResponseMessage> {
    const { method } = incoming
    if (method.startsWith('rpc.')) {
      return errorMessage(id, ErrorCode.methodNotFound, `Method not found: "${method}"`)
    }
    return this.#carried(method, await this.#events.request(id, incoming))
  }

  #notification(incoming: Incoming): void {
    const { method, params } = incoming
    if (method === 'rpc.ping') this.sendExtension('rpc.pong')
    else if (method === 'rpc.pong') this.#pong()
    else if (method === 'rpc.cancel' || method === '$/cancelRequest') {
      const id = (params as { id?: MessageId } | undefined)?.id
      if (id !== undefined) this.#events.cancel(id)
    } else if (!method.startsWith('rpc.')) this.#events.notification(incoming)
  }

  /** On the server, any first frame but the hello means a plain peer; the client waits for its answer. */
  #beginAsPlain(): void {
    if (this.#handshake === 'waiting' && this.#options.side === 'server') this.#ready(undefined)
  }

  /** The answer, or, where it can't be carried, the error that says so. */
  #carried(method: string, answer: ResponseMessage): ResponseMessage {
    let frame: Frame
    try {
      frame = this.encode(answer)
    } catch (thrown) {
      // Why, is told on this side only: the text may be that of an error of the handler's own.
      this.#events.error(thrown)
      const why = `The answer of "${method}" can't be sent as ${this.#options.codec.name}`
      return errorMessage(answer.id, ErrorCode.internal, why)
    }
    if (!exceeds(frame, this.#peerMaxMessage)) return answer
    const why = `The answer of "${method}" is larger than the ${this.#peerMaxMessage} bytes its caller accepts`
    return errorMessage(answer.id, ErrorCode.overloaded, why)
  }

  #reply(answer: ResponseMessage): void {
    this.send(this.encode(answer))
  }
}
