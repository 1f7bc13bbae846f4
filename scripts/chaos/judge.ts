import type { Ended, Ending, Run } from './ledger.ts'

/** What came of all calls. All but the first three count violations of what is promised. */
export interface Verdict {
  readonly made: number
  readonly byEnding: Readonly<Record<Ending, number>>
  /** Of the calls made without a connection that failed, how many were labelled `not-sent`. */
  readonly offline: { readonly failed: number; readonly labelled: number }
  /** Answered, and nobody ran them. */
  readonly lost: number
  /** Run more than once. */
  readonly repeated: number
  /** Run before one of the same caller, in the same session, that was called earlier. */
  readonly reordered: number
  /** Told not to have run, and run. */
  readonly wrong: number
  /** Never ended. */
  readonly hanging: number
  /** Ended more than once. */
  readonly endedTwice: number
  /** Run, and nobody called them. */
  readonly invented: number
  /** Failed in a way that no caller should see. */
  readonly unexpected: number
}

/**
 * Holds what was run against what the callers were told.
 *
 * @param made how many calls each caller made, numbered from 0.
 * @param mayDie callers that were killed: their calls need not have ended.
 */
export function judge(
  made: ReadonlyMap<string, number>,
  runs: readonly Run[],
  ends: readonly Ended[],
  mayDie: ReadonlySet<string> = new Set(),
): Verdict {
  const counts = new Map([...made].map(([caller, count]) => [caller, new Uint8Array(count)]))
  let invented = 0
  let reordered = 0
  const last = new Map<string, number>()
  for (const { sid, caller, n } of runs) {
    const count = counts.get(caller)
    if (!count || n >= count.length) {
      invented++
      continue
    }
    count[n] = Math.min(255, (count[n] ?? 0) + 1)
    const place = `${sid} ${caller}`
    if (n < (last.get(place) ?? -1)) reordered++
    else last.set(place, n)
  }

  const byEnding = { value: 0, 'not-sent': 0, 'not-received': 0, 'maybe-executed': 0, error: 0 }
  const ended = new Map([...made].map(([caller, count]) => [caller, new Uint8Array(count)]))
  const offline = { failed: 0, labelled: 0 }
  let lost = 0
  let wrong = 0
  let endedTwice = 0
  for (const { caller, n, ending, wasOffline } of ends) {
    byEnding[ending]++
    const times = counts.get(caller)?.[n] ?? 0
    if (ending === 'value' && times === 0) lost++
    if ((ending === 'not-sent' || ending === 'not-received') && times > 0) wrong++
    if (wasOffline && ending !== 'value') {
      offline.failed++
      if (ending === 'not-sent') offline.labelled++
    }
    const seen = ended.get(caller)
    if (seen?.[n]) endedTwice++
    if (seen) seen[n] = 1
  }

  let repeated = 0
  for (const count of counts.values()) for (const times of count) if (times > 1) repeated++
  let hanging = 0
  for (const [caller, seen] of ended) {
    if (!mayDie.has(caller)) for (const is of seen) if (!is) hanging++
  }
  const all = [...made.values()].reduce((sum, count) => sum + count, 0)
  const unexpected = byEnding.error
  return {
    made: all,
    byEnding,
    offline,
    lost,
    repeated,
    reordered,
    wrong,
    hanging,
    endedTwice,
    invented,
    unexpected,
  }
}

/** Whether nothing is wrong. */
export function isFlawless(verdict: Verdict): boolean {
  const { lost, repeated, reordered, wrong, hanging, endedTwice, invented, unexpected } = verdict
  return lost + repeated + reordered + wrong + hanging + endedTwice + invented + unexpected === 0
}
