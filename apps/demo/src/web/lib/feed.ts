import type { Change } from '../../contract.js'

/** One line of the feed: a change, or several of the same kind to the same file in a row. */
export interface FeedEntry extends Change {
  readonly id: number
  readonly times: number
}

/** The most lines that are kept. */
const MAX_ENTRIES = 100
/** Within so many ms, the same change to the same file is one line. */
const SAME_LINE_MS = 10_000

/** The feed with one more change, the newest first. */
export function withChange(feed: readonly FeedEntry[], change: Change): readonly FeedEntry[] {
  const [newest, ...older] = feed
  const isSame =
    newest?.path === change.path &&
    newest.kind === change.kind &&
    change.at - newest.at < SAME_LINE_MS
  if (newest && isSame) {
    const skipped = newest.skipped + change.skipped
    return [{ ...change, id: newest.id, times: newest.times + 1, skipped }, ...older]
  }
  const entry = { ...change, id: (newest?.id ?? 0) + 1, times: 1 }
  return [entry, ...feed].slice(0, MAX_ENTRIES)
}
