import type { IncomingMessage } from 'node:http'
import { defineContract, method } from '@flashrpc/core'
import { createLoopback } from '@flashrpc/electron/loopback'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: { greet: method({ params: z.object({ text: z.string() }), result: z.string() }) },
  client: { confirm: method({ result: z.boolean() }) },
})

// ── The identity is what `identify` returns, wherever it arrives ───────────────────────────────────

const loopback = await createLoopback(contract, {
  origins: ['app://demo'],
  identify: async (request: IncomingMessage) => ({ window: Number(request.url) }),
  methods: {
    greet: async ({ text }, { identity, channel }) => {
      expectTypeOf(text).toEqualTypeOf<string>()
      expectTypeOf(identity).toEqualTypeOf<{ window: number }>()
      expectTypeOf(await channel.other.confirm()).toEqualTypeOf<boolean>()
      return text
    },
  },
  authorize: (name, { identity }) => {
    expectTypeOf(name).toEqualTypeOf<'greet'>()
    return identity.window > 0
  },
  onConnect: [(channel) => expectTypeOf(channel.identity).toEqualTypeOf<{ window: number }>()],
})
for (const channel of loopback.channels) {
  expectTypeOf(channel.identity).toEqualTypeOf<{ window: number }>()
  expectTypeOf(channel.other.confirm).returns.toEqualTypeOf<Promise<boolean>>()
}

// ── Without it nothing is known; the contract's types hold ─────────────────────────────────────────

await createLoopback(contract, {
  origins: [],
  methods: {
    greet: (_, { identity }) => {
      expectTypeOf(identity).toEqualTypeOf<unknown>()
      return ''
    },
  },
})
// @ts-expect-error: origins are required
await createLoopback(contract, { methods: { greet: () => '' } })
// @ts-expect-error: greet returns a string
await createLoopback(contract, { origins: [], methods: { greet: () => 1 } })
// @ts-expect-error: a loopback has identify in place of authenticate
await createLoopback(contract, { origins: [], authenticate: () => 1, methods: { greet: () => '' } })

// ── Without a contract ─────────────────────────────────────────────────────────────────────────────

interface Plain {
  greet(params: { text: string }): string
}
await createLoopback<Plain>({ origins: [], methods: { greet: ({ text }) => text } })

// ── Handlers that are given later may use the loopback, and say nothing of its type ────────────────

const later = await createLoopback(contract, {
  origins: [],
  identify: () => ({ window: 1 }),
  presence: {
    allow: (group, { channel, identity }) => {
      expectTypeOf(identity).toEqualTypeOf<{ window: number }>()
      return channel.groups.has(group)
    },
  },
})
later.implement({
  greet: async (_, { identity }) => {
    expectTypeOf(identity).toEqualTypeOf<{ window: number }>()
    const [first] = await later.all.call('confirm')
    return String(first?.status === 'ok' && first.value)
  },
})
later.implement('greet', () => `${later.channels.size}`)
// @ts-expect-error: greet returns a string
later.implement('greet', () => later.channels.size)
// @ts-expect-error: there is no such method
later.implement('greets', () => '')
