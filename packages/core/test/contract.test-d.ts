import {
  type CallOptions,
  type Channel,
  type Client,
  createChannel,
  createClient,
  defineContract,
  type Handlers,
  method,
  notification,
  type Other,
  type ServerChannel,
  type Transport,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    report: method({
      params: z.object({ day: z.coerce.date(), lines: z.number().default(10) }),
      result: z.string().transform((text) => text.length),
    }),
    find: method({
      params: z.object({ name: z.string() }).optional(),
      result: z.array(z.string()),
    }),
    now: method({ result: z.number() }),
    reset: method({ result: z.void() }),
    anything: method(),
    log: notification({ params: z.object({ line: z.string() }) }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    notify: notification({ params: z.object({ text: z.string() }) }),
    refresh: notification(),
  },
})

type Server = typeof contract.server
type Page = typeof contract.client

declare const client: Client<Page, Server>
declare const transport: Transport
const url = 'ws://localhost'

// ── Calling ───────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(createClient(contract, { url })).toEqualTypeOf<Client<Page, Server>>()
expectTypeOf(client.other).toEqualTypeOf<Other<Server>>()
expectTypeOf(client.other.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>()
expectTypeOf(client.other.add).parameters.toEqualTypeOf<
  [params: { a: number; b: number }, options?: CallOptions]
>()
// A caller writes what the schema takes, and gets what it makes.
expectTypeOf(client.other.report({ day: '2026-01-01' })).toEqualTypeOf<Promise<number>>()
expectTypeOf(client.other.anything()).toEqualTypeOf<Promise<unknown>>()
expectTypeOf(client.other.reset()).toEqualTypeOf<Promise<void>>()
expectTypeOf(client.other.log({ line: '' })).toEqualTypeOf<Promise<void>>()

// Params may be left out where the schema allows it, and options still follow.
void client.other.now()
void client.other.now(undefined, { timeout: 5 })
void client.other.find()
void client.other.find({ name: 'x' }, { signal: new AbortController().signal })

void client.other.now(undefined, { idempotencyKey: 'a' })
// @ts-expect-error: a key is text
void client.other.now(undefined, { idempotencyKey: 17 })

// @ts-expect-error: there is no such method
void client.other.sub({ a: 1, b: 2 })
// @ts-expect-error: that is a method of the other side
void client.other.confirm({ text: '' })
// @ts-expect-error: params are missing
void client.other.add()
// @ts-expect-error: one of the params is missing
void client.other.add({ a: 1 })
// @ts-expect-error: one is of the wrong type
void client.other.add({ a: 1, b: '2' })
// @ts-expect-error: one is unknown
void client.other.add({ a: 1, b: 2, c: 3 })
// @ts-expect-error: params are an object, not a list of arguments
void client.other.add(1, 2)
// @ts-expect-error: it takes no params
void client.other.now({ a: 1 })
// @ts-expect-error: there is no such option
void client.other.now(undefined, { timeoutMs: 5 })
// @ts-expect-error: `other` is not to be changed
client.other.add = async () => 1
// @ts-expect-error: `other` is no promise
client.other.then(() => {})

// ── By name ───────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(client.call('add', { a: 1, b: 2 })).toEqualTypeOf<Promise<number>>()
expectTypeOf(client.call('now')).toEqualTypeOf<Promise<number>>()
expectTypeOf(client.notify('log', { line: '' })).toEqualTypeOf<Promise<void>>()

// @ts-expect-error: there is no such method
void client.call('sub')
// @ts-expect-error: a notification is not answered
void client.call('log', { line: '' })
// @ts-expect-error: a wrong param
void client.call('add', { a: 1, b: true })
// @ts-expect-error: params are missing
void client.notify('log')

// ── Handlers ──────────────────────────────────────────────────────────────────────────────────────

const endpoint = createEndpoint(contract, {
  methods: {
    add: (params, context) => {
      expectTypeOf(params).toEqualTypeOf<{ a: number; b: number }>()
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(context.method).toEqualTypeOf<string>()
      expectTypeOf(context.channel).toEqualTypeOf<ServerChannel<Server, Page, unknown>>()
      expectTypeOf(context.identity).toEqualTypeOf<unknown>()
      return params.a + params.b
    },
    // A handler gets what the schema made, and returns what the result's schema takes.
    report: async (params, { channel }) => {
      expectTypeOf(params).toEqualTypeOf<{ day: Date; lines: number }>()
      expectTypeOf(await channel.other.confirm({ text: '' })).toEqualTypeOf<'yes' | 'no'>()
      return 'text'
    },
    find: (params) => {
      expectTypeOf(params).toEqualTypeOf<{ name: string } | undefined>()
      return []
    },
    now: (params) => {
      expectTypeOf(params).toEqualTypeOf<undefined>()
      return Date.now()
    },
    reset: async () => {},
    anything: () => 1,
    log: ({ line }) => void line,
  },
  onConnect: [
    (channel) => {
      expectTypeOf(channel).toEqualTypeOf<ServerChannel<Server, Page, unknown>>()
      return channel.other.refresh()
    },
  ],
})

for (const channel of endpoint.channels) {
  expectTypeOf(channel.other.confirm({ text: '' })).toEqualTypeOf<Promise<'yes' | 'no'>>()
}

declare const all: Handlers<Server, Channel<Server, Page>>
const { log, ...some } = all

// @ts-expect-error: an endpoint serves all of its side; `log` is missing
createEndpoint(contract, { methods: some })
// @ts-expect-error: a result of the wrong type
createEndpoint(contract, { methods: { ...some, log, now: () => 'noon' } })
// @ts-expect-error: a promise of the wrong type
createEndpoint(contract, { methods: { ...some, log, now: async () => 'noon' } })
// @ts-expect-error: there is no such method
createEndpoint(contract, { methods: { ...some, log, sub: () => 1 } })
// @ts-expect-error: params that the schema does not make
createEndpoint(contract, { methods: { ...some, log, find: (name: string) => [name] } })

createClient(contract, {
  url,
  // A client serves as much of its side as it likes.
  methods: {
    confirm: ({ text }, { channel }) => {
      expectTypeOf(text).toEqualTypeOf<string>()
      expectTypeOf(channel).toEqualTypeOf<Client<Page, Server>>()
      return 'yes'
    },
  },
})

// @ts-expect-error: not one of the answers
createClient(contract, { url, methods: { confirm: () => 'maybe' } })
// @ts-expect-error: that is a method of the other side
createClient(contract, { url, methods: { add: () => 1 } })

expectTypeOf(client.expose('confirm', () => 'yes')).toEqualTypeOf<() => void>()
client.expose('notify', ({ text }, { channel }) => {
  expectTypeOf(text).toEqualTypeOf<string>()
  return channel.other.log({ line: text })
})
// @ts-expect-error: there is no such method on this side
client.expose('add', () => 1)
// @ts-expect-error: not one of the answers
client.expose('confirm', () => 'maybe')

// ── Targets ───────────────────────────────────────────────────────────────────────────────────────

createClient(contract, { url: async () => url })
createClient(contract, { transport: ({ signal }) => (signal.aborted ? transport : transport) })
// @ts-expect-error: neither
createClient(contract, {})
// @ts-expect-error: both
createClient(contract, { url, transport: () => transport })

// ── A channel plays one of the two parts ──────────────────────────────────────────────────────────

expectTypeOf(createChannel(contract, { side: 'server', transport })).toEqualTypeOf<
  ServerChannel<Server, Page, undefined>
>()
createChannel(contract, {
  side: 'server',
  transport,
  identity: { name: 'Ada' },
  methods: { add: (_, { identity }) => identity.name.length },
  authorize: (method, { identity }) => method !== 'add' || identity.name === 'Ada',
})
expectTypeOf(createChannel(contract, { side: 'client', transport })).toEqualTypeOf<
  Channel<Page, Server>
>()
// @ts-expect-error: that is the client's
createChannel(contract, { side: 'server', transport, methods: { confirm: () => 'yes' } })

// ── Without a contract ────────────────────────────────────────────────────────────────────────────

interface PlainServer {
  add(params: { a: number; b: number }): number
  later(params?: { ms: number }): Promise<string>
  nothing(): void
}

interface PlainPage {
  ask(params: { text: string }): Promise<boolean>
}

const plain = createClient<PlainServer, PlainPage>({
  url,
  methods: {
    ask: ({ text }, { channel }) => {
      expectTypeOf(text).toEqualTypeOf<string>()
      expectTypeOf(channel.other.nothing()).toEqualTypeOf<Promise<void>>()
      return true
    },
  },
})
expectTypeOf(plain.other.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>()
expectTypeOf(plain.other.later()).toEqualTypeOf<Promise<string>>()
expectTypeOf(plain.other.later({ ms: 1 }, { timeout: 1 })).toEqualTypeOf<Promise<string>>()
expectTypeOf(plain.call('nothing')).toEqualTypeOf<Promise<void>>()

// @ts-expect-error: there is no such method
void plain.other.sub()
// @ts-expect-error: a wrong param
void plain.other.add({ a: 1, b: '2' })
// @ts-expect-error: params are missing
void plain.other.add()
// @ts-expect-error: a result of the wrong type
plain.expose('ask', () => 'yes')
// @ts-expect-error: an endpoint serves all of its side
createEndpoint<PlainServer, PlainPage>({ methods: { add: () => 1 } })

createEndpoint<PlainServer, PlainPage>({
  methods: { add: ({ a, b }) => a + b, later: async () => 'x', nothing: () => {} },
  onConnect: [
    async ({ other }) => {
      expectTypeOf(await other.ask({ text: '' })).toEqualTypeOf<boolean>()
    },
  ],
})
