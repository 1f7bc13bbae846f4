import { plain } from '../errors/quoted.js'
import type { CloseInfo } from './transport.js'

/**
 * The close codes this library sends. 1000–1015 are those of RFC 6455, section 7.4.1; 4000–4999 are free for
 * applications. docs/protocol.md says what the other side does after each.
 */
export const CloseCode = {
  normal: 1000,
  /** The server is going away; come back later. */
  goingAway: 1001,
  /** A frame is over the receiver's limit. */
  tooBig: 1009,
  /** Something failed on this side, such as an `onConnect` hook. */
  internal: 1011,
  /** The server can't accept this now; come back later. */
  tryAgainLater: 1013,
  /** An `onConnect` hook of a client failed. */
  hookFailed: 4000,
  /** The other side broke the protocol. Don't come back the same way. */
  violation: 4400,
  /** The server does not accept the client's credentials. */
  unauthorized: 4401,
  /** The server knows the client, and does not let it in. */
  forbidden: 4403,
  /** Another connection has taken this one's place. */
  takenOver: 4409,
  /** No sign of life, or an answer that came too late to be of use. */
  timedOut: 4408,
  /** The other side sends too much, or too often. */
  tooMany: 4429,
} as const

/**
 * A page can't send 1001 to 1015, so it adds 3,000 to these: 4009 for 1009. So no other code has a number from 4001 to
 * 4015.
 *
 * @returns the code that was meant, from a page or from another program.
 */
export function intendedCode(code: number): number {
  return code > 4000 && code <= 4015 ? code - 3000 : code
}

/**
 * How long a server asks clients to stay away, in the reason of a close. Browsers hide the headers of a refused
 * upgrade, so it can't be in these (docs/protocol.md, "Reconnecting").
 */
const RETRY_AFTER = /^retry-after=(\d{1,9})(?:; |$)/

/** @returns the reason with the time that clients must stay away before it; unchanged if `seconds` is `undefined`. */
export function withRetryAfter(reason: string, seconds: number | undefined): string {
  return seconds === undefined ? reason : `retry-after=${Math.ceil(seconds)}; ${reason}`
}

/** @returns the time that a reason asks for, in ms; `undefined` if it asks for none. */
export function retryAfterMsOf({ reason }: CloseInfo): number | undefined {
  const [, seconds] = RETRY_AFTER.exec(reason) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

/** @returns why a connection ended, for messages: the code, and the reason if there was one. */
export function describeClose({ code, reason }: CloseInfo): string {
  return reason ? `${code}: ${plain(reason)}` : String(code)
}
