import { type Contract, type ContractSide, definitionOf, type Side } from '../contract.js'
import {
  describeThrown,
  ErrorCode,
  type Issue,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcProtocolError,
  RpcValidationError,
} from '../errors.js'
import { CloseCode, describeClose } from '../transport/close-codes.js'
import type { Dialect } from '../transport/dialect.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { type Encoded, encode } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { NotificationMessage, RequestMessage } from '../wire/message.js'
import { type Answer, Connection, NO_BYTES } from './connection.js'
import { type AnyHandler, type Authorize, Dispatcher } from './dispatcher.js'
import type { CallOptions } from './functions.js'
import type { HelloResult } from './handshake.js'
import type { HeartbeatOptions } from './heartbeat.js'
import { Outbox, type Unsent } from './outbox.js'
import { outcomeOf, type PendingCall, PendingCalls } from './pending-calls.js'
import { createRemote } from './remote.js'
import { formatIssues, type Verdict, validate } from './validation.js'

export interface ChannelCoreOptions {
  readonly side: Side
  readonly contract: Contract | undefined
  readonly format: Format
  /** Default time for an answer, in ms. */
  readonly timeout: number
  readonly limits: ChannelLimits
  readonly heartbeat: HeartbeatOptions | false
  readonly exposeErrors: boolean
  /** What the other side speaks, where it is not JSON-RPC 2.0. */
  readonly dialect: Dialect | undefined
  /** Whether calls wait for a connection that is to come, or fail where there is none. */
  readonly lasting: boolean
  readonly spreadMs: number
  /** What handlers find as `context.channel`. */
  readonly self: () => unknown
  /** What handlers find as `context.identity`. */
  readonly identity?: unknown
  /** Whether a call of the other side may run; without it, all may. */
  readonly authorize?: Authorize | undefined
  readonly events: ChannelCoreEvents
}

/** Bounds of one channel. */
export interface ChannelLimits {
  /** The largest message accepted, and offered to the other side as the limit, in bytes. */
  readonly message: number
  /** The most messages that wait for a connection. */
  readonly queuedMessages: number
  /** The most bytes that wait for a connection. */
  readonly queuedBytes: number
}

export interface ChannelCoreEvents {
  /** A connection is ready for calls. `hello` is missing where the peer is a plain one. */
  open(hello: HelloResult | undefined): void
  /** The connection ended. Told after the calls that it took with it were rejected. */
  down(info: CloseInfo): void
  latency(ms: number): void
  /** `inFlight` or `queued` may have changed. */
  change(): void
  error(error: unknown): void
}

/** Why nothing can be sent at the moment, and will not be without a change from outside. */
interface Refusal {
  readonly message: string
  readonly closeCode?: number | undefined
  readonly cause?: unknown
}

/**
 * One conversation, by names and unknown values; the public types are put on at the edge.
 *
 * It outlives its connections: calls that were not written wait for the next one (where the channel
 * is a lasting one); those that were, end with the connection. Sessions that carry them over will
 * take their place between this class and {@link Connection}.
 */
export class ChannelCore {
  /** 128 random bits, in hexadecimal. */
  readonly id = randomId()
  readonly other: object
  readonly #options: ChannelCoreOptions
  readonly #remoteSide: ContractSide | undefined
  readonly #pending: PendingCalls
  readonly #outbox: Outbox
  readonly #dispatcher: Dispatcher
  #connection: Connection | undefined
  /** Of the last connection, for those who look back at it. */
  #lastOtherId: string | null = null
  #attempt = 0
  #refusal: Refusal | undefined

