import type { MaybeAsync } from '../base/maybe-async.js'
import type { HeldCall } from '../calls/held-calls.js'
import type { Incoming } from '../calls/incoming.js'
import type { KeyRefusal } from '../features/keys/keyed-calls.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Encoded } from '../wire/encoded.js'
import type { Classified, MessageId, ResponseMessage } from '../wire/message.js'
import type { Weighed } from '../wire/weight.js'
import type { Connection } from './connection.js'
import type { Bye } from './extensions.js'
import type { HelloParams, HelloResult } from './handshake.js'

/** An answer to a call of ours. */
export type Answer = Extract<Classified, { kind: 'result' | 'error' | 'malformed-response' }>

/** The channel of a connection: what is asked, and what is told. After `close` nothing more is. */
export interface ConnectionEvents {
  /** Server: who takes the connection, asked with its hello. */
  receive(hello: HelloParams, connection: Connection): Reception
  /** Server: the window that its clients are told with each pong, in ms. */
  spreadMs(): number | undefined
  /**
   * The handshake is over: messages may be sent. `hello` is missing where the peer is a plain one; it
   * may come later, and is told then, when `isFirst` is false.
   */
  ready(connection: Connection, hello: HelloResult | undefined, isFirst: boolean): void
  /** Server: the client has heard nothing of what was said so far. */
  unheard(): void
  /**
   * Runs a call of the other side. Never rejects.
   *
   * @param weighed what it takes in memory; asked in this turn only.
   * @returns its answer; none where it is not run, and the other side knows that by other means.
   */
  request(
    connection: Connection,
    id: MessageId,
    incoming: Incoming,
    weighed: Weighed,
  ): MaybeAsync<ResponseMessage | undefined>
  notification(connection: Connection, incoming: Incoming, weighed: Weighed): void
  /** Whether so much waits for the other side that its calls are held instead of begun. */
  readonly isBehind: boolean
  /**
   * Holds a call until less waits for the other side. @returns the reason, if it can't be held because too much is
   * held already.
   */
  hold(call: HeldCall): string | undefined
  /** Whether an answer that can't be sent at once may wait. */
  hasRoomFor(answer: Encoded): boolean
  /** Adds to the count of bytes of answers that wait for others of their batch; a negative number takes away. */
  collected(bytes: number): void
  /** Everything that waited in the socket has left it. */
  drained(connection: Connection): void
  /** An answer is ready to go out. */
  reply(connection: Connection, encoded: Encoded): void
  /** Whether a call of ours waits for an answer with this id. */
  awaits(id: MessageId): boolean
  answer(answer: Answer): void
  /** Server: the client has said which of its methods have a handler now. */
  exposes(methods: readonly string[]): void
  /** The caller cancelled a call that may run here. @returns the answer, if the call runs. */
  cancel(id: MessageId): ResponseMessage | undefined
  /** The other side has dispatched all messages of its session up to a number. */
  acknowledged(connection: Connection, recv: unknown): void
  /**
   * Something more was said of a call.
   *
   * @param bytes how much it came as, text by its length.
   * @returns how it breaks the protocol, where it does.
   */
  word(method: string, params: unknown, bytes: number): string | undefined
  /**
   * A message about a call (an item, input, progress) was refused.
   *
   * @returns false if the caller must answer it with an error.
   */
  refusedWord(method: string, params: unknown, why: string): boolean
  /** The server is about to leave; the client has heard it. */
  bye(connection: Connection, bye: Bye): void
  /** How long the other side took to answer a ping or the hello, in ms. */
  latency(ms: number): void
  /** The server wishes its clients to spread over such a window, in ms, after a loss. */
  spread(ms: number): void
  /** Something went wrong that no answer tells the other side about. */
  error(error: unknown, context: ErrorContext): void
  close(connection: Connection, info: CloseInfo): void
}

/** What comes of a hello. */
export type Reception =
  | {
      /** What it is answered with. */
      readonly welcome: Welcome
      /** Of the channel that goes on here, where it is another than the one that began. */
      readonly events?: ConnectionEvents
    }
  | { readonly refuse: CloseInfo }

/** What the server says in its answer to a hello, besides its formats and limits. */
export type Welcome = Pick<
  HelloResult,
  'sid' | 'resumed' | 'spreadMs' | 'keys' | 'token' | 'recv' | 'lastRecv' | 'windowMs'
>

/** Why a message can't be sent to this other side. */
export type Unsendable = 'too-big' | 'too-deep' | 'no-bytes' | 'no-streams' | KeyRefusal

/** Why bytes were not sent. */
export const NO_BYTES = "the other side can't take: it speaks plain JSON-RPC 2.0"
