import { describe, expect, test } from 'vitest'
import { isFlawless, judge } from './judge.ts'
import type { Ended, Ending, Run } from './ledger.ts'

const run = (n: number, sid = 'a', caller = 'c'): Run => ({ sid, caller, n })
const end = (n: number, ending: Ending = 'value', wasOffline = false): Ended => ({
  caller: 'c',
  n,
  ending,
  wasOffline,
})
const three = new Map([['c', 3]])
const ends = [end(0), end(1), end(2)]
const runs = [run(0), run(1), run(2)]

describe('the judge of ledgers', () => {
  test('finds nothing where nothing is', () => {
    expect(isFlawless(judge(three, runs, ends))).toBe(true)
    const mixed = [end(0), end(1, 'not-sent'), end(2, 'maybe-executed')]
    expect(isFlawless(judge(three, [run(0), run(2)], mixed))).toBe(true)
    expect(isFlawless(judge(three, [run(0)], mixed))).toBe(true)
    // Another session has an order of its own.
    expect(isFlawless(judge(three, [run(1), run(2), run(0, 'b')], ends))).toBe(true)
  })

  test.each([
    ['lost', [run(0), run(1)], ends],
    ['repeated', [...runs, run(2)], ends],
    ['repeated', [...runs, run(2, 'b')], ends],
    ['reordered', [run(0), run(2), run(1)], ends],
    ['wrong', runs, [end(0), end(1), end(2, 'not-sent')]],
    ['wrong', runs, [end(0), end(1), end(2, 'not-received')]],
    ['hanging', runs, [end(0), end(1)]],
    ['endedTwice', runs, [...ends, end(1)]],
    ['invented', [...runs, run(3)], ends],
    ['invented', [...runs, run(0, 'a', 'nobody')], ends],
    ['unexpected', runs, [end(0), end(1), end(2, 'error')]],
  ] as const)('finds what is %s', (what, runs, ends) => {
    const verdict = judge(three, runs, ends)
    expect(verdict[what]).toBe(1)
    expect(isFlawless(verdict)).toBe(false)
  })

  test('expects nothing of callers that were killed', () => {
    expect(isFlawless(judge(three, runs, [], new Set(['c'])))).toBe(true)
  })

  test('counts how calls without a connection were labelled', () => {
    const some = [end(0, 'not-sent', true), end(1, 'maybe-executed', true), end(2, 'value', true)]
    expect(judge(three, [run(2)], some).offline).toStrictEqual({ failed: 2, labelled: 1 })
  })
})
