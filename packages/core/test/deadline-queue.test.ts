import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeadlineQueue, type TimedOwner } from '../src/calls/deadline-queue.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Calls that have so long; those that it was told of, with how late that was, in ms. */
class Calls implements TimedOwner {
  isWatched = false
  readonly late: number[] = []
  readonly #queue: DeadlineQueue
  readonly #due: number[] = []
  readonly #told: () => void

  constructor(queue: DeadlineQueue, told = () => {}) {
    this.#queue = queue
    this.#told = told
  }

  get open(): number {
    return this.#due.length
  }

  begin(): void {
    this.#due.push(this.#queue.begin(this))
  }

  /** One of them is answered. */
  answer(at: number): void {
    if (this.open === 0) return
    this.#due.splice(at % this.open, 1)
    this.#queue.end()
  }

  endDue(by: number): number {
    for (let due = this.#due[0]; due !== undefined && due <= by; due = this.#due[0]) {
      this.#due.shift()
      this.#queue.end()
      this.late.push(performance.now() - due)
      this.#told()
    }
    return this.#due[0] ?? Number.POSITIVE_INFINITY
  }
}

const MS = 5_000
/** By how much its own due time, in whole ms, may be ahead, and by how much it may be noticed late. */
const EARLY = -1
const LATE = 1 + MS / 1_000

test('tells of each call when it is due, whoever begins, is answered or rests meanwhile', () => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('begin', 'begin', 'answer', 'rest'),
    at: fc.nat(20),
    wait: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(MS)),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new DeadlineQueue(MS)
      const owners = [0, 1, 2, 3].map(() => new Calls(queue))
      let [begun, answered] = [0, 0]
      for (const { who, what, at, wait } of steps) {
        const owner = owners[who] as Calls
        const before = owner.open
        if (what === 'begin') owner.begin()
        else if (what === 'answer') owner.answer(at)
        else queue.rest(owner)
        begun += Math.max(0, owner.open - before)
        answered += Math.max(0, before - owner.open)
        vi.advanceTimersByTime(wait)
      }
      vi.advanceTimersByTime(2 * MS)
      const late = owners.flatMap((owner) => owner.late)
      expect(owners.every(({ open }) => open === 0)).toBe(true)
      expect(late).toHaveLength(begun - answered)
      for (const ms of late) {
        expect(ms).toBeGreaterThanOrEqual(EARLY)
        expect(ms).toBeLessThanOrEqual(LATE)
      }
      expect(vi.getTimerCount()).toBe(0)
    }),
  )
})

test('whoever is told of a call may begin another', () => {
  const queue = new DeadlineQueue(MS)
  let left = 3
  const other = new Calls(queue)
  const again: Calls = new Calls(queue, () => {
    if (left-- > 0) for (const calls of [again, other]) calls.begin()
  })
  again.begin()
  vi.advanceTimersByTime(MS / 2)
  other.begin()
  vi.advanceTimersByTime(5 * MS)
  expect(again.late).toHaveLength(4)
  expect(other.late).toHaveLength(4)
  for (const ms of [...again.late, ...other.late]) expect(ms).toBeLessThanOrEqual(LATE)
  expect(vi.getTimerCount()).toBe(0)
})

test('no timer stays where nobody has calls, and goes on with the next', () => {
  const queue = new DeadlineQueue(MS)
  const [one, other] = [new Calls(queue), new Calls(queue)]
  one.begin()
  other.begin()
  one.answer(0)
  queue.rest(one)
  expect(vi.getTimerCount()).toBe(1)
  other.answer(0)
  queue.rest(other)
  expect(vi.getTimerCount()).toBe(0)
  one.begin()
  vi.advanceTimersByTime(MS + 1)
  expect(one.late).toHaveLength(1)
})
