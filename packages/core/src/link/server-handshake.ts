import { ErrorCode } from '../errors/errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Classified, errorMessage, type MessageId } from '../wire/message.js'
import type { Handshake, HandshakeConnection } from './handshake.js'
import {
  HELLO,
  type HelloLimits,
  type HelloParams,
  type HelloResult,
  helloFormat,
  PROTOCOL_VERSION,
  readHelloParams,
} from './hello.js'

/** Whether a server accepts a connection, by its hello. */
export type HelloDecision =
  | {
      /** The answer to the hello. */
      readonly accept: HelloAnswer
    }
  | { readonly refuse: CloseInfo }

/** The members of the server's answer to a hello, besides its format and limits. */
export type HelloAnswer = Pick<
  HelloResult,
  'sid' | 'resumed' | 'spreadMs' | 'keys' | 'token' | 'recv' | 'lastRecv' | 'windowMs'
>

/** What a server's handshake needs besides its connection. */
export interface ServerHandshakeHost {
  readonly isPlain: boolean
  /** Whether a client that says no hello is refused, and not served as a plain peer. Default false. */
  readonly needsHello?: boolean | undefined
  /** How long a client that says nothing may still say hello, in ms, before it is served as a plain peer. */
  readonly timeLeftMs: number
  readonly limits: HelloLimits
  /** Decides which channel takes a connection, by the hello that came over it. */
  receive(hello: HelloParams): HelloDecision
  /** The client has ignored all messages that were sent so far. */
  messagesIgnored(): void
  /** The window over which clients should reconnect, for a pong, in ms; undefined if there is none. */
  spreadMs(): number | undefined
}

const NO_HELLO = 'No hello came in time'

/** The server's part: it waits for a hello, and answers it. Any other message means a plain peer. */
export class ServerHandshake implements Handshake {
  readonly #host: ServerHandshakeHost

  constructor(host: ServerHandshakeHost) {
    this.#host = host
  }

  get isServer(): boolean {
    return true
  }

  get isPlain(): boolean {
    return this.#host.isPlain
  }

  get timeLeftMs(): number {
    return this.#host.timeLeftMs
  }

  get holdsAnswers(): boolean {
    return false
  }

  begin(): void {}

  timedOut(connection: HandshakeConnection): void {
    if (connection.stage !== 'waiting') return
    if (this.#host.needsHello) connection.end(CloseCode.timedOut, NO_HELLO)
    else connection.complete(undefined)
  }

  takes(connection: HandshakeConnection, message: Classified): boolean {
    if (message.kind === 'request' && message.method === HELLO && !this.isPlain) {
      if (connection.stage !== 'over') this.#answer(connection, message.id, message.params)
      return true
    }
    this.timedOut(connection)
    return connection.stage === 'over'
  }

  unreadable(connection: HandshakeConnection): void {
    this.timedOut(connection)
  }

  pong(): object | undefined {
    const spreadMs = this.#host.spreadMs()
    return spreadMs === undefined ? undefined : { spreadMs }
  }

  #answer(connection: HandshakeConnection, id: MessageId, params: unknown): void {
    if (connection.stage === 'extended') {
      return connection.end(CloseCode.tooMany, 'rpc.hello was sent twice on one connection')
    }
    const hello = readHelloParams(params)
    if (!hello) {
      const why = 'Invalid params for "rpc.hello"'
      return connection.sendJson(errorMessage(id, ErrorCode.invalidParams, why))
    }
    if (hello.codec !== connection.format.codec.name) {
      return connection.refuseCodec(hello.codec, id)
    }
    const host = this.#host
    const decision = host.receive(hello)
    if ('refuse' in decision) return connection.end(decision.refuse.code, decision.refuse.reason)
    const { accept } = decision
    // A client that wants to resume its session ignores all other messages before the answer.
    if (!accept.resumed && connection.stage === 'plain' && hello.resume) host.messagesIgnored()
    connection.agree(hello)
    const { buf, ...limits } = host.limits
    const kept = accept.token !== undefined && buf !== undefined && { buf }
    const result = {
      v: PROTOCOL_VERSION,
      ...accept,
      ...helloFormat(connection.format),
      limits: { ...limits, ...kept },
    }
    connection.sendJson({ jsonrpc: '2.0', id, result })
    connection.complete(hello)
  }
}
