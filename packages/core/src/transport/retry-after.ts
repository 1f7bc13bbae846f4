import type { CloseInfo } from './transport.js'

/**
 * How long a server asks clients to stay away, in the reason of a close. Browsers hide the headers of a refused
 * upgrade, so it can't be in these (docs/protocol.md, "Reconnecting").
 */
const HINT = /^retry-after=(\d{1,9})(?:; |$)/

/** @returns the reason with the hint before it; without a hint if `seconds` is `undefined`. */
export function withRetryAfter(reason: string, seconds: number | undefined): string {
  return seconds === undefined ? reason : `retry-after=${Math.ceil(seconds)}; ${reason}`
}

/** @returns the time that a reason asks for, in ms; `undefined` if it asks for none. */
export function retryAfterMsOf({ reason }: CloseInfo): number | undefined {
  const [, seconds] = HINT.exec(reason) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}
