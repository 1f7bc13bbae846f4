import type { CallKind, Entry, TargetEnd, TargetEnding } from './cluster-ledger.ts'

/** What came of all calls of a cluster. `violations` has what breaks a promise, each with the call that it is about. */
export interface ClusterVerdict {
  readonly made: Readonly<Record<CallKind, number>>
  /** How targets ended. */
  readonly byEnding: Readonly<Record<TargetEnding, number>>
  /** Nodes that could not say which targets they have. */
  readonly unreached: number
  /** Calls that have no end because the process that made them was killed. */
  readonly excused: number
  readonly violations: Readonly<Record<Violation, readonly string[]>>
}

export const VIOLATIONS = [
  /** A value came, and nobody ran the call. */
  'lost',
  /** A target ran the call, and its caller was told nothing of it. */
  'silent',
  /** Ran more than once. */
  'repeated',
  /** Told not to have run, and run. */
  'wrong',
  /** Never ended. */
  'hanging',
  /** Ended more than once, as a call or for one of its targets. */
  'endedTwice',
  /** Run, and nobody made it. */
  'invented',
  /** Failed in a way that tells no outcome. */
  'unexpected',
] as const

export type Violation = (typeof VIOLATIONS)[number]

interface Call {
  readonly kind: CallKind
  readonly process: string
  readonly node: string | undefined
  /** Where it ran. */
  readonly ran: string[]
  readonly ends: (readonly TargetEnd[])[]
}

/** How many digits of a channel's id are its node's. */
const NODE_DIGITS = 16

/**
 * Holds what was run against what the callers were told.
 *
 * @param killed the processes that were killed: their calls need not have ended.
 */
export function judgeCluster(
  entries: readonly Entry[],
  killed: ReadonlySet<string>,
): ClusterVerdict {
  const calls = new Map<string, Call>()
  const made = { group: 0, channel: 0, server: 0, keyed: 0, notify: 0 }
  const byEnding = { value: 0, 'not-sent': 0, 'not-received': 0, 'maybe-executed': 0, error: 0 }
  const violations = Object.fromEntries(VIOLATIONS.map((name) => [name, []])) as unknown as Record<
    Violation,
    string[]
  >
  for (const entry of entries) {
    if (entry.at !== 'made') continue
    const { kind, process, node } = entry
    made[kind]++
    calls.set(entry.call, { kind, process, node, ran: [], ends: [] })
  }
  for (const entry of entries) {
    if (entry.at === 'made') continue
    const call = calls.get(entry.call)
    if (!call) violations.invented.push(entry.call)
    else if (entry.at === 'ran') call.ran.push(entry.where)
    else call.ends.push(entry.targets)
  }
  let unreached = 0
  let excused = 0
  for (const [name, call] of calls) {
    const breaks = (violation: Violation) => violations[violation].push(name)
    if (ranTwice(call)) breaks('repeated')
    const [targets] = call.ends
    if (!targets) {
      if (killed.has(call.process)) excused++
      else breaks('hanging')
      continue
    }
    if (call.ends.length > 1) breaks('endedTwice')
    const told = targets.map(({ channel, node }) => channel ?? node)
    if (new Set(told).size < told.length) breaks('endedTwice')
    for (const target of targets) {
      if (target.channel === undefined) unreached++
      else byEnding[target.ending]++
      const times = ranAt(call, target)
      if (target.ending === 'error') breaks('unexpected')
      else if (target.ending === 'value' && times === 0) breaks('lost')
      else if (target.ending.startsWith('not-') && times > 0) breaks('wrong')
    }
    if (call.kind === 'group' && call.ran.some((where) => !isTold(where, targets))) breaks('silent')
  }
  return { made, byEnding, unreached, excused, violations }
}

/** Whether nothing is wrong. */
export function isFlawlessCluster({ violations }: ClusterVerdict): boolean {
  return Object.values(violations).every((calls) => calls.length === 0)
}

/** A group's call runs once at each channel; every other call runs at one place. */
function ranTwice({ kind, ran }: Call): boolean {
  return kind === 'group' || kind === 'notify' ? new Set(ran).size < ran.length : ran.length > 1
}

/** How often a call ran where an end is about. */
function ranAt({ kind, node: own, ran }: Call, { channel, node }: TargetEnd): number {
  // A notification is not sent to all other nodes together.
  if (kind === 'notify') return ran.filter((where) => nodeOf(where) !== own).length
  if (channel === undefined) return ran.filter((where) => nodeOf(where) === node).length
  return kind === 'group' ? ran.filter((where) => where === channel).length : ran.length
}

/** Whether the caller knows that the call ran there, or that it may have. */
function isTold(where: string, targets: readonly TargetEnd[]): boolean {
  return targets.some(({ channel, node }) => (channel ?? node) === where || node === nodeOf(where))
}

function nodeOf(channel: string): string {
  return channel.slice(0, NODE_DIGITS)
}
