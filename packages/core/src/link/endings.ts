import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'

/** The ways in which connections and sessions end. */

/** Close codes after which a server keeps no session: its client ended it, or broke the protocol. */
export const SESSION_ENDS: ReadonlySet<number> = new Set([
  CloseCode.normal,
  // The user has left the page, so the token of its session is lost.
  CloseCode.goingAway,
  1002,
  1003,
  1007,
  CloseCode.tooBig,
  CloseCode.hookFailed,
  CloseCode.violation,
])

/** The client goes on over another connection. */
export const MOVED: CloseInfo = {
  code: CloseCode.takenOver,
  reason: 'The client goes on with an earlier session',
}

/** The messages that are held for the other side exceed the limit. */
export const OVERFLOW: CloseInfo = {
  code: CloseCode.tryAgainLater,
  reason: 'The other side is not connected, and more waits for it than the limits allow',
}

/** The close reason of a connection if the other side reads nothing. */
export const TOO_MUCH_WAITS = 'Too much waits to be sent: the other side does not read'

/** The close reason of a connection if the other side sends too much. At most 123 bytes. */
export const OVER_RATE =
  'Too much was sent in a second (limits.messagesPerSecond, limits.bytesPerSecond)'
