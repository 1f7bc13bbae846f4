import {
  type At,
  type Client,
  createChannel,
  createClient,
  defineContract,
  type HandlersByPath,
  type MethodName,
  method,
  type Name,
  notification,
  type Other,
  type Path,
  type RpcStream,
  type StreamName,
  stream,
  type Transport,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Groups of methods. Checked by `tsc`; never run. */

const Id = z.object({ id: z.string() })
const contract = defineContract({
  server: {
    users: {
      get: method({ params: Id, result: z.object({ id: z.string(), role: z.enum(['a', 'b']) }) }),
      watch: stream({ params: Id, item: z.number() }),
      admin: { remove: method({ params: Id, result: z.boolean() }) },
    },
    ping: method({ result: z.string() }),
  },
  client: {
    page: {
      ask: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
      toast: notification({ params: z.object({ text: z.string() }) }),
    },
  },
})
type Server = typeof contract.server
type Page = typeof contract.client
declare const client: Client<Page, Server>
declare const transport: Transport
const url = 'ws://localhost'

// ── Names ─────────────────────────────────────────────────────────────────────────────────────────

expectTypeOf<Name<Server>>().toEqualTypeOf<
  'users.get' | 'users.watch' | 'users.admin.remove' | 'ping'
>()
expectTypeOf<Path<Server>>().toEqualTypeOf<Name<Server> | 'users' | 'users.admin'>()
expectTypeOf<MethodName<Server>>().toEqualTypeOf<'users.get' | 'users.admin.remove' | 'ping'>()
expectTypeOf<StreamName<Server>>().toEqualTypeOf<'users.watch'>()
expectTypeOf<At<Server, 'users.admin.remove'>>().toEqualTypeOf<Server['users']['admin']['remove']>()
// biome-ignore lint/suspicious/noExplicitAny: the names of a side of which nothing is known
expectTypeOf<Name<any>>().toEqualTypeOf<string>()

// ── Calls ─────────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(createClient(contract, { url })).toEqualTypeOf<Client<Page, Server>>()
expectTypeOf(client.other.users).toEqualTypeOf<Other<Server['users']>>()
expectTypeOf(client.other.users.admin.remove({ id: '1' })).toEqualTypeOf<Promise<boolean>>()
expectTypeOf(client.other.users.watch({ id: '1' })).toEqualTypeOf<RpcStream<number>>()
expectTypeOf(client.call('users.admin.remove', { id: '1' })).toEqualTypeOf<Promise<boolean>>()
expectTypeOf(client.stream('users.watch', { id: '1' })).toEqualTypeOf<RpcStream<number>>()
// @ts-expect-error there is no such method
client.other.users.remove
// @ts-expect-error id is missing
void client.other.users.get({})
// @ts-expect-error a group can't be called
void client.other.users({ id: '1' })
// @ts-expect-error a group can't be called
void client.call('users', { id: '1' })
// @ts-expect-error there is no such path
void client.call('users.remove', { id: '1' })
// @ts-expect-error a stream is not a method
void client.call('users.watch', { id: '1' })

// ── Handlers ──────────────────────────────────────────────────────────────────────────────────────

client.expose('page.ask', ({ text }, { channel }) => {
  expectTypeOf(text).toEqualTypeOf<string>()
  void channel.other.users.get({ id: text })
  return 'yes'
})
// @ts-expect-error the answer is 'yes' or 'no'
client.expose('page.ask', () => 'maybe')
// @ts-expect-error a group has no handler
client.expose('page', () => 'yes')

createClient(contract, { url, methods: { page: { ask: async () => 'yes' } } })
// @ts-expect-error the answer is 'yes' or 'no'
createClient(contract, { url, methods: { page: { ask: () => 'maybe' } } })
// @ts-expect-error there is no such method
createClient(contract, { url, methods: { page: { ask: () => 'yes', say: () => 1 } } })
createChannel(contract, { side: 'client', transport, methods: { page: { toast: () => {} } } })

createEndpoint(contract, {
  authenticate: async (request) => ({ user: request.url ?? '' }),
  authorize: (name) => {
    expectTypeOf(name).toEqualTypeOf<Name<Server>>()
    return true
  },
  methods: {
    users: {
      get: ({ id }, { identity, channel }) => {
        expectTypeOf(identity).toEqualTypeOf<{ user: string }>()
        expectTypeOf(channel.other.page.ask({ text: id })).toEqualTypeOf<Promise<'yes' | 'no'>>()
        return { id, role: 'a' }
      },
      watch: async function* () {
        yield 1
      },
      admin: { remove: ({ id }) => id === '1' },
    },
    ping: () => 'pong',
  },
})
const rest = { watch: async function* () {}, admin: { remove: () => true } }
createEndpoint(contract, {
  // @ts-expect-error get is missing
  methods: { users: rest, ping: () => 'pong' },
})
createEndpoint(contract, {
  methods: {
    users: {
      ...rest,
      // @ts-expect-error it is 'a' or 'b'
      get: ({ id }) => ({ id, role: 'c' }),
    },
    ping: () => 'pong',
  },
})

// ── Groups of channels ────────────────────────────────────────────────────────────────────────────

const endpoint = createEndpoint(contract, { authenticate: async () => ({ user: 'me' }) })
void endpoint.all.notify('page.toast', { text: 'hi' })
void endpoint.all.call('page.ask', { text: 'hi' }).then(([first]) => {
  if (first?.status === 'ok') expectTypeOf(first.value).toEqualTypeOf<'yes' | 'no'>()
})
// @ts-expect-error a group can't be called
void endpoint.all.call('page', { text: 'hi' })
for (const channel of endpoint.channels) channel.has('page.ask')

// ── implement: the handlers may use the endpoint, and say nothing of their types ──────────────────

async function confirmAll(text: string) {
  const [first] = await endpoint.all.call('page.ask', { text })
  return first?.status === 'ok' && first.value === 'yes'
}

endpoint.implement({
  users: {
    get: ({ id }, { identity }) => ({ id: identity.user + id, role: 'b' }),
    watch: async function* () {
      yield endpoint.channels.size
    },
    admin: { remove: ({ id }) => confirmAll(id) },
  },
  ping: () => `${endpoint.channels.size}`,
})
endpoint.implement({
  'users.get': ({ id }) => ({ id, role: 'b' }),
  'users.watch': async function* () {
    yield endpoint.channels.size
  },
  'users.admin.remove': ({ id }) => confirmAll(id),
  ping: async () => `${endpoint.channels.size}`,
})
endpoint.implement('users.admin', { remove: ({ id }) => confirmAll(id) })
endpoint.implement('users.get', ({ id }) => ({ id, role: 'a' }))
// @ts-expect-error remove is missing
endpoint.implement('users.admin', {})
// @ts-expect-error it is 'a' or 'b'
endpoint.implement('users.get', ({ id }) => ({ id, role: 'c' }))
// @ts-expect-error there is no such path
endpoint.implement('users.got', () => 1)
// @ts-expect-error handlers are missing
endpoint.implement({ ping: () => 'pong' })

const byPath: HandlersByPath<Server> = {
  'users.get': ({ id }) => ({ id, role: 'b' }),
  'users.watch': async function* () {},
  'users.admin.remove': () => true,
  ping: () => 'pong',
}
void byPath

// ── Without a contract ────────────────────────────────────────────────────────────────────────────

interface Plain {
  add(params: { a: number }): number
  users: { get(params: { id: string }): { id: string }; watch(): AsyncIterable<number> }
}
const plain = createClient<Plain>({ url })
expectTypeOf(plain.other.users.get({ id: '1' })).toEqualTypeOf<Promise<{ id: string }>>()
expectTypeOf(plain.stream('users.watch')).toEqualTypeOf<RpcStream<number>>()
// @ts-expect-error without a contract, streams are called by name
plain.other.users.watch
createEndpoint<Plain>({
  methods: {
    add: ({ a }) => a,
    users: { get: ({ id }) => ({ id }), watch: async function* () {} },
  },
})

// ── Handlers beside groups are checked as without groups ─────────────────────────────────────────

const flat = defineContract({ server: { greet: method({ result: z.string() }) } })
// @ts-expect-error greet returns a string
createEndpoint(flat, { methods: { greet: () => 1 } })
// @ts-expect-error greet returns a string
createEndpoint(contract, { methods: { users: { ...rest, get: () => 1 }, ping: () => 1 } })
// @ts-expect-error greet is a function
createEndpoint(flat, { methods: { greet: { greet: () => '' } } })
