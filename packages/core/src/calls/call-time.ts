import type { NearestName } from '../errors/nearest.js'
import { readTimeout, type TimeLimits } from './call-timer.js'
import type { SendOptions } from './functions.js'
import type { CallKind } from './pending-call.js'

/** No time limits. */
export const NO_LIMITS: TimeLimits = {
  idle: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
}

/** The time limits of a call that does not use the channel's timeout. */
export interface CallTime {
  readonly limits: TimeLimits
  /** The deadline that is sent to the other side, by `performance.now()`; undefined if none is sent. */
  readonly deadline: number | undefined
}

/**
 * Returns the time limits of a call and its deadline: its own timeout, or the time that is left to the call that it is
 * made for, whichever is less. The channel's default timeout is not sent to the other side.
 *
 * @returns undefined if the call uses the channel's default timeout.
 */
export function timeOf(
  method: string,
  { timeout, input, signal }: SendOptions,
  fallback: TimeLimits,
  kind: CallKind,
  deadlineOf: ((signal: AbortSignal | undefined) => number) | undefined,
  nearest: NearestName | undefined,
): CallTime | undefined {
  const mayDiffer = timeout !== undefined || signal !== undefined || input !== undefined
  if (!mayDiffer && kind !== 'stream') return undefined
  const given = timeout === undefined ? undefined : readTimeout(method, timeout, nearest)
  const defaults =
    kind === 'stream'
      ? NO_LIMITS
      : input === undefined
        ? fallback
        : // As long as the other side takes items, a call may last.
          { ...NO_LIMITS, idle: Math.min(fallback.idle, fallback.total) }
  const { idle, total } = given ?? defaults
  const inherited = deadlineOf?.(signal) ?? Number.POSITIVE_INFINITY
  const left = inherited - performance.now()
  const endsAt = given && given.total < left ? performance.now() + given.total : inherited
  const deadline = endsAt === Number.POSITIVE_INFINITY ? undefined : endsAt
  if (idle === Number.POSITIVE_INFINITY && Math.min(total, left) === Number.POSITIVE_INFINITY) {
    return { limits: NO_LIMITS, deadline }
  }
  return { limits: { idle, total: Math.max(0, Math.min(total, left)) }, deadline }
}
