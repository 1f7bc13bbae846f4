import type { Source } from '../../calls/functions.js'

/** The key of a function that a source may have: it is called just before each item is sent, when there is room for it. */
export const BEFORE_ITEM: unique symbol = Symbol()

/** A source whose items may have to wait although there is room for them. */
export type GuardedSource = Source<unknown> & {
  /**
   * @returns undefined if the item may be sent now; else a promise, after which this is called again. If it rejects, the
   *   item is dropped, and the stream ends with that error.
   */
  [BEFORE_ITEM]?(): Promise<void> | undefined
}
