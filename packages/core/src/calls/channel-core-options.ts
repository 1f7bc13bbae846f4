import type { Hello } from '../link/message-link.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Absence } from './absence.js'
import type { ChannelShape, PublicChannel } from './channel-context.js'
import type { Authorize } from './dispatcher.js'
import type { FeatureTable, KeptLink } from './feature.js'

/** The options of a channel core, without the public types: one object for all channels of a server. */
export interface ChannelCoreOptions<Ch extends PublicChannel> extends ChannelShape {
  readonly features: FeatureTable
  /** Client: the link that continues over several connections; undefined if there is none. */
  keptLink?(channel: Ch): KeptLink | undefined
  /** Makes the ids of channels. Default: 128 random bits, in hexadecimal. */
  readonly newId?: (() => string) | undefined
  /** Client: describes why calls have no answer while there is no connection. */
  absence?(): Absence | undefined
  /** Whether a call of the other side may run; without it, all may. */
  readonly authorize?: Authorize | undefined
  readonly events: ChannelCoreEvents<Ch>
}

/** The events of a channel core. */
export interface ChannelCoreEvents<Ch extends PublicChannel> {
  /** A link is ready for calls. `hello` is undefined if the peer is a plain one. */
  open(channel: Ch, hello: Hello | undefined): void
  /** A connection is ready that continues the session of the connection before. */
  resumed?(channel: Ch, hello: Hello | undefined): void
  /** The connection has ended. Called after the calls that ended with it were rejected. */
  down(channel: Ch, info: CloseInfo, isEndReported: boolean, retryAfterMs: number | undefined): void
  /**
   * The session that began with `open` has ended, or the connection if there is no session. `recv` is how many messages
   * of the other side were dispatched in the session.
   */
  ended(channel: Ch, info: CloseInfo, recv: number | undefined): void
  latency?(channel: Ch, ms: number): void
  /** The server has sent another time window, in ms, in which its clients connect again after a loss. */
  spread?(channel: Ch, ms: number): void
  /** `inFlight` or `queued` may have changed. It is not called while the core is not watched. */
  change?(channel: Ch): void
  error(channel: Ch, error: unknown, context: ErrorContext): void
}
