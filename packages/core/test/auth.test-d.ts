import type { IncomingMessage } from 'node:http'
import { createClient, defineContract, type HeadersSource, method } from '@flashrpc/core'
import { type AuthenticateContext, createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {
    greet: method({ params: z.object({ text: z.string() }), result: z.string() }),
    level: method({ result: z.enum(['low', 'high']) }),
  },
  client: {},
})

interface User {
  readonly name: string
  readonly admin: boolean
}
declare const users: Map<string | undefined, User>
declare function find(request: IncomingMessage): Promise<User>

// ── The identity is what `authenticate` returns, wherever it arrives ───────────────────────────────

const endpoint = createEndpoint(contract, {
  authenticate: async (request) => {
    return (await users.get(request.headers.authorization)) as User
  },
  methods: {
    greet: ({ text }, { identity, channel }) => {
      expectTypeOf(identity).toEqualTypeOf<User>()
      expectTypeOf(channel.identity).toEqualTypeOf<User>()
      return `${text}, ${identity.name}`
    },
    level: (_, { identity }) => (identity.admin ? 'high' : 'low'),
  },
  authorize: (name, { identity }) => {
    expectTypeOf(name).toEqualTypeOf<'greet' | 'level'>()
    expectTypeOf(identity).toEqualTypeOf<User>()
    return identity.admin
  },
  onConnect: [(channel) => expectTypeOf(channel.identity).toEqualTypeOf<User>()],
  onDisconnect: [(channel) => expectTypeOf(channel.identity).toEqualTypeOf<User>()],
})
for (const channel of endpoint.channels) expectTypeOf(channel.identity).toEqualTypeOf<User>()

// A value or a promise of it; with a contract or without; before the handlers or behind them.
createEndpoint(contract, {
  authenticate: (request: IncomingMessage, { signal }: AuthenticateContext) => ({
    name: String(request.url),
    admin: signal.aborted,
  }),
  methods: { greet: (_, { identity }) => identity.name, level: () => 'low' },
})
interface Plain {
  greet(params: { text: string }): string
}
createEndpoint<Plain, Record<never, never>, User>({
  methods: { greet: ({ text }, { identity }) => `${text}, ${identity.name}` },
  authenticate: find,
})

createEndpoint(contract, {
  methods: { greet: (_, { identity }) => identity.name, level: () => 'low' },
  authenticate: find,
})
createEndpoint(contract, {
  methods: { greet: (_, { identity }) => identity.name, level: () => 'low' },
  authenticate: async (request: IncomingMessage) => ({ name: String(request.url) }),
})
// Handlers that do not ask for it need no type of it.
createEndpoint(contract, {
  methods: { greet: ({ text }) => text, level: () => 'low' },
  authenticate: (request: IncomingMessage) => find(request),
})

// Of a param without a type too, where it is written before the handlers.
createEndpoint(contract, {
  authenticate: async (request) => ({ roles: [String(request.url)] }),
  authorize: (name, { identity }) => identity.roles.includes(name),
  methods: {
    greet: async (_, { identity, channel }) => {
      expectTypeOf(identity).toEqualTypeOf<{ roles: string[] }>()
      expectTypeOf(channel.identity).toEqualTypeOf<{ roles: string[] }>()
      return ''
    },
    level: () => 'low',
  },
})

// ── Without `authenticate` nothing is known of it ──────────────────────────────────────────────────

createEndpoint(contract, {
  methods: {
    greet: (_, { identity }) => {
      expectTypeOf(identity).toEqualTypeOf<unknown>()
      return ''
    },
    // @ts-expect-error: the contract's levels are low and high
    level: () => 'middle',
  },
})

// ── The client's side ──────────────────────────────────────────────────────────────────────────────

const url = 'wss://example.com'
createClient(contract, { url, headers: { authorization: 'Bearer x' } })
createClient(contract, { url, headers: () => ({ authorization: 'Bearer x' }) })
createClient(contract, { url, headers: async () => ({ cookie: 'session=x' }), proxy: false })
createClient(contract, { url, proxy: 'http://proxy:3128', tls: { ca: ['PEM'] } })
expectTypeOf<() => string>().not.toExtend<HeadersSource>()
