import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdTable } from '../src/calls/id-table.js'
import { PendingCall } from '../src/calls/pending-call.js'

function callOf(id: number): PendingCall {
  return new PendingCall(id, 'method', 'method', undefined)
}

test('holds what a map would, in the order of the ids, however long some calls stay open', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('add'), at: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('delete'), at: fc.nat(1_000) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('delete the latest'), at: fc.nat(40) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const table = new IdTable<PendingCall>()
      const map = new Map<number, PendingCall>()
      let lastId = 0
      const remove = (call: PendingCall | undefined) => {
        if (!call) return
        table.delete(call.id)
        map.delete(call.id)
      }
      for (const { what, at } of steps) {
        const open = [...map.values()]
        if (what === 'add') {
          for (let n = 0; n <= at; n++) {
            const call = callOf(++lastId)
            table.add(call)
            map.set(call.id, call)
          }
        } else if (what === 'delete') remove(open[at % open.length])
        else for (const call of open.slice(-at)) remove(call)
        expect([...table.values()]).toEqual([...map.values()])
        expect(table.size).toBe(map.size)
        for (let id = -1; id <= lastId + 1; id++) expect(table.get(id)).toBe(map.get(id))
      }
    }),
  )
})

test('goes over those that are added meanwhile, and not over those that are deleted', () => {
  const table = new IdTable<PendingCall>()
  const calls = Array.from({ length: 40 }, (_, at) => callOf(at + 1))
  for (const call of calls.slice(0, 3)) table.add(call)
  const seen: number[] = []
  for (const call of table.values()) {
    seen.push(call.id)
    if (call.id === 1) table.delete(2)
    // So many that they need other places.
    if (call.id === 3) for (const later of calls.slice(3)) table.add(later)
  }
  expect(seen).toEqual([1, 3, ...calls.slice(3).map(({ id }) => id)])
})

test('holds what a map would, whatever the ids', () => {
  const id = fc.oneof(
    fc.nat(40),
    fc.nat(40).map((n) => n * 2 ** 10),
    fc.integer(),
    fc.double(),
    fc.constantFrom('1', 'a', 2 ** 53, -(2 ** 40), 1n, undefined, null),
  )
  const step = fc.record({ id, isAdded: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new IdTable<{ id: unknown }>()
      const map = new Map<unknown, { id: unknown }>()
      for (const { id, isAdded } of steps) {
        if (!isAdded) {
          table.delete(id)
          map.delete(id)
        } else if (!map.has(id)) {
          const item = { id }
          table.add(item)
          map.set(id, item)
        }
        for (const { id } of steps) expect(table.get(id)).toBe(map.get(id))
        expect(table.size).toBe(map.size)
      }
    }),
  )
})

test.each([['1'], [null], [undefined], [1n], [{}], [1.5], [Number.NaN], [2 ** 32 + 1]])(
  'knows no call with the id %s, which is none of its own',
  (id) => {
    const table = new IdTable<PendingCall>()
    expect(table.get(id)).toBeUndefined()
    table.add(callOf(1))
    expect(table.get(id)).toBeUndefined()
  },
)

test('finds a call among ids of more than 32 bits', () => {
  const table = new IdTable<PendingCall>()
  const calls = Array.from({ length: 20 }, (_, at) => callOf(2 ** 40 + at))
  for (const call of calls) table.add(call)
  for (const call of calls) expect(table.get(call.id)).toBe(call)
})
