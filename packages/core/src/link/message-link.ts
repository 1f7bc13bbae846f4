import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Encoded } from '../wire/encoded.js'
import type { Classified, ResponseMessage } from '../wire/message.js'
import type { Weighed } from '../wire/weight.js'
import type { HelloParams, HelloResult } from './hello.js'
import type { PeerFacts } from './peer-facts.js'

/** A message on its way out. */
export interface OutgoingMessage {
  readonly encoded: Encoded
  /**
   * Makes the message anew, as it goes out now: the time that is left changes, and a plain peer is told less. Default:
   * it goes out as it is.
   */
  readonly renew?: ((encoded: Encoded, isExtended: boolean) => Encoded) | undefined
}

/** A session, for developer tools. */
export interface SessionFacts {
  readonly id: string
  /** Messages that this side has given a number. */
  readonly sent: number
  /** How many of them the server has said that it dispatched. */
  readonly acknowledged: number
  /** The bytes of the others, text by its length. */
  readonly keptBytes: number
}

/** How much a link keeps until the other side has acknowledged it. */
export interface Held {
  readonly messages: number
  readonly bytes: number
}

/**
 * Carries messages between two sides. A connection is one, and so is a session, which goes on over many connections.
 * Calls know nothing else of what is below them.
 *
 * `weight` is that of the message that is being delivered, and is asked for in its turn only.
 */
export interface MessageLink extends Weighed {
  /** Whether messages can be sent: the handshake is over, and there is a connection. */
  readonly isReady: boolean
  readonly peer: PeerFacts
  /** The link above this one, if messages of this one belong to that: a session. */
  readonly upper: MessageLink | undefined
  /** Whether `send` takes a message now. If it does not, `room` is told when that has changed. */
  hasRoomFor(encoded: Encoded): boolean
  /** Whether a message that can wait, such as an item of a stream, should be sent now: half of the room is kept free. */
  readonly isRoomy: boolean
  /** How many messages of the other side were dispatched; undefined if the link does not count them. */
  readonly recv: number | undefined
  /** As `recv`, which is told the other side in another way: then no acknowledgement is owed. */
  tell(): number | undefined
  /**
   * @param recv how many messages of this side the other side has dispatched.
   * @returns those that it has not received; undefined if it can't have come so far.
   */
  unreceived(recv: number): readonly OutgoingMessage[] | undefined
  /** Of a session: its id, and how many messages it has numbered, and knows to be dispatched. */
  readonly session: SessionFacts | undefined
  /** What is kept until the other side has acknowledged it. */
  readonly held: Held
  /**
   * Sends a message.
   *
   * @param encoded what it is written as now.
   * @param message what makes it anew if it must be sent again. Default: it is sent as it is.
   * @returns false if it certainly did not leave.
   */
  send(encoded: Encoded, message?: OutgoingMessage): boolean
  /**
   * Sends a control message of the connection: it goes ahead of what waits, and is not counted by a session. A plain
   * peer gets none.
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
  /** The link is over: it counts and tells nothing more. */
  stop(): void
  /** The other side has broken the protocol: that is told, and the connection ends. */
  violated(what: string): void
  /** Ends the connection. A session waits for the next. */
  cut(code: number, reason: string): void

  // ── For those who watch whether the other side takes what it is sent ──────────────────────────

  /** Whether so much waits to leave that what can wait should. */
  readonly isCongested: boolean
  /** How many bytes were sent and have not left; it falls when a part of a message has left. */
  readonly unsentBytes: number
  /** The size, in bytes, of the oldest message that has left and is not acknowledged; 0 if nobody acknowledges. */
  readonly underWayBytes: number
  /** Counts how often the other side has acknowledged something. */
  readonly moves: number
  /** Asks to be told `room` when nothing waits to leave any more. @returns false if nobody will tell. */
  watchDrain(): boolean
}

/** What a link tells. After `ended`, nothing more is told. */
export interface LinkEvents {
  /**
   * Messages can be sent now.
   *
   * @param hello what the other side has said of itself; undefined if it is a plain peer.
   * @param isFirst false if that was told before on the same connection: a peer that was taken for a plain one has
   *   said hello.
   */
  ready(link: MessageLink, hello: Hello | undefined, isFirst: boolean): void
  /**
   * A message came in.
   *
   * @param bytes how much it came as, text by its length.
   * @param refusal why it must be refused; undefined if it need not be.
   */
  message(link: MessageLink, message: Classified, bytes: number, refusal: string | undefined): void
  /** All messages of a frame were told. */
  frameEnded(): void
  /** A batch of a plain peer came in (JSON-RPC 2.0, section 6), which is answered with one array. */
  batch(link: MessageLink, members: readonly BatchMember[]): void
  /**
   * A frame came in that no message could be made of.
   *
   * @param bytes how large it is, text by its length; undefined if it certainly held no message.
   * @param answer what its sender is told.
   */
  unreadable(link: MessageLink, bytes: number | undefined, answer: ResponseMessage): void
  /** There may be room for a message again. */
  room(link: MessageLink): void
  /** How long the other side took to answer a ping or the hello, in ms. */
  latency(ms: number): void
  /** The server wishes its clients to come back over such a window, in ms, after a loss. */
  spread(ms: number): void
  /** Something failed that no answer tells the other side about. */
  error(error: unknown, context: ErrorContext): void
  /**
   * The connection ended.
   *
   * @param goesOn whether the link waits for another connection.
   * @param isEndTold whether `error` was told why it ended.
   */
  ended(link: MessageLink, info: CloseInfo, goesOn: boolean, isEndTold: boolean): void
}

/** What a side says of itself: its hello, or its answer to that of the other side. */
export type Hello = HelloParams | HelloResult

/** A message of a batch. */
export interface BatchMember {
  readonly message: Classified
  readonly bytes: number
  /** Why it must be refused; undefined if it need not be. */
  readonly refusal: string | undefined
}

/** An answer to a call of ours. */
export type Answer = Extract<Classified, { kind: 'result' | 'error' | 'malformed-response' }>
