import { addComputedExtra } from '../../calls/computed-extras.js'
import type { Feature } from '../../calls/feature.js'
import { tooLate } from '../../calls/refusals.js'
import { ErrorCode } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import { neverRanMessage } from '../../wire/message.js'

/**
 * Deadlines: the time limit of a call is sent to the other side, and the calls that its handler makes have no more time
 * than is left.
 */
export function deadlines(): Feature {
  return FEATURE
}

/**
 * The deadlines of calls by their signals, in the time of `performance.now()`: of the calls that were given a time, and
 * of the calls that their handlers make with that signal.
 */
const byDeadline = new WeakMap<AbortSignal, number>()

/** @returns the time at which the caller that gave this signal stops waiting; `Infinity` if that is not known. */
export function deadlineOf(signal: AbortSignal | undefined): number {
  return (signal && byDeadline.get(signal)) ?? Number.POSITIVE_INFINITY
}

/** Sets the deadline of a signal: from now on, calls that are made with it have no more time than that. */
export function setDeadline(signal: AbortSignal, at: number): void {
  byDeadline.set(signal, at)
}

/** The time that is left, as it is sent: whole ms, never less than 0. */
function leftUntil(at: number): number {
  return Math.max(0, Math.ceil(at - performance.now()))
}

const FEATURE: Feature = {
  name: 'deadlines',
  deadlines: {
    of: deadlineOf,
    tell: (call, at) => addComputedExtra(call, 'deadlineMs', () => leftUntil(at)),
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
