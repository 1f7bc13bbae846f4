import type { ErrorContext } from '../logging/error-context.js'
import type { Format } from '../wire/format.js'
import type { Classified, MessageId } from '../wire/message.js'
import type { HelloParams, HelloResult } from './hello.js'

/** One side's part in the first exchange on a connection (docs/protocol.md, "Hello"). */
export interface Handshake {
  /** Whether it is the server's part. */
  readonly isServer: boolean
  /** Whether the other side is known to be a plain peer: no hello is sent, awaited or understood. */
  readonly isPlain: boolean
  /** How long the handshake may take, in ms. */
  readonly timeLeftMs: number
  /** Whether answers must wait for its end, because it decides whether a session counts them. */
  readonly holdsAnswers: boolean
  /** The connection has begun, and a hello may be sent. */
  begin(connection: HandshakeConnection): void
  /** The time is over. */
  timedOut(connection: HandshakeConnection): void
  /** Takes a message if it belongs to the handshake, or must be ignored. @returns whether it was taken. */
  takes(connection: HandshakeConnection, message: Classified): boolean
  /** A frame came in of which no message could be made. */
  unreadable(connection: HandshakeConnection): void
  /** Further params of a pong; undefined for none. */
  pong(): object | undefined
}

/** The connection, as its handshake uses it. */
export interface HandshakeConnection {
  /** `waiting`: the handshake goes on. `over`: the connection has ended. Otherwise, what the other side is. */
  readonly stage: 'waiting' | 'plain' | 'extended' | 'over'
  readonly format: Format
  /** Sends JSON in a text frame, also if the codec is another. */
  sendJson(message: object): void
  /** From now on, sends in the ways that the other side's hello allows. */
  agree(hello: HelloParams | HelloResult): void
  /** The handshake is over. @param hello the other side's hello, or its answer; undefined if it is a plain peer. */
  complete(hello: HelloParams | HelloResult | undefined): void
  /** The other side has answered the last question: the hello, or a ping. */
  answered(): void
  /** Ends the connection. */
  end(code: number, reason: string): void
  /**
   * Reports a codec mismatch to both sides, and ends the connection.
   *
   * @param peers the name of the other side's codec.
   * @param id the id of the request that is answered; null if there is none.
   */
  refuseCodec(peers: string, id?: MessageId): void
  error(error: unknown, context: ErrorContext): void
}
