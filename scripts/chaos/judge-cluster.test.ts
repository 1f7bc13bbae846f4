import { describe, expect, test } from 'vitest'
import type { CallKind, Entry, TargetEnd, TargetEnding } from './cluster-ledger.ts'
import { isFlawlessCluster, judgeCluster, VIOLATIONS } from './judge-cluster.ts'

const [a, b] = ['a'.repeat(16), 'b'.repeat(16)] as const
/** Channels of both nodes. */
const [a1, b1, b2] = [`${a}1`, `${b}1`, `${b}2`] as const

const made = (kind: CallKind): Entry => ({ at: 'made', call: 'c', kind, process: 'p', node: a })
const ran = (where: string): Entry => ({ at: 'ran', call: 'c', where })
const end = (channel: string, ending: TargetEnding = 'value'): TargetEnd => ({ channel, ending })
const unreached = (node: string, ending: TargetEnding): TargetEnd => ({ node, ending })
const ended = (...targets: TargetEnd[]): Entry => ({ at: 'ended', call: 'c', targets })
const judged = (...entries: Entry[]) => judgeCluster(entries, new Set())

describe('the judge of the ledger of a cluster', () => {
  test.each<[what: string, entries: Entry[]]>([
    ['each target has its value', [made('group'), ran(a1), ran(b1), ended(end(a1), end(b1))]],
    ['a group without members', [made('group'), ended()]],
    [
      'a target that may have run, and did',
      [made('group'), ran(b1), ended(end(b1, 'maybe-executed'))],
    ],
    ['a target that may have run, and did not', [made('group'), ended(end(b1, 'maybe-executed'))]],
    ['a target that did not run', [made('group'), ended(end(b1, 'not-received'))]],
    [
      'a node that could not say whom it called',
      [made('group'), ran(a1), ran(b1), ran(b2), ended(end(a1), unreached(b, 'maybe-executed'))],
    ],
    [
      'a node that was sent nothing',
      [made('group'), ran(a1), ended(end(a1), unreached(b, 'not-sent'))],
    ],
    ['one channel', [made('channel'), ran(b1), ended(end(b1))]],
    ['a server', [made('server'), ran(a), ended(end('server'))]],
    ['a notification that nobody heard', [made('notify'), ended()]],
    [
      'a notification that was not sent to other nodes',
      [made('notify'), ran(a1), ended(unreached(b, 'not-sent'))],
    ],
  ])('finds nothing wrong: %s', (_, entries) => {
    expect(isFlawlessCluster(judged(...entries))).toBe(true)
  })

  test.each<[what: (typeof VIOLATIONS)[number], entries: Entry[]]>([
    ['lost', [made('group'), ran(a1), ended(end(a1), end(b1))]],
    ['lost', [made('server'), ended(end('server'))]],
    ['silent', [made('group'), ran(a1), ran(b1), ended(end(a1))]],
    ['silent', [made('group'), ran(b1), ended(unreached(a, 'maybe-executed'))]],
    ['repeated', [made('group'), ran(a1), ran(a1), ended(end(a1))]],
    ['repeated', [made('notify'), ran(a1), ran(a1), ended()]],
    ['repeated', [made('keyed'), ran(a), ran(b), ended(end('server'))]],
    ['repeated', [made('channel'), ran(a1), ran(b1), ended(end(a1))]],
    ['wrong', [made('group'), ran(b1), ended(end(b1, 'not-received'))]],
    ['wrong', [made('group'), ran(b1), ended(unreached(b, 'not-sent'))]],
    ['wrong', [made('keyed'), ran(b), ended(end('server', 'not-sent'))]],
    ['wrong', [made('notify'), ran(b1), ended(unreached(b, 'not-sent'))]],
    ['hanging', [made('group'), ran(a1)]],
    ['endedTwice', [made('server'), ran(a), ended(end('server')), ended(end('server'))]],
    ['endedTwice', [made('group'), ran(a1), ended(end(a1), end(a1, 'maybe-executed'))]],
    ['invented', [ran(a1)]],
    ['unexpected', [made('server'), ended(end('server', 'error'))]],
  ])('finds what is %s', (what, entries) => {
    const { violations } = judged(...entries)
    for (const name of VIOLATIONS) expect(violations[name]).toEqual(name === what ? ['c'] : [])
  })

  test('expects no end of calls whose process was killed, and still holds them against what ran', () => {
    const killed = new Set(['p'])
    expect(judgeCluster([made('group'), ran(a1)], killed)).toMatchObject({ excused: 1 })
    expect(isFlawlessCluster(judgeCluster([made('group'), ran(a1)], killed))).toBe(true)
    expect(isFlawlessCluster(judgeCluster([made('group'), ran(a1), ran(a1)], killed))).toBe(false)
  })
})
