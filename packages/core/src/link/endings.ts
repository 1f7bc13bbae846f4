import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'

/** How connections and sessions end. */

/** Close codes after which a server keeps no session: its client ended it, or broke the protocol. */
export const SESSION_ENDS: ReadonlySet<number> = new Set([
  CloseCode.normal,
  // A page is left, and its session's token with it.
  CloseCode.goingAway,
  1002,
  1003,
  1007,
  CloseCode.tooBig,
  CloseCode.hookFailed,
  CloseCode.violation,
])

/** Its client goes on elsewhere. */
export const MOVED: CloseInfo = {
  code: CloseCode.takenOver,
  reason: 'The client goes on with an earlier session',
}

/** More is held for the other side than may be. */
export const OVERFLOW: CloseInfo = {
  code: CloseCode.tryAgainLater,
  reason: 'More waits for the other side than is kept, and it is not there',
}

/** The reason with which a connection is closed whose other side reads nothing. */
export const TOO_MUCH_WAITS = 'Too much waits here that is not read there'
