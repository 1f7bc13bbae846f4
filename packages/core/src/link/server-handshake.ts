import { ErrorCode } from '../errors/errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Classified, errorMessage, type MessageId } from '../wire/message.js'
import type { Handshake, HandshakeLine } from './handshake.js'
import {
  HELLO,
  type HelloLimits,
  type HelloParams,
  type HelloResult,
  helloFormat,
  PROTOCOL_VERSION,
  readHelloParams,
} from './hello.js'

/** The result of a hello. */
export type Reception =
  | {
      /** The answer to the hello. */
      readonly welcome: Welcome
    }
  | { readonly refuse: CloseInfo }

/** The members of the server's answer to a hello, besides its format and limits. */
export type Welcome = Pick<
  HelloResult,
  'sid' | 'resumed' | 'spreadMs' | 'keys' | 'token' | 'recv' | 'lastRecv' | 'windowMs'
>

/** What a server's handshake asks about its connection. */
export interface Receptionist {
  readonly isPlain: boolean
  /** Whether a client that says no hello is refused, and not served as a plain peer. Default false. */
  readonly needsHello?: boolean | undefined
  /** How long a client that says nothing may still say hello, in ms, before it is served as a plain peer. */
  readonly timeLeftMs: number
  readonly limits: HelloLimits
  /** Decides which channel takes a connection, by the hello that came over it. */
  receive(hello: HelloParams): Reception
  /** The client has ignored all messages that were sent so far. */
  unheard(): void
  /** The window over which clients should reconnect, for a pong, in ms; undefined if there is none. */
  spreadMs(): number | undefined
}

const NO_HELLO = 'No hello came in time'

/** The server's part: it waits for a hello, and answers it. Any other message means a plain peer. */
export class ServerHandshake implements Handshake {
  readonly #receptionist: Receptionist

  constructor(receptionist: Receptionist) {
    this.#receptionist = receptionist
  }

  get isServer(): boolean {
    return true
  }

  get isPlain(): boolean {
    return this.#receptionist.isPlain
  }

  get timeLeftMs(): number {
    return this.#receptionist.timeLeftMs
  }

  get holdsAnswers(): boolean {
    return false
  }

  begin(): void {}

  timedOut(line: HandshakeLine): void {
    if (line.stage !== 'waiting') return
    if (this.#receptionist.needsHello) line.end(CloseCode.timedOut, NO_HELLO)
    else line.complete(undefined)
  }

  takes(line: HandshakeLine, message: Classified): boolean {
    if (message.kind === 'request' && message.method === HELLO && !this.isPlain) {
      if (line.stage !== 'over') this.#answer(line, message.id, message.params)
      return true
    }
    this.timedOut(line)
    return line.stage === 'over'
  }

  unreadable(line: HandshakeLine): void {
    this.timedOut(line)
  }

  pong(): object | undefined {
    const spreadMs = this.#receptionist.spreadMs()
    return spreadMs === undefined ? undefined : { spreadMs }
  }

  #answer(line: HandshakeLine, id: MessageId, params: unknown): void {
    if (line.stage === 'extended') {
      return line.end(CloseCode.tooMany, 'rpc.hello was sent twice on one connection')
    }
    const hello = readHelloParams(params)
    if (!hello) {
      const why = 'Invalid params for "rpc.hello"'
      return line.sendJson(errorMessage(id, ErrorCode.invalidParams, why))
    }
    if (hello.codec !== line.format.codec.name) {
      return line.refuseCodec(hello.codec, id)
    }
    const receptionist = this.#receptionist
    const reception = receptionist.receive(hello)
    if ('refuse' in reception) return line.end(reception.refuse.code, reception.refuse.reason)
    const { welcome } = reception
    // A client that wants to resume its session ignores all other messages before the answer.
    if (!welcome.resumed && line.stage === 'plain' && hello.resume) receptionist.unheard()
    line.agree(hello)
    const { buf, ...limits } = receptionist.limits
    const kept = welcome.token !== undefined && buf !== undefined && { buf }
    const result = {
      v: PROTOCOL_VERSION,
      ...welcome,
      ...helloFormat(line.format),
      limits: { ...limits, ...kept },
    }
    line.sendJson({ jsonrpc: '2.0', id, result })
    line.complete(hello)
  }
}
