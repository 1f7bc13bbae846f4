import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CallContext, type CallContextHost } from '../src/channel/call-context.js'
import { RunningCalls } from '../src/channel/running-calls.js'

const host: CallContextHost = { localSide: undefined, channel: undefined, identity: undefined }

function contextOf(id: string | number | null): CallContext {
  return new CallContext('method', id === null ? 'notification' : 'method', host, id)
}

test('counts those that run, and those that somebody waits for, in whatever order they end', () => {
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
      let wanted = new Set<CallContext>()
      for (const [index, { what, at, hasId }] of steps.entries()) {
        // Also one that has left already.
        const some = all[at % all.length]
        if (what === 'add') {
          const context = contextOf(hasId ? index : null)
          all.push(context)
          there.push(context)
          wanted.add(context)
          running.add(context)
        } else if (what === 'cancelAll') {
          running.cancelAll('all')
          expect(there.every(({ aborted }) => aborted)).toBe(true)
          there = []
          wanted = new Set()
        } else if (some && what === 'leave') {
          running.leave(some)
          there = there.filter((other) => other !== some)
          wanted.delete(some)
        } else if (some && some.id !== null) {
          running.cancel(some.id, 'one')
          if (there.includes(some)) expect(some.aborted).toBe(true)
          wanted.delete(some)
        }
        expect([running.size, running.wanted]).toEqual([there.length, wanted.size])
        for (const { id } of all) {
          if (id !== null) expect(running.has(id)).toBe(there.some((other) => other.id === id))
        }
      }
    }),
  )
})
