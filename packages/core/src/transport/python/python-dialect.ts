import { assertOptions } from '../../errors/assert-options.js'
import { ErrorCode, RpcError, RpcProtocolError } from '../../errors/errors.js'
import type { OptionKinds } from '../../errors/options.js'
import { quoted } from '../../errors/quoted.js'
import { exceeds, type Frame, jsonCodec, readText, utf8 } from '../../wire/codec.js'
import {
  classify,
  errorMessage,
  type Message,
  type MessageId,
  type NotificationMessage,
  type RequestMessage,
} from '../../wire/message.js'
import { randomHex } from '../../wire/random-hex.js'
import { BUILT_IN, type BuiltInEvents, type BuiltInTransport, builtIn } from '../built-in.js'
import { CloseCode } from '../close-codes.js'
import type { Dialect, DialectContext, DialectTransport } from '../dialect.js'
import type { CloseInfo, Transport } from '../transport.js'
import { parsePythonJson } from './python-json.js'
import {
  GET_CHANNEL_ID,
  isPythonMessage,
  PING,
  PONG,
  type PythonMessage,
  type PythonRequest,
  pythonTypeOf,
  readPythonMessage,
} from './python-message.js'

/** The options of `pythonDialect`. */
export interface PythonDialectOptions {
  /**
   * Whether the heartbeat sends `_ping_` if the WebSocket can't send a ping, as in browsers. A Python peer answers it
   * between its calls. If one of them takes longer than `heartbeat.timeoutMs`, the connection counts as dead. Default
   * false: in browsers, a dead connection is not noticed.
   */
  keepAlive?: boolean
}

const PYTHON_OPTIONS = {
  keepAlive: 'boolean',
} as const satisfies OptionKinds<PythonDialectOptions>

/**
 * The dialect of Python's flashrpc and of fastapi_websocket_rpc (docs/protocol.md, "The Python dialect").
 *
 * A client with this dialect uses it. A server with this dialect recognizes Python clients by their first frame, and
 * serves them and others.
 *
 * A client's `frameType` must be the Python server's `frame_type`, because that server drops the connection after any
 * other frame. A server answers Python clients in the frames that they send.
 *
 * @throws {RpcConfigError} naming the option that is wrong.
 */
export function pythonDialect(options: PythonDialectOptions = {}): Dialect {
  assertOptions('pythonDialect', options, PYTHON_OPTIONS)
  const { keepAlive = false } = options
  return {
    name: 'Python',
    wrap: (transport, context) => new PythonTransport(transport, context, keepAlive),
  }
}

type Call = RequestMessage | NotificationMessage

/** The codes with which an ASGI server closes if its application has ended, as Python's does after errors. */
const APPLICATION_ENDED: ReadonlySet<number> = new Set([
  CloseCode.normal,
  1005, // RFC 6455, section 7.4.1: a close frame without a code
  1006, // RFC 6455, section 7.4.1: no close frame
  CloseCode.internal,
])
const REMEDY =
  'a Python server drops the connection when a method is unknown, lacks an argument or raises; its log says which'

/** The length of the prefix of call ids. With the eight digits after it, an id has the form of uuid4().hex. */
const PREFIX_LENGTH = 24
/** Follows the prefix, in place of a call's id, in a ping. The first ping stands for the hello. */
const PING_NUMBER = 0

/**
 * One connection: JSON-RPC 2.0 to the channel, and Python's messages on the wire.
 *
 * It keeps no table of calls. The `call_id` of our call contains its id. A `call_id` of the other side is the id of the
 * request to the channel.
 */
class PythonTransport implements BuiltInTransport, DialectTransport {
  readonly reliable: boolean
  readonly terminate?: () => void
  readonly ping?: () => void
  readonly pause?: (isPaused: boolean) => void
  readonly watchDrain?: () => boolean
  readonly pong?: () => void
  readonly hasMoved?: () => boolean
  readonly #transport: Transport
  /** The transport, if it is built in. */
  readonly #builtIn: BuiltInTransport | undefined
  readonly #context: DialectContext
  readonly #prefix = randomHex(PREFIX_LENGTH)
  #events: BuiltInEvents | undefined
  /** The protocol of the other side; `undefined` before its first frame. */
  #peer: 'python' | 'json-rpc' | undefined
  /** Whether the other side has sent a message in the dialect. */
  #hasSpoken = false
  #sendsBytes: boolean
  /** The id of the hello, while it waits for the answer to its ping. */
  #helloId: MessageId | undefined
  /** Calls of ours that have no answer yet. */
  #unanswered = 0
  #ended = false