  constructor(options: ChannelCoreOptions) {
    const { side, contract } = options
    this.#options = options
    this.#remoteSide = contract?.[side === 'server' ? 'client' : 'server']
    this.#outbox = new Outbox({
      messages: options.limits.queuedMessages,
      bytes: options.limits.queuedBytes,
    })
    this.#pending = new PendingCalls((call) => this.#givenUp(call))
    this.#dispatcher = new Dispatcher({
      side: contract?.[side],
      sideName: side,
      exposeErrors: options.exposeErrors,
      channel: options.self,
      identity: options.identity,
      authorize: options.authorize,
      onError: options.events.error,
    })
    this.other = createRemote(this.#remoteSide, (method, params, callOptions) =>
      definitionOf(this.#remoteSide, method)?.kind === 'notification'
        ? this.notify(method, params, callOptions)
        : this.call(method, params, callOptions),
    )
  }

  /** Calls that were sent and wait for their answer. */
  get inFlight(): number {
    return this.#pending.size - this.#outbox.size
  }

  /** Calls and notifications that wait for a connection. */
  get queued(): number {
    return this.#outbox.size
  }

  /** Calls of the other side that run here. */
  get running(): number {
    return this.#dispatcher.running
  }

  get isConnected(): boolean {
    return this.#connection?.isReady ?? false
  }

  /** What the other side calls its channel; null until it has said so, and with a plain peer. */
  get otherId(): string | null {
    return this.#connection?.otherId ?? this.#lastOtherId
  }

  // ── Calling ───────────────────────────────────────────────────────────────────────────────────

  async call(method: string, params: unknown, options: CallOptions = {}): Promise<unknown> {
    const call = this.#open(method, options)
    this.#say({ jsonrpc: '2.0', id: call.id, method }, params, call, 'call')
    return this.#checkResult(method, await call.promise)
  }

  /** Resolves when the notification has been handed to the wire. */
  notify(method: string, params: unknown, options: CallOptions = {}): Promise<void> {
    const written = this.#notify(method, params, options)
    // Nobody need wait for a notification; a failure that nobody waits for ends no process.
    written.catch((error: unknown) => this.#options.events.error(error))
    return written
  }

  async #notify(method: string, params: unknown, options: CallOptions): Promise<void> {
    const call = this.#open(method, options)
    this.#say({ jsonrpc: '2.0', method }, params, call, 'notification')
    await call.promise
  }

  #open(method: string, options: CallOptions): PendingCall {
    if (typeof method !== 'string') throw new RpcConfigError('A method is called by its name')
    if (this.#remoteSide && !definitionOf(this.#remoteSide, method)) {
      const known = Object.keys(this.#remoteSide).join(', ') || 'nothing'
      throw new RpcConfigError(
        `"${method}" can't be called: the contract's other side has ${known}. Add it there, or correct the name`,
        { method },
      )
    }
    return this.#pending.open(method, options, this.#options.timeout)
  }

  /** Encodes at once, so that later changes to the params change nothing, and sends when it can. */
  #say(
    message: RequestMessage | NotificationMessage,
    params: unknown,
    call: PendingCall,
    kind: Unsent['kind'],
  ): void {
    if (this.#refusal) return this.#fail(call, disconnectedError(call, this.#refusal))
    const encoded = this.#encode(message, params, call)
    if (!encoded) return
    const unsent: Unsent = { encoded, call, kind }
    const connection = this.#connection
    const isNext = connection?.isReady && this.#outbox.size === 0
    if (!isNext || !this.#write(connection, unsent)) {
      try {
        this.#outbox.add(unsent)
      } catch (error) {
        this.#fail(call, error as RpcError)
      }
    }
    this.#options.events.change()
  }

  #encode(
    message: RequestMessage | NotificationMessage,
    params: unknown,
    call: PendingCall,
  ): Encoded | undefined {
    const { format } = this.#options
    try {
      if (params === undefined) return encode(format, message)
      if (typeof params === 'object' && params !== null)
        return encode(format, { ...message, params })
      throw new TypeError('JSON-RPC 2.0 carries params as an object of named params')
    } catch (thrown) {
      const why = describeThrown(thrown)
      this.#fail(
        call,
        new RpcValidationError(
          `The params of "${call.method}" can't be sent as ${format.codec.name}: ${why}`,
          [{ message: why }],
          'not-sent',
          { method: call.method, cause: thrown },
        ),
      )
      return undefined
    }
  }

  /** @returns whether the message is dealt with; where not, it can wait for another connection. */
  #write(connection: Connection, { encoded, call, kind }: Unsent): boolean {
    const sent = connection.send(encoded)
    if (sent === 'not-sent') return false
    if (sent === 'no-bytes') this.#fail(call, noBytesError(call.method, encoded.path))
    else if (sent === 'too-big')
      this.#fail(call, tooBigError(call.method, connection.peerMaxMessage))
    else if (kind === 'call') call.written = true
    else this.#pending.take(call.id)?.resolve(undefined)
    return true
  }

  #fail(call: PendingCall, error: RpcError): void {
    this.#pending.take(call.id)?.reject(error)
  }

  #givenUp(call: PendingCall): void {
    if (call.written) this.#connection?.sendExtension('rpc.cancel', { id: call.id })
    else this.#outbox.remove(call)
    this.#options.events.change()
  }

  // ── Being answered ────────────────────────────────────────────────────────────────────────────

  #answered(answer: Answer): void {
    const call = this.#pending.awaits(answer.id) ? this.#pending.take(answer.id) : undefined
    if (!call) {
      // A late answer, or a second one, is nobody's; an error without an id is about a frame of ours.
      if (answer.kind === 'error' && answer.id === null) {
        this.#options.events.error(
          new RpcProtocolError(
            `The other side could not read a message: ${answer.error.message} (${answer.error.code})`,
          ),
        )
      }
      return
    }
    const { method } = call
    if (answer.kind === 'result') call.resolve(answer.result)
    else if (answer.kind === 'error') {
      const { code, message, data } = answer.error
      call.reject(new RpcError(code, message, data, { method }))
    } else {
      const why = `The answer to "${method}" breaks JSON-RPC 2.0: ${answer.reason}`
      call.reject(new RpcProtocolError(why, { method }))
    }
    this.#options.events.change()
  }

  async #checkResult(method: string, result: unknown): Promise<unknown> {
    const definition = definitionOf(this.#remoteSide, method)
    const schema = definition?.kind === 'method' ? definition.result : undefined
    if (!schema) return result
    const broken = (issues: readonly Issue[], options?: ErrorOptions): RpcValidationError =>
      new RpcValidationError(
        `The result of "${method}" breaks its schema: ${formatIssues(issues)}. The other side ran the call; its contract may be of another version`,
        issues,
        'maybe-executed',
        { method, ...options },
      )
    let verdict: Verdict
    try {
      verdict = await validate(schema, result)
      if ('issues' in verdict && result === null) {
        // `undefined` travels as null (JSON has no other way): let a schema of void have it back.
        const again = await validate(schema, undefined)
        if ('value' in again) verdict = again
      }
    } catch (cause) {
      throw broken([{ message: `the schema itself failed: ${describeThrown(cause)}` }], { cause })
    }
    if ('value' in verdict) return verdict.value
    throw broken(verdict.issues)
  }

  // ── Serving ───────────────────────────────────────────────────────────────────────────────────

  expose(method: string, handler: AnyHandler): () => void {
    return this.#dispatcher.expose(method, handler)
  }

  // ── Connections ───────────────────────────────────────────────────────────────────────────────

  /** Goes on over this transport; an earlier connection that is still there ends. */
  attach(transport: Transport): void {
    this.#connection?.close(CloseCode.goingAway, 'Another connection takes its place')
    const { side, format, limits, heartbeat, spreadMs, dialect, events } = this.#options
    const dialectContext = {
      side,
      channelId: this.id,
      maxMessage: limits.message,
      frameType: format.frameType,
      error: events.error,
    }
    const connection: Connection = new Connection(
      dialect ? dialect.wrap(transport, dialectContext) : transport,
      {
        side,
        format,
        maxMessage: limits.message,
        heartbeat,
        id: this.id,
        attempt: ++this.#attempt,
        welcome: { sid: this.id, resumed: false, spreadMs },
      },
      {
        ready: (hello) => {
          events.open(hello)
          this.#flush()
        },
        request: (id, incoming) => this.#dispatcher.request(id, incoming),
        notification: (incoming) => void this.#dispatcher.notification(incoming),
        awaits: (id) => this.#pending.awaits(id),
        answer: (answer) => this.#answered(answer),
        cancel: (id) => this.#dispatcher.cancel(id, cancelledByCaller()),
        latency: events.latency,
        error: events.error,
        close: (info) => this.#down(connection, info),
      },
    )
    this.#connection = connection
    connection.start()
  }

  #flush(): void {
    const connection = this.#connection
    if (connection?.isReady) this.#outbox.flush((unsent) => this.#write(connection, unsent))
    this.#options.events.change()
  }

  #down(connection: Connection, info: CloseInfo): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#lastOtherId = connection.otherId ?? null
    const lost = refusalOf(info, 'the connection was lost')
    this.#dispatcher.cancelAll(new RpcDisconnectedError('The caller is gone', 'maybe-executed'))
    this.#pending.rejectAll(
      (call) => call.written,
      (call) => disconnectedError(call, lost),
    )
    if (!this.#options.lasting) this.refuse(refusalOf(info, 'the channel is closed'))
    this.#options.events.down(info)
    this.#options.events.change()
  }

  /** From now on nothing is sent, and what waited is rejected, until {@link allow}. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal
    this.#pending.rejectAll(
      (call) => !call.written,
      (call) => {
        this.#outbox.remove(call)
        return disconnectedError(call, refusal)
      },
    )
    this.#options.events.change()
  }

  allow(): void {
    this.#refusal = undefined
  }

  /** Ends the connection there is; the calls on it end with it. */
  disconnect(code: number = CloseCode.normal, reason = ''): void {
    this.#connection?.close(code, reason)
  }
}

