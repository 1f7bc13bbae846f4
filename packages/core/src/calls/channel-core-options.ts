import type { Contract, Side } from '../contract/contract.js'
import type { AnswerKeyed } from '../features/keys/keyed-calls.js'
import type { Connection } from '../link/connection.js'
import type { Reception } from '../link/connection-events.js'
import type { HelloParams, HelloResult } from '../link/handshake.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Absence } from './absence.js'
import type { Authorize } from './dispatcher.js'
import type { ResolvedChannelOptions } from './options.js'

/** Whose a conversation is: what handlers find as `context.channel`, and `context.identity`. */
export interface Owner {
  readonly id: string
  /** Who the other side is, as this side found out. */
  readonly identity?: unknown
  /** The owner of the connection, for limits that all clients share. */
  readonly owner?: string | undefined
}

/** What a conversation is made with, once the public types are gone: one object for all channels of a server. */
export interface ChannelCoreOptions<Own extends Owner> {
  readonly side: Side
  readonly contract: Contract | undefined
  /** Its options, resolved. */
  readonly settings: ResolvedChannelOptions
  /** Whether calls wait for a connection that is to come, or fail where there is none. */
  readonly lasting: boolean
  /** Client: whether it offers the server to keep a session. */
  readonly offersSession?: boolean
  /** Client: why calls have no answer while there is no connection. */
  absence?(): Absence | undefined
  /** Server: the window over which its clients spread after a loss, in ms. */
  spreadMs?(owner: Own): number
  /** Server: who takes a connection, asked with its hello. Without it, the channel that began with it does. */
  receive?(hello: HelloParams, connection: Connection, owner: Own): Reception
  /** Whether a call of the other side may run; without it, all may. */
  readonly authorize?: Authorize | undefined
  /** Answers calls with an idempotency key; without it, they are refused. */
  readonly answerKeyed?: AnswerKeyed | undefined
  readonly events: ChannelCoreEvents<Own>
}

/** What it tells whoever made it. */
export interface ChannelCoreEvents<Own extends Owner> {
  /** A connection is ready for calls. `hello` is missing where the peer is a plain one. */
  open(owner: Own, hello: HelloResult | undefined): void
  /** A connection is ready that goes on with the session of the one before. */
  resumed?(owner: Own, hello: HelloResult | undefined): void
  /** The connection ended. Told after the calls that it took with it were rejected. */
  down(owner: Own, info: CloseInfo, retryAfterMs?: number, isEndTold?: boolean): void
  /**
   * What began with `open` is over: the session, or without one the connection. `recv` is how many
   * messages of the other side were dispatched in the session.
   */
  ended(owner: Own, info: CloseInfo, recv: number | undefined): void
  latency?(owner: Own, ms: number): void
  /** The server's clients are to spread over another window, in ms, after a loss. */
  spread?(owner: Own, ms: number): void
  /** Server: the client has said which methods of its contract have a handler now. */
  exposes?(owner: Own, methods: readonly string[]): void
  /** `inFlight` or `queued` may have changed. */
  change?(owner: Own): void
  error(owner: Own, error: unknown, context: ErrorContext): void
}
