import type { Feature } from '../../calls/feature.js'
import { tooLate } from '../../calls/refusals.js'
import { ErrorCode } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import { neverRanMessage } from '../../wire/message.js'

/** Deadlines: the other side is told how long a call has, and calls that a handler makes have no more than that. */
export function deadlines(): Feature {
  return FEATURE
}

/**
 * When calls are to have ended, in the time of `performance.now()`: of each call that was given a time,
 * and of those that are made on its behalf, which pass its signal on.
 */
const byDeadline = new WeakMap<AbortSignal, number>()

/** @returns when the giver of this signal stops to wait; `Infinity` if that is not known. */
export function deadlineOf(signal: AbortSignal | undefined): number {
  return (signal && byDeadline.get(signal)) ?? Number.POSITIVE_INFINITY
}

/** From now on, calls that are made with this signal have no more time than that. */
export function setDeadline(signal: AbortSignal, at: number): void {
  byDeadline.set(signal, at)
}

/** Time left, as it goes on the wire: whole ms, never less than nothing. */
function leftUntil(at: number): number {
  return Math.max(0, Math.ceil(at - performance.now()))
}

const FEATURE: Feature = {
  name: 'deadlines',
  deadlines: {
    of: deadlineOf,
    tell(call, at) {
      call.told ??= {}
      call.told.deadlineMs = () => leftUntil(at)
    },
  },
  extras: {
    deadlineMs: {
      whyWrong: (value, { method }) =>
        value === undefined || (Number.isFinite(value) && (value as number) >= 0)
          ? undefined
          : `rpc.deadlineMs of ${quoted(method)} must be a number of ms, from 0`,
      refuse: (value, { id, method }) =>
        value === 0 ? neverRanMessage(id, ErrorCode.timedOut, tooLate(method)) : undefined,
      take(_, context, value) {
        if (value === undefined) return
        context.expireIn(value as number)
        context.whenSignal((signal) => setDeadline(signal, context.deadline))
      },
    },
  },
}