  constructor(transport: Transport, context: DialectContext, keepAlive: boolean) {
    this.#transport = transport
    const inner = builtIn(transport)
    this.#builtIn = inner
    this.#context = context
    this.#sendsBytes = context.frameType === 'binary'
    this.#peer = context.side === 'client' ? 'python' : undefined
    this.reliable = transport.reliable
    if (transport.terminate) this.terminate = () => transport.terminate?.()
    if (transport.pause) this.pause = (isPaused) => transport.pause?.(isPaused)
    if (inner?.watchDrain) this.watchDrain = () => inner.watchDrain?.() ?? false
    if (inner?.pong) this.pong = () => inner.pong?.()
    if (inner?.hasMoved) this.hasMoved = () => inner.hasMoved?.() ?? false
    if (transport.ping) this.ping = () => transport.ping?.()
    else if (keepAlive && context.side === 'client') this.ping = () => void this.#sendPing()
  }

  get [BUILT_IN](): this {
    return this
  }

  get dialect(): string | undefined {
    return this.#peer === 'python' ? 'Python' : undefined
  }

  start(events: BuiltInEvents): void {
    this.#events = events
    const innerEvents: BuiltInEvents = {
      frame: (frame) => this.#receive(frame),
      close: (info) => this.#end(this.#explained(info)),
      pong: () => events.pong?.(),
      drained: () => events.drained?.(),
      arriving: () => events.arriving?.(),
      otherFrames: (frames, bytes) => events.otherFrames?.(frames, bytes),
      unreadable: (cause) => events.unreadable?.(cause),
    }
    this.#transport.start(innerEvents)
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes ?? 0
  }

