import type { Hello } from '../link/message-link.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Absence } from './absence.js'
import type { ChannelShape, Owner } from './channel-context.js'
import type { Authorize } from './dispatcher.js'
import type { FeatureTable, KeptLink } from './feature.js'

/** What a conversation is made with, once the public types are gone: one object for all channels of a server. */
export interface ChannelCoreOptions<Own extends Owner> extends ChannelShape {
  readonly features: FeatureTable
  /** Client: the link that goes on over many connections; undefined if there is none. */
  keptLink?(owner: Own): KeptLink | undefined
  /** Client: why calls have no answer while there is no connection. */
  absence?(): Absence | undefined
  /** Whether a call of the other side may run; without it, all may. */
  readonly authorize?: Authorize | undefined
  readonly events: ChannelCoreEvents<Own>
}

/** What it tells whoever made it. */
export interface ChannelCoreEvents<Own extends Owner> {
  /** A link is ready for calls. `hello` is undefined if the peer is a plain one. */
  open(owner: Own, hello: Hello | undefined): void
  /** A connection is ready that goes on with the session of the one before. */
  resumed?(owner: Own, hello: Hello | undefined): void
  /** The connection ended. Told after the calls that it took with it were rejected. */
  down(owner: Own, info: CloseInfo, isEndTold: boolean, retryAfterMs: number | undefined): void
  /**
   * What began with `open` is over: the session, or without one the connection. `recv` is how many messages of the other
   * side were dispatched in the session.
   */
  ended(owner: Own, info: CloseInfo, recv: number | undefined): void
  latency?(owner: Own, ms: number): void
  /** The server's clients are to come back over another window, in ms, after a loss. */
  spread?(owner: Own, ms: number): void
  /** Server: the client has said which methods of its contract have a handler now. */
  exposes?(owner: Own, methods: readonly string[]): void
  /** `inFlight` or `queued` may have changed. */
  change?(owner: Own): void
  error(owner: Own, error: unknown, context: ErrorContext): void
}
