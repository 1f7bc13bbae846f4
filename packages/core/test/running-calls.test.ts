import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CallContext } from '../src/calls/call-context.js'
import type { ChannelContext } from '../src/calls/channel-context.js'
import { RunningCalls } from '../src/calls/running-calls.js'

const channel = { kind: { localSide: undefined }, publicChannel: { id: 'mine' } } as ChannelContext

function contextOf(id: string | number | null): CallContext {
  return new CallContext('method', id === null ? 'notification' : 'method', channel, id)
}

test('counts those that have not ended, and knows those that somebody waits for by their ids', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'add', 'leave', 'leave', 'cancel', 'cancelAll'),
    at: fc.nat(1_000),
    hasId: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const running = new RunningCalls()
      const all: CallContext[] = []
      let there: CallContext[] = []
      let waitedFor = new Set<CallContext>()
      for (const [index, { what, at, hasId }] of steps.entries()) {
        // Also one that has left already.
        const some = all[at % all.length]
        if (what === 'add') {
          const context = contextOf(hasId ? index : null)
          all.push(context)
          there.push(context)
          if (hasId) waitedFor.add(context)
          running.add(context)
        } else if (what === 'cancelAll') {
          running.cancelAll('all')
          expect(there.every(({ aborted }) => aborted)).toBe(true)
          waitedFor = new Set()
        } else if (some && what === 'leave') {
          running.leave(some)
          there = there.filter((other) => other !== some)
          waitedFor.delete(some)
        } else if (some && some.id !== null) {
          const isWaitedFor = waitedFor.delete(some)
          expect(running.cancel(some.id, 'one')).toBe(isWaitedFor ? some : undefined)
          if (isWaitedFor) expect([some.aborted, some.isAnswered]).toEqual([true, true])
        }
        expect(running.size).toBe(there.length)
        for (const context of all) {
          if (context.id !== null) expect(running.has(context.id)).toBe(waitedFor.has(context))
        }
      }
    }),
  )
})
