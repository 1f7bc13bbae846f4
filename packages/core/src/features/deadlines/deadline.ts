import type { Incoming } from '../../calls/incoming.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { type Encoded, encode, frameOf, hasBytes } from '../../wire/encoded.js'
import type { Format } from '../../wire/format.js'
import type { RequestExtras, RequestMessage } from '../../wire/message.js'

/**
 * When calls are to have ended, in the time of `performance.now()`: of each call that was given a time,
 * and of those that are made on its behalf, which pass its signal on.
 */
const deadlines = new WeakMap<AbortSignal, number>()

/** @returns when whoever gave this signal stops to wait; `Infinity` where that is not known. */
export function deadlineOf(signal: AbortSignal | undefined): number {
  return (signal && deadlines.get(signal)) ?? Number.POSITIVE_INFINITY
}

/** From now on, calls that are made with this signal have no more time than that. */
export function setDeadline(signal: AbortSignal, at: number): void {
  deadlines.set(signal, at)
}

/** Time left, as it goes on the wire: whole ms, never less than nothing. */
export function leftUntil(at: number): number {
  return Math.max(0, Math.ceil(at - performance.now()))
}

/** Whether a value can be time left. */
export function isTimeLeft(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0
}

/** A call was held for so many ms before it was begun: it has so much less time left. */
export function afterWait(incoming: Incoming, waitedMs: number): Incoming {
  const { rpc } = incoming
  const deadlineMs = rpc?.deadlineMs
  if (!isTimeLeft(deadlineMs)) return incoming
  return { ...incoming, rpc: { ...rpc, deadlineMs: Math.max(0, deadlineMs - waitedMs) } }
}

/** So old may what a request says of its time be, in ms, before it is said anew. */
const FRESH_MS = 50

/** When a message was made, and whether it says what a plain peer is not told. */
export interface Stamp {
  readonly at: number
  readonly isSaid: boolean
}

/**
 * A message as it goes out now: what it says of its time is true, and a plain peer is told nothing of that,
 * nor of who listens, nor of what travels beside it. What it was made of may have changed since: it is made of its own frame.
 */
export function restamp(
  format: Format,
  encoded: Encoded,
  { deadline, stamp, progress, meta }: PendingCall,
  isExtended: boolean,
): Encoded {
  const isOld =
    deadline !== undefined && stamp !== undefined && performance.now() - stamp.at > FRESH_MS
  if (stamp?.isSaid === isExtended && !(isExtended && isOld)) return encoded
  try {
    const { rpc: before, ...message } = format.codec.decode(frameOf(encoded)) as RequestMessage
    const { deadlineMs: _, progress: __, meta: ___, ...others } = before ?? {}
    const rpc: RequestExtras = others
    if (isExtended && progress) rpc.progress = true
    if (isExtended && deadline !== undefined) rpc.deadlineMs = leftUntil(deadline)
    if (isExtended && meta) rpc.meta = meta
    const isEmpty = Object.keys(rpc).length === 0
    const again = encode(format, isEmpty ? message : { ...message, rpc })
    return hasBytes(encoded) ? { ...encoded, frame: frameOf(again) } : again
  } catch {
    // A codec that can't read what it wrote itself: better a deadline that is late than no call.
    return encoded
  }
}
