import type { Contract, Side } from '../contract.js'
import type { CloseInfo } from '../transport/transport.js'
import type { ConnectionOptions } from './connection.js'
import type { Authorize } from './dispatcher.js'
import type { HelloResult } from './handshake.js'
import type { AnswerKeyed } from './keyed-calls.js'
import type { ResolvedChannelOptions } from './options.js'

/** What a conversation is made with, once the public types are gone. */
export interface ChannelCoreOptions {
  readonly side: Side
  readonly contract: Contract | undefined
  /** Its options, resolved: one object for all channels of a server. */
  readonly settings: ResolvedChannelOptions
  /** Whether calls wait for a connection that is to come, or fail where there is none. */
  readonly lasting: boolean
  /** Client: whether it offers the server to keep a session. */
  readonly offersSession?: boolean
  /** Server: the window over which its clients spread after a loss, in ms. */
  readonly spreadMs?: (() => number) | undefined
  /** Server: who takes a connection. Without it, this channel does. */
  readonly receive?: ConnectionOptions['receive'] | undefined
  /** What handlers find as `context.channel`. */
  readonly self: () => unknown
  /** What handlers find as `context.identity`. */
  readonly identity?: () => unknown
  /** Whether a call of the other side may run; without it, all may. */
  readonly authorize?: Authorize | undefined
  /** Answers calls with an idempotency key; without it, they are refused. */
  readonly answerKeyed?: AnswerKeyed | undefined
  readonly events: ChannelCoreEvents
}

/** What it tells whoever made it. */
export interface ChannelCoreEvents {
  /** A connection is ready for calls. `hello` is missing where the peer is a plain one. */
  open(hello: HelloResult | undefined): void
  /** A connection is ready that goes on with the session of the one before. */
  resumed(hello: HelloResult | undefined): void
  /** The connection ended. Told after the calls that it took with it were rejected. */
  down(info: CloseInfo, retryAfterMs?: number): void
  /**
   * What began with `open` is over: the session, or without one the connection. `recv` is how many
   * messages of the other side were dispatched in the session.
   */
  ended(info: CloseInfo, recv: number | undefined): void
  latency(ms: number): void
  /** The server's clients are to spread over another window, in ms, after a loss. */
  spread?(ms: number): void
  /** `inFlight` or `queued` may have changed. */
  change(): void
  error(error: unknown): void
}