function disconnectedError(call: PendingCall, refusal: Refusal): RpcDisconnectedError {
  const outcome = outcomeOf(call)
  const state = outcome === 'not-sent' ? 'was not sent' : 'was sent and may have run'
  return new RpcDisconnectedError(`"${call.method}" ${state}: ${refusal.message}`, outcome, {
    method: call.method,
    closeCode: refusal.closeCode,
    cause: refusal.cause,
  })
}

function refusalOf(info: CloseInfo, what: string): Refusal {
  return { message: `${what} (${describeClose(info)})`, closeCode: info.code }
}

function tooBigError(method: string, limit: number): RpcOverloadedError {
  return new RpcOverloadedError(
    `"${method}" was not sent: its message is larger than the ${limit} bytes the other side accepts. Send less at once, or raise the other side's limit "message"`,
    { method },
  )
}

function noBytesError(method: string, [, ...path]: readonly string[]): RpcValidationError {
  const message = `${NO_BYTES}. Send them as text, or have flashrpc on the other side too`
  const where = ['params', ...path].join('.')
  return new RpcValidationError(
    `"${method}" was not sent: ${where} is a Uint8Array, which ${message}`,
    [{ message, path }],
    'not-sent',
    { method },
  )
}

function cancelledByCaller(): RpcError {
  return new RpcError(ErrorCode.cancelled, 'The caller gave the call up')
}

/** 128 random bits, in hexadecimal; `crypto.randomUUID` is missing on plain http pages. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
