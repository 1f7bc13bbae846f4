import type { CloseInfo } from './transport.js'

/**
 * How long a server asks to be left alone, where it can say so in the reason of a close code only:
 * browsers hide the headers of a refused upgrade (docs/protocol.md, "Reconnecting").
 */
const HINT = /^retry-after=(\d{1,9})(?:; |$)/

/** @returns the reason with the hint ahead of it; `undefined` asks for nothing. */
export function withRetryAfter(reason: string, seconds: number | undefined): string {
  return seconds === undefined ? reason : `retry-after=${Math.ceil(seconds)}; ${reason}`
}

/** @returns what a reason asks for, in ms; `undefined` where it asks for nothing. */
export function retryAfterMsOf({ reason }: CloseInfo): number | undefined {
  const [, seconds] = HINT.exec(reason) ?? []
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}
