import type { ClientState, ClientStatus } from '@flashrpc/core'

/** A turn in the life of a client's connection. */
export interface TimelineEntry {
  /** Counts entries, from 1. */
  readonly key: number
  /** When, in ms since the epoch. */
  readonly at: number
  readonly status: ClientStatus
  /** Which attempt it is, from 1; 0 while connected. */
  readonly attempt: number
  /** When the next attempt is due, in ms since the epoch; null if none is waited for. */
  readonly retryAt: number | null
  /** Why the attempt failed, or the connection ended; null if neither happened. */
  readonly cause: string | null
  /** Whether a session went on with it. */
  readonly resumed: boolean
}

/** The most entries that are kept. */
const MOST = 200

/** Adds a state to a timeline, if it differs from the last entry. */
export function extended(
  timeline: readonly TimelineEntry[],
  { status, attempt, retryAt, lastError, resumed }: ClientState,
): readonly TimelineEntry[] {
  const last = timeline.at(-1)
  const entry: TimelineEntry = {
    key: (last?.key ?? 0) + 1,
    at: Date.now(),
    status,
    attempt,
    retryAt,
    cause: lastError?.message ?? null,
    resumed,
  }
  const isNew =
    !last ||
    last.status !== status ||
    last.attempt !== attempt ||
    last.retryAt !== retryAt ||
    last.cause !== entry.cause
  return isNew ? [...timeline, entry].slice(-MOST) : timeline
}