  get unsentBytes(): number {
    return this.#builtIn?.unsentBytes ?? this.bufferedBytes
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason)
  }

  // ── What goes out ─────────────────────────────────────────────────────────────────────────────

  send(frame: Frame): boolean {
    if (this.#ended) return false
    if (this.#peer === 'json-rpc') return this.#transport.send(frame)
    const message = jsonCodec.decode(frame) as Message
    if ('error' in message) return this.#fail(message.id, message.error)
    if ('result' in message) {
      const { id, result } = message
      return typeof id !== 'string' || this.#answer(id, result)
    }
    if (this.#peer === undefined) return this.#sendToUnknown(message, frame)
    return this.#sendCall(message)
  }

  /** A request or a notification, to a Python peer. */
  #sendCall(message: Call): boolean {
    const { method } = message
    const id = 'id' in message ? message.id : undefined
    if (method === 'rpc.hello' && id !== undefined) {
      // Python's own clients begin with this ping. The answer shows that the other side knows the dialect.
      this.#helloId = id
      return this.#sendPing()
    }
    if (method.startsWith('rpc.')) return true
    const refusal = whyNotPython(message)
    if (refusal) {
      const { code, why } = refusal
      const error = new RpcError(code, `${quoted(method)} was not sent: ${why}`, undefined, {
        method,
      })
      if (id === undefined) this.#context.error(error)
      else this.#answerLater(errorMessage(id, code, error.message))
      return true
    }
    const sent = this.#write(this.#request(method, message.params, id))
    if (sent && id !== undefined) this.#unanswered++
    return sent
  }

  /**
   * Sends to a peer that has sent nothing yet, which only a server can have. Each kind of peer ignores the members of
   * the other kind, so one frame serves both.
   */
  #sendToUnknown(message: Call, frame: Frame): boolean {
    if (whyNotPython(message)) return this.#transport.send(frame)
    const id = 'id' in message ? message.id : undefined
    const both = { ...message, ...this.#request(message.method, message.params, id) }
    const sent = this.#write(both)
    if (sent && id !== undefined) this.#unanswered++
    return sent
  }

  #sendPing(): boolean {
    return this.#write(this.#request(PING, {}, PING_NUMBER))
  }

  /** A notification is a call, too, but its answer is ignored. */
  #request(method: string, params: unknown, id: MessageId | undefined): PythonMessage {
    const call_id =
      typeof id === 'number'
        ? this.#prefix + id.toString(16).padStart(8, '0')
        : randomHex(PREFIX_LENGTH + 8)
    return { request: { method, arguments: (params ?? {}) as object, call_id }, response: null }
  }

  #answer(call_id: string, result: unknown): boolean {
    const response = { result, result_type: pythonTypeOf(result), call_id }
    return this.#write({ request: null, response })
  }

  #write(message: PythonMessage): boolean {
    const text = jsonCodec.encode(message) as string
    return this.#transport.send(this.#sendsBytes ? utf8(text) : text)
  }

  /** A call of the other side failed here. Python's protocol has no error answer, so the connection must end. */
  #fail(id: MessageId, { code, message, data }: { code: number; message: string; data?: unknown }) {
    if (id !== null) {
      const why = 'Python peers have no error answers, so the connection was closed'
      this.#context.error(new RpcError(code, `${message}. ${why}`, data))
      this.#closeBecause(CloseCode.internal, message)
    }
    return true
  }

  // ── What comes in ─────────────────────────────────────────────────────────────────────────────

  #receive(frame: Frame): void {
    if (this.#ended) return
    // A frame that is too large is refused by its reader.
    const isForeign = this.#peer === 'json-rpc' || exceeds(frame, this.#context.maxMessage)
    if (isForeign) return this.#events?.frame(frame)
    const decoded = decode(frame)
    this.#peer ??= isPythonMessage(decoded) ? 'python' : 'json-rpc'
    if (this.#peer === 'json-rpc') return this.#events?.frame(frame)
    const message = readPythonMessage(decoded)
    if (!message) return this.#unreadable(decoded)
    this.#hasSpoken = true
    if (this.#context.side === 'server') this.#sendsBytes = typeof frame !== 'string'
    const { request, response } = message
    if (request && 'malformed' in request) {
      this.#context.error(new RpcProtocolError(`A request is malformed: ${request.malformed}`))
    } else if (request) this.#asked(request)
    if (response) this.#answered(response.callId, response.result)
  }

  /** Refuses a message that can't be read. If the peer has spoken the dialect before, the connection goes on. */
  #unreadable(decoded: unknown): void {
    if (this.#hasSpoken) {
      const why = 'A message of the Python peer could not be read, and was dropped'
      this.#context.error(new RpcProtocolError(why))
      return this.#showLife()
    }
    const remedy = isJsonRpc(decoded) ? '. It speaks JSON-RPC 2.0: leave `dialect` out' : ''
    const why = `The other side does not speak the Python dialect${remedy}`
    this.#context.error(new RpcProtocolError(why))
    this.#closeBecause(CloseCode.violation, why)
  }

  #asked({ method, arguments: params, call_id: id }: PythonRequest): void {
    if (method === PING) this.#answerOwn(id, PONG)
    else if (method === GET_CHANNEL_ID) this.#answerOwn(id, this.#context.channelId)
    else if (id === null) this.#deliver({ jsonrpc: '2.0', method, params })
    else this.#deliver({ jsonrpc: '2.0', id, method, params })
  }

  #answerOwn(id: string | null, result: string): void {
    if (id !== null) this.#answer(id, result)
    this.#showLife()
  }

  /**
   * Passes a message to the channel that the channel ignores, so that it knows that the peer lives and has sent
   * something.
   */
  #showLife(): void {
    this.#deliver({ jsonrpc: '2.0', method: 'rpc.plain' })
  }

  #answered(callId: string | null, result: unknown): void {
    if (!callId?.startsWith(this.#prefix)) return
    const id = Number.parseInt(callId.slice(PREFIX_LENGTH), 16)
    if (id === PING_NUMBER) return this.#pinged()
    if (this.#unanswered > 0) this.#unanswered--
    this.#deliver({ jsonrpc: '2.0', id, result })
  }

  #pinged(): void {
    const id = this.#helloId
    if (id === undefined) return this.#events?.pong?.()
    this.#helloId = undefined
    const why = 'A Python peer does not understand the extensions'
    this.#deliver(errorMessage(id, ErrorCode.methodNotFound, why))
  }

  #deliver(message: Message): void {
    this.#events?.frame(jsonCodec.encode(message))
  }

  /** Answers a call of ours in the other side's place, once it counts as sent. */
  #answerLater(message: Message): void {
    queueMicrotask(() => {
      if (!this.#ended) this.#deliver(message)
    })
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  #closeBecause(code: number, reason: string): void {
    this.#transport.close(code, reason)
    this.#end({ code, reason })
  }

  #end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    this.#events?.close(info)
  }

  /** Adds the possible reason if a Python server has cut calls off. */
  #explained(info: CloseInfo): CloseInfo {
    const { code, reason } = info
    const isServers = this.#context.side === 'client'
    if (!isServers || this.#unanswered === 0 || !APPLICATION_ENDED.has(code)) return info
    return { code, reason: reason ? `${reason}; ${REMEDY}` : REMEDY }
  }
}

/** @returns why a call can't be made in Python's protocol; `undefined` if it can. */
function whyNotPython({ method, params }: Call): { code: number; why: string } | undefined {
  if (Array.isArray(params)) {
    const why = 'Python takes arguments by name; pass an object whose members are named as they are'
    return { code: ErrorCode.invalidParams, why }
  }
  if (method.startsWith('_') && method !== PING && method !== GET_CHANNEL_ID) {
    const why = 'Python exposes nothing whose name begins with "_", and would not answer; rename it'
    return { code: ErrorCode.methodNotFound, why }
  }
  return undefined
}

/** @returns `undefined` if it is not JSON as Python writes it. */
function decode(frame: Frame): unknown {
  try {
    return parsePythonJson(readText(frame))
  } catch {
    return undefined
  }
}

function isJsonRpc(value: unknown): boolean {
  return classify(value).kind !== 'invalid'
}
