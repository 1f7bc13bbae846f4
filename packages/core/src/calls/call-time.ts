import { readTimeout, type TimeLimits } from './call-timer.js'
import type { SendOptions } from './functions.js'
import type { CallKind } from './pending-call.js'

/** No time at all is set. */
export const NO_LIMITS: TimeLimits = {
  idle: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
}

/** How long a call may take that has a time of its own. */
export interface CallTime {
  readonly limits: TimeLimits
  /** When it is to have ended, by `performance.now()`, as far as that is told to the other side. */
  readonly deadline: number | undefined
}

/**
 * How long a call may take, and when it is to have ended: what it was given, or what is left to whoever
 * it is made for, whichever is less. What is but this side's patience is told to nobody.
 *
 * @returns undefined for a call that has this side's patience, as most do.
 */
export function timeOf(
  method: string,
  { timeout, input, signal }: SendOptions,
  fallback: TimeLimits,
  kind: CallKind,
  deadlineOf: ((signal: AbortSignal | undefined) => number) | undefined,
): CallTime | undefined {
  const isTold = timeout !== undefined || signal !== undefined || input !== undefined
  if (!isTold && kind !== 'stream') return undefined
  const given = timeout === undefined ? undefined : readTimeout(method, timeout)
  const patience =
    kind === 'stream'
      ? NO_LIMITS
      : input === undefined
        ? fallback
        : // As long as the other side takes items, a call may last.
          { ...NO_LIMITS, idle: Math.min(fallback.idle, fallback.total) }
  const { idle, total } = given ?? patience
  const inherited = deadlineOf?.(signal) ?? Number.POSITIVE_INFINITY
  const left = inherited - performance.now()
  const endsAt = given && given.total < left ? performance.now() + given.total : inherited
  const deadline = endsAt === Number.POSITIVE_INFINITY ? undefined : endsAt
  if (idle === Number.POSITIVE_INFINITY && Math.min(total, left) === Number.POSITIVE_INFINITY) {
    return { limits: NO_LIMITS, deadline }
  }
  return { limits: { idle, total: Math.max(0, Math.min(total, left)) }, deadline }
}
