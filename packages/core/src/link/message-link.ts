import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Encoded } from '../wire/encoded.js'
import type { Classified, ResponseMessage } from '../wire/message.js'
import type { WeightSource } from '../wire/weight.js'
import type { HelloParams, HelloResult } from './hello.js'
import type { PeerFacts } from './peer-facts.js'

/** A message on its way out. */
export interface OutgoingMessage {
  readonly encoded: Encoded
  /**
   * Makes the message anew before it is sent: the remaining time changes, and a plain peer gets fewer members. Default:
   * the message is sent as it is.
   */
  readonly renew?: ((encoded: Encoded, isExtended: boolean) => Encoded) | undefined
}

/** A session, for developer tools. */
export interface SessionFacts {
  readonly id: string
  /** Messages that this side has given a number. */
  readonly sent: number
  /** The number of them that the server has acknowledged as dispatched. */
  readonly acknowledged: number
  /** The bytes of the others, text by its length. */
  readonly keptBytes: number
}

/** How many messages, and the sum of their bytes, text by its length. */
export interface MessageAmount {
  readonly messages: number
  readonly bytes: number
}

/**
 * Carries messages between two sides. A connection is one, and so is a session, which goes on over many connections.
 * Calls know nothing else of what is below them.
 *
 * `weight` is that of the message that is being delivered. It must be read in the turn of that message.
 */
export interface MessageLink extends WeightSource {
  /** Whether messages can be sent: the handshake is over, and there is a connection. */
  readonly isReady: boolean
  readonly peer: PeerFacts
  /** The session above this link, if messages of this link belong to one. */
  readonly upper: MessageLink | undefined
  /** Whether `send` accepts a message now. If not, `room` is called when that may have changed. */
  hasRoomFor(encoded: Encoded): boolean
  /**
   * Whether a message that can wait, such as an item of a stream, should be sent now: half of the room is kept free.
   */
  readonly isRoomy: boolean
  /** How many messages of the other side were dispatched; undefined if the link does not count them. */
  readonly recv: number | undefined
  /** As `recv`, for a caller that reports it to the other side: then no acknowledgement is sent for it. */
  reportRecv(): number | undefined
  /**
   * @param recv the number of this side's messages that the other side has dispatched.
   * @returns the messages that it has not received; undefined if the number is impossible.
   */
  unreceived(recv: number): readonly OutgoingMessage[] | undefined
  /** The facts of a session; undefined if the link is not a session. */
  readonly session: SessionFacts | undefined
  /** The messages that are kept until the other side has acknowledged them. */
  readonly held: MessageAmount
  /**
   * Sends a message.
   *
   * @param encoded the encoded message.
   * @param message makes it anew if it must be sent again. Default: it is sent as it is.
   * @returns false if it certainly did not leave.
   */
  send(encoded: Encoded, message?: OutgoingMessage): boolean
  /**
   * Sends a control message of the connection. It goes ahead of waiting messages, and a session does not count it. A
   * plain peer gets none.
   *
   * @returns whether it was sent.
   */
  sendControl(method: string, params?: unknown): boolean
  /** Makes the other side stop sending after a while, or lets it go on. */
  holdBack(isHeldBack: boolean): void
  /** Ends the connection, and a session with it. */
  end(code: number, reason: string): void
  /** From now on the link does not outlive its connection. */
  endWithConnection(): void
  /** Ends the link: it counts nothing and calls no events any more. */
  stop(): void
  /** The other side has broken the protocol: this is reported, and the connection ends. */
  violated(what: string): void
  /** Ends the connection. A session waits for the next. */
  cut(code: number, reason: string): void

  // ── To find out whether the other side takes what it is sent ──────────────────────────────────

  /** Whether so much waits to be sent that messages which can wait should wait. */
  readonly isCongested: boolean
  /** The number of bytes that were sent and have not left. It falls also when a part of a message has left. */
  readonly unsentBytes: number
  /**
   * The size, in bytes, of the oldest message that has left and is not acknowledged; 0 if there are no
   * acknowledgements.
   */
  readonly underWayBytes: number
  /** How often the other side has acknowledged something. */
  readonly acknowledgements: number
  /** Asks for a call of `room` when nothing waits to leave any more. @returns false if there will be no such call. */
  watchDrain(): boolean
}

/** The events of a link. After `ended`, there are no more. */
export interface LinkEvents {
  /**
   * Messages can be sent now.
   *
   * @param hello the other side's hello, or its answer; undefined if it is a plain peer.
   * @param isFirst false if this event came before on the same connection: the other side was taken for a plain peer,
   *   and has sent a hello since.
   */
  ready(link: MessageLink, hello: Hello | undefined, isFirst: boolean): void
  /**
   * A message came in.
   *
   * @param bytes its size, text by its length.
   * @param refusal the reason if it must be refused; otherwise undefined.
   */
  message(link: MessageLink, message: Classified, bytes: number, refusal: string | undefined): void
  /** All messages of a frame have been passed on, for those who count them. */
  frameEnded?(): void
  /** A batch of a plain peer came in (JSON-RPC 2.0, section 6), which is answered with one array. */
  batch(link: MessageLink, members: readonly BatchMember[]): void
  /**
   * A frame came in that no message could be made of.
   *
   * @param bytes its size, text by its length; undefined if it certainly held no message.
   * @param answer the answer for its sender.
   */
  unreadable(link: MessageLink, bytes: number | undefined, answer: ResponseMessage): void
  /** There may be room for a message again. */
  room(link: MessageLink): void
  /** How long the other side took to answer a ping or the hello, in ms. */
  latency(ms: number): void
  /** After a loss, the server wants its clients to reconnect over this window, in ms. */
  spread(ms: number): void
  /** Something failed that no answer tells the other side about. */
  error(error: unknown, context: ErrorContext): void
  /**
   * The connection ended.
   *
   * @param goesOn whether the link waits for another connection.
   * @param isEndReported whether `error` was called with the reason of the end.
   */
  ended(link: MessageLink, info: CloseInfo, goesOn: boolean, isEndReported: boolean): void
}

/** The events that may come before a link is ready for the first time. */
export type EarlyEvents = Pick<LinkEvents, 'ready' | 'ended' | 'error' | 'latency'>

/** A side's hello, or its answer to the other side's hello. */
export type Hello = HelloParams | HelloResult

/** A message of a batch. */
export interface BatchMember {
  readonly message: Classified
  readonly bytes: number
  /** The reason if it must be refused; otherwise undefined. */
  readonly refusal: string | undefined
}

/** An answer to a call of ours. */
export type Answer = Extract<Classified, { kind: 'result' | 'error' | 'malformed-response' }>
