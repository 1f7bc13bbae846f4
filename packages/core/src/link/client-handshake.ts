import { CloseCode } from '../transport/close-codes.js'
import { jsonCodec } from '../wire/codec.js'
import type { Classified } from '../wire/message.js'
import type { Handshake, HandshakeConnection } from './handshake.js'
import {
  HELLO_ID,
  type HelloLimits,
  type HelloParams,
  helloFormat,
  helloMessage,
  helloUnanswered,
  isCodecMismatch,
  PROTOCOL_VERSION,
  readHelloResult,
} from './hello.js'
import type { Answer } from './message-link.js'

/** The parts of a client's hello that differ between connections. */
export interface ClientHello extends Pick<HelloParams, 'id' | 'attempt' | 'methods' | 'resume'> {
  readonly limits: HelloLimits
}

/** The client's part of the handshake: it sends the hello, and waits for the answer. */
export class ClientHandshake implements Handshake {
  readonly isServer = false
  readonly isPlain: boolean
  readonly timeLeftMs: number
  readonly #hello: ClientHello
  readonly #timeoutMs: number

  /**
   * @param isPlain whether no hello is sent.
   * @param timeLeftMs the time that is left for the handshake, in ms; `timeoutMs` is the whole time.
   */
  constructor(hello: ClientHello, isPlain: boolean, timeLeftMs: number, timeoutMs: number) {
    this.#hello = hello
    this.isPlain = isPlain
    this.timeLeftMs = timeLeftMs
    this.#timeoutMs = timeoutMs
  }

  get holdsAnswers(): boolean {
    return this.#hello.limits.buf !== undefined
  }

  begin(connection: HandshakeConnection): void {
    const { limits, ...hello } = this.#hello
    const params = { v: PROTOCOL_VERSION, ...hello, ...helloFormat(connection.format), limits }
    connection.sendJson(helloMessage(params))
  }

  timedOut(connection: HandshakeConnection): void {
    connection.end(CloseCode.timedOut, helloUnanswered(this.#timeoutMs))
  }

  takes(connection: HandshakeConnection, message: Classified): boolean {
    if (connection.stage !== 'waiting') return connection.stage === 'over'
    const { kind, id } = message as { kind: Classified['kind']; id?: unknown }
    // An error without an id also answers the hello, if nothing else was asked: a server may be unable to read the id,
    // or may not accept text as one.
    if ((id === HELLO_ID && isAnswer(kind)) || (kind === 'error' && id === null)) {
      this.#answered(connection, message as Answer)
      return true
    }
    // A client that wants to resume its session ignores all other messages before the answer. They would come from a
    // server that has waited too long and treats the client as a plain peer, on another channel.
    return this.#hello.resume !== undefined
  }

  unreadable(): void {}

  pong(): undefined {
    return undefined
  }

  #answered(connection: HandshakeConnection, answer: Answer): void {
    connection.answered()
    if (answer.kind === 'error' && isCodecMismatch(answer.error)) {
      return connection.end(CloseCode.violation, answer.error.message)
    }
    const hello = answer.kind === 'result' ? readHelloResult(answer.result) : undefined
    // A server that answers the hello and names no codec uses JSON.
    const peers = hello?.codec ?? jsonCodec.name
    if (peers !== connection.format.codec.name) return connection.refuseCodec(peers)
    if (hello) connection.agree(hello)
    connection.complete(hello)
  }
}

function isAnswer(kind: Classified['kind']): boolean {
  return kind === 'result' || kind === 'error' || kind === 'malformed-response'
}
