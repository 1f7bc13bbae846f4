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
  /** The connection has begun, and a hello may be said. */
  begin(line: HandshakeLine): void
  /** The time is over. */
  timedOut(line: HandshakeLine): void
  /** Takes a message, if it is the handshake's own, or must not be heard. @returns whether it was taken. */
  takes(line: HandshakeLine, message: Classified): boolean
  /** A frame came in of which no message could be made. */
  unreadable(line: HandshakeLine): void
  /** What a pong says besides; undefined for nothing. */
  pong(): object | undefined
}

/** The connection, as its handshake uses it. */
export interface HandshakeLine {
  /** `waiting`: the handshake goes on. `over`: the connection has ended. Otherwise, what the other side is. */
  readonly stage: 'waiting' | 'plain' | 'extended' | 'over'
  readonly format: Format
  /** Sends JSON in text, whatever the codec is. */
  sendJson(message: object): void
  /** Sends what the other side's hello lets it take from now on. */
  agree(hello: HelloParams | HelloResult): void
  /** The handshake is over. @param hello what the other side said of itself; undefined if it is a plain peer. */
  complete(hello: HelloParams | HelloResult | undefined): void
  /** The other side has answered what it was asked last. */
  answered(): void
  /** Ends the connection. */
  end(code: number, reason: string): void
  /**
   * Tells both sides that they would not understand each other, and ends the connection.
   *
   * @param peers the name of the other side's codec.
   * @param id of the request that it is told by; null if there is none.
   */
  refuseCodec(peers: string, id?: MessageId): void
  error(error: unknown, context: ErrorContext): void
}
