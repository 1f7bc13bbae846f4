import {
  type AnyClient,
  type ClientOptions,
  createClient,
  defineContract,
  ErrorCode,
  type HandlerContext,
  method,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
} from '@flashrpc/core'
import { type Feature, members, presence, sessions, streams } from '@flashrpc/core/features'
import type { AnyServerChannel, MembersItem } from '@flashrpc/core/internal'
import { createClient as createLiteClient } from '@flashrpc/core/lite'
import { createEndpoint as createLiteEndpoint } from '@flashrpc/core/lite/server'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { watchGroup } from './support/watched-group.js'

const contract = defineContract({
  server: { join: method({ params: z.object({ group: z.string(), name: z.string() }) }) },
  client: { confirm: method(), ask: method() },
})
type Server = typeof contract.server
type Page = typeof contract.client
type Options = EndpointOptions<Server, Page>

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const inIt: NonNullable<Options['presence']> = {
  allow: (group, { channel }) => channel.groups.has(group),
}
const anybody: NonNullable<Options['presence']> = { allow: () => true }

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function serve(options: Partial<Options> = {}) {
  const errors: unknown[] = []
  const endpoint = createEndpoint(contract, {
    logger: false,
    onError: [(_, error) => errors.push(error)],
    ...options,
    methods: {
      join: ({ group, name }, { channel }) => channel.join(group, { info: { name } }),
    },
  })
  opened.push(() => endpoint.close())
  const { url, port } = await endpoint.listen()
  return { endpoint, url, port, errors }
}

async function connect(url: string, options: Partial<ClientOptions<Page, Server>> = {}) {
  const client = createClient(contract, {
    url,
    logger: false,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    ...options,
  } as ClientOptions<Page, Server>)
  opened.push(() => client.close())
  await client.connect()
  return client
}

/** Connects a client, and lets it join a group. */
async function joined(
  { endpoint, url }: Pick<Awaited<ReturnType<typeof serve>>, 'endpoint' | 'url'>,
  name: string,
  options: Partial<ClientOptions<Page, Server>> = {},
) {
  const client = await connect(url, options)
  await client.other.join({ group: 'room', name })
  const channel = [...endpoint.channels].find(({ otherId }) => otherId === client.id)
  if (!channel) throw new Error('the client has no channel')
  return { client, channel }
}

describe('who is in a group, told to a client', () => {
  test('all of them, and then each change', async () => {
    const server = await serve({ presence: inIt })
    const ada = await joined(server, 'Ada', { methods: { confirm: () => {} } })
    const watched = watchGroup(ada.client, 'room')
    await polled(() => watched.items).toEqual([
      {
        all: [
          { id: ada.channel.id, isConnected: true, info: { name: 'Ada' }, methods: ['confirm'] },
        ],
        unreached: [],
      },
    ])
    expect(ada.client.state.sessionId).toBe(ada.channel.id)
    const bob = await joined(server, 'Bob')
    const ofBob = () => watched.members.get(bob.channel.id)
    await polled(ofBob).toEqual({
      id: bob.channel.id,
      isConnected: true,
      info: { name: 'Bob' },
      methods: [],
    })
    bob.channel.join('room', { info: { name: 'Robert' } })
    await polled(() => ofBob()?.info).toEqual({ name: 'Robert' })
    bob.client.expose('ask', () => {})
    await polled(() => ofBob()?.methods).toEqual(['ask'])
    bob.channel.leave('room')
    await polled(ofBob).toBeUndefined()
    bob.channel.join('room')
    await polled(ofBob).toEqual({ id: bob.channel.id, isConnected: true, methods: ['ask'] })
    await bob.client.close()
    await polled(ofBob).toBeUndefined()
    expect(watched.items.slice(1).every(({ all }) => all === undefined)).toBe(true)
    watched.stop()
    await polled(() => [watched.isOver, ada.channel.running]).toEqual([true, 0])
  })

  test('a member that has lost its connection stays, until its session ends', async () => {
    const { endpoint, url, port } = await serve({ presence: anybody, resume: {} })
    const ada = await connect(url)
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const bob = await joined({ endpoint, url: proxy.url() }, 'Bob')
    const watched = watchGroup(ada, 'room')
    const isConnected = () => watched.members.get(bob.channel.id)?.isConnected
    await polled(isConnected).toBe(true)
    proxy.refuse()
    proxy.cut()
    await polled(isConnected).toBe(false)
    proxy.accept()
    await polled(isConnected).toBe(true)
    await bob.client.close()
    await polled(isConnected).toBeUndefined()
  })

  test('a watch goes on with its session, and ends with it', async () => {
    const { endpoint, url, port } = await serve({ presence: anybody, resume: {} })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const ada = await connect(proxy.url())
    const watched = watchGroup(ada, 'room')
    await polled(() => watched.items).toHaveLength(1)
    proxy.cut()
    const bob = await joined({ endpoint, url }, 'Bob')
    await polled(() => watched.members.has(bob.channel.id)).toBe(true)
    expect(watched.items.filter(({ all }) => all)).toHaveLength(1)
    for (const channel of endpoint.channels) if (channel.otherId === ada.id) void channel.close()
    await polled(() => watched.error).toBeInstanceOf(RpcDisconnectedError)
  })

  test('a client that reads slowly is told fewer items, and the same members', async () => {
    const server = await serve({ presence: anybody })
    const [ada, bob] = [await connect(server.url), await joined(server, 'Bob')]
    const stream = (ada as AnyClient).stream('rpc.members', { group: 'room' })
    const { value: first } = await stream.next()
    expect((first as MembersItem).all).toHaveLength(1)
    for (let n = 0; n < 2_000; n++) {
      bob.channel.join('room', { info: { n } })
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    let items = 0
    for await (const item of stream) {
      items++
      const { info } = (item as MembersItem).on?.[0] ?? {}
      if ((info as { n?: number } | undefined)?.n === 1_999) break
    }
    expect(items).toBeLessThan(100)
  })

  test('of many members in several items', async () => {
    const server = await serve({ presence: anybody })
    const { client, channel } = await joined(server, 'Ada')
    const others = await Promise.all(Array.from({ length: 149 }, () => connect(server.url)))
    for (const one of server.endpoint.channels) one.join('room')
    const watched = watchGroup(client, 'room')
    await polled(() => watched.unreached).toEqual([])
    expect(watched.members.size).toBe(150)
    expect(watched.items.map(({ all, more }) => [all?.length, more])).toEqual([
      [64, true],
      [64, true],
      [22, undefined],
    ])
    await Promise.all(others.map((other) => other.close()))
    await polled(() => [...watched.members.keys()]).toEqual([channel.id])
  })

  test('it is a stream of one group', async () => {
    const { url } = await serve({ presence: anybody })
    const client: AnyClient = await connect(url)
    expect(await rejection(client.call('rpc.members', { group: 'room' }))).toMatchObject({
      code: ErrorCode.invalidRequest,
    })
    for (const params of [undefined, {}, { group: '' }, { group: 5 }]) {
      const stream = client.stream('rpc.members', params)
      expect(await rejection(stream.next())).toMatchObject({
        code: ErrorCode.invalidParams,
        message: expect.stringContaining('group must be the name of a group'),
      })
    }
  })
})

describe('who may see it', () => {
  test('nobody, unless the option presence is set', async () => {
    const { url } = await serve()
    const watched = watchGroup(await connect(url), 'room')
    await polled(() => watched.error).toMatchObject({
      code: ErrorCode.methodNotFound,
      message: expect.stringContaining('Let it, by the option presence: { allow:'),
    })
  })

  test('whom allow lets, by the group and the caller', async () => {
    const server = await serve({
      authenticate: (request) => ({ isAdmin: request.url === '/?admin' }),
      presence: {
        allow: async (group, { identity, channel }) =>
          (identity as { isAdmin: boolean }).isAdmin || channel.groups.has(group),
      },
    })
    const ada = await connect(server.url)
    const refused = watchGroup(ada, 'room')
    await polled(() => refused.error).toMatchObject({
      name: 'RpcError',
      code: ErrorCode.unauthorized,
      message:
        'Not allowed to see who is in the group "room": presence.allow of the server has returned false for this caller',
    })
    await ada.other.join({ group: 'room', name: 'Ada' })
    const own = watchGroup(ada, 'room')
    const admins = watchGroup(await connect(`${server.url}?admin`), 'room')
    await polled(() => [own.members.size, admins.members.size]).toEqual([1, 1])
    expect(server.errors).toEqual([])
  })

  test('a client that leaves the group sees nothing of it any more', async () => {
    const server = await serve({ presence: inIt })
    const [ada, bob] = [await joined(server, 'Ada'), await joined(server, 'Bob')]
    const watched = watchGroup(ada.client, 'room')
    await polled(() => watched.members.size).toBe(2)
    ada.channel.leave('room')
    bob.channel.join('room', { info: 'secret' })
    await polled(() => watched.error).toMatchObject({ code: ErrorCode.unauthorized })
    expect(watched.members.get(bob.channel.id)?.info).toEqual({ name: 'Bob' })
    await polled(() => ada.channel.running).toBe(0)
  })

  test('a client that leaves the group while it is decided sees nothing of it', async () => {
    const gates: (() => void)[] = []
    const asked = { times: 0 }
    const server = await serve({
      presence: {
        allow: async (group, { channel }) => {
          const isIn = channel.groups.has(group)
          asked.times++
          if (gates.length < 2) await new Promise<void>((resolve) => gates.push(resolve))
          return isIn
        },
      },
    })
    const ada = await joined(server, 'Ada')
    await joined(server, 'Bob')
    const watched = watchGroup(ada.client, 'room')
    await polled(() => asked.times).toBe(1)
    ada.channel.leave('room')
    ada.channel.join('room')
    gates[0]?.()
    // It has left, so it is asked again, and leaves during that, too.
    await polled(() => asked.times).toBe(2)
    ada.channel.leave('room')
    gates[1]?.()
    await polled(() => watched.error).toMatchObject({ code: ErrorCode.unauthorized })
    expect([asked.times, watched.items]).toEqual([3, []])
    await polled(() => ada.channel.running).toBe(0)
  })

  test('a client that leaves the group amid a long list gets no more parts of it', async () => {
    const server = await serve({ presence: inIt })
    const peer = await rawClient(server.url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const call = (id: unknown, method: string, params: object, rpc?: object) =>
      peer.send({ jsonrpc: '2.0', id, method, params, ...(rpc && { rpc }) })
    call('rpc:1', 'rpc.hello', { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000_000 } })
    await peer.nextJson()
    const [own] = server.endpoint.channels
    await Promise.all(Array.from({ length: 199 }, () => connect(server.url)))
    for (const one of server.endpoint.channels) one.join('room')
    call(1, 'rpc.members', { group: 'room' }, { credit: 1 })
    const first = await peer.nextJson()
    expect(first.params.value).toMatchObject({ more: true })
    expect(first.params.value.all).toHaveLength(64)
    own?.leave('room')
    peer.send({ jsonrpc: '2.0', method: 'rpc.credit', params: { id: 1, n: 1 } })
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: ErrorCode.unauthorized } })
  })

  test('a client that leaves the group gets nothing of it that waited for a connection', async () => {
    const { endpoint, url, port } = await serve({ presence: inIt, resume: {} })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const ada = await joined({ endpoint, url: proxy.url() }, 'Ada')
    const bob = await joined({ endpoint, url }, 'Bob')
    const watched = watchGroup(ada.client, 'room')
    await polled(() => watched.members.size).toBe(2)
    proxy.refuse()
    proxy.cut()
    await polled(() => ada.channel.isConnected).toBe(false)
    bob.channel.join('room', { info: 'secret' })
    // Changes are gathered for 50 ms: then they wait for the connection.
    await sleep(150)
    ada.channel.leave('room')
    proxy.accept()
    await polled(() => watched.error).toMatchObject({ code: ErrorCode.unauthorized })
    expect(watched.members.get(bob.channel.id)?.info).toEqual({ name: 'Bob' })
    await polled(() => ada.channel.running).toBe(0)
  })

  test.each([
    ['gets nothing of it that waited for room in the socket', false],
    ['and may still see it gets what waited for room in the socket', true],
  ])('a client that leaves the group %s', async (_, maySee) => {
    let asked = 0
    const endpoint = createEndpoint<object, { fill(params: object): void }>({
      presence: { allow: () => ++asked === 1 || maySee },
      methods: {
        leave: (_: unknown, { channel }: HandlerContext<AnyServerChannel>) => channel.leave('room'),
      },
      logger: false,
    } as never)
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const call = (id: unknown, method: string, params: object, rpc?: object) =>
      peer.send({ jsonrpc: '2.0', id, method, params, ...(rpc && { rpc }) })
    call('rpc:1', 'rpc.hello', { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000_000 } })
    await peer.nextJson()
    const [own] = endpoint.channels
    const other = await connect(url)
    const [bob] = [...endpoint.channels].filter((channel) => channel !== own)
    for (const one of endpoint.channels) one.join('room')
    call(1, 'rpc.members', { group: 'room' }, { credit: 100 })
    expect((await peer.nextJson()).params.value.all).toHaveLength(2)
    // The client stops to read, until the socket of the server has no room.
    peer.socket.pause()
    const params = { text: 'x'.repeat(500_000) }
    const filled = Array.from({ length: 40 }, () => own?.notify('fill', params).catch(() => {}))
    bob?.join('room', { info: 'secret' })
    await sleep(150)
    call(2, 'leave', {})
    await polled(() => own?.groups.size).toBe(0)
    peer.socket.resume()
    let hasLeft = false
    const after: unknown[] = []
    for (let frame = ''; !(maySee ? frame.includes('secret') : hasLeft && after.length > 0); ) {
      frame = await peer.next()
      if (frame.includes('"fill"')) continue
      const message = JSON.parse(frame)
      if (message.id === 2) hasLeft = true
      else if (hasLeft || message.id === 1) after.push(message)
    }
    await Promise.all(filled)
    expect(asked).toBe(2)
    expect(after).toMatchObject([
      maySee
        ? { method: 'rpc.item', params: { value: { on: [{ id: bob?.id, info: 'secret' }] } } }
        : { id: 1, error: { code: ErrorCode.unauthorized } },
    ])
    await other.close()
  })

  test('an allow that fails tells the caller nothing of it, but an RpcError is told', async () => {
    const server = await serve({
      presence: {
        allow: (group) => {
          if (group === 'told') throw new RpcError(4001, 'Ask your admin')
          throw new Error('the database is away')
        },
      },
    })
    const client = await connect(server.url)
    const [failed, told] = [watchGroup(client, 'room'), watchGroup(client, 'told')]
    await polled(() => failed.error).toMatchObject({
      code: ErrorCode.internal,
      message: expect.not.stringContaining('database'),
    })
    await polled(() => told.error).toMatchObject({ code: 4001, message: 'Ask your admin' })
    expect(server.errors).toMatchObject([{ message: 'the database is away' }])
  })
})

describe('what a channel joins with', () => {
  test('is bounded, and must be carried', async () => {
    const server = await serve({ presence: anybody })
    const { channel } = await joined(server, 'Ada')
    expect(() => channel.join('room', { info: 'x'.repeat(5_000) })).toThrow(
      'At most 4096 are allowed',
    )
    expect(() => channel.join('room', { info: 5n })).toThrow("info can't be told to others")
  })
})

describe('without all features', () => {
  const methods = { join: () => {} }

  test('the option names those that it needs', () => {
    const make = (features: readonly Feature[]) => () =>
      createLiteEndpoint<{ join(): void }>({ methods, presence: { allow: () => true }, features })
    expect(make([])).toThrow('The option "presence" needs a feature: add members() to features')
    expect(make([members()])).toThrow('add streams() to features')
    expect(make([streams()])).toThrow('add members() to features')
  })

  test('a client needs streams() only', async () => {
    const endpoint = createLiteEndpoint<{ join(): void }>({
      logger: false,
      presence: { allow: () => true },
      features: [members(), streams(), presence(), sessions()],
      methods: { join: (_: unknown, { channel }) => channel.join('room', { info: 'Ada' }) },
    })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const client = createLiteClient<{ join(): void }>({ url, logger: false, features: [streams()] })
    opened.push(() => client.close())
    await client.call('join')
    const watched = watchGroup(client, 'room')
    await polled(() => [...watched.members.values()]).toMatchObject([{ info: 'Ada' }])
  })

  test('a server that lacks members() says that there is no such request', async () => {
    const endpoint = createLiteEndpoint<{ join(): void }>({
      logger: false,
      features: [streams()],
      methods,
    })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const client = await connect(url)
    const watched = watchGroup(client, 'room')
    await polled(() => watched.error).toMatchObject({ code: ErrorCode.methodNotFound })
  })
})

describe('a call of the application', () => {
  test('by a name that the contract does not have is refused as ever', async () => {
    const { url } = await serve()
    const client: AnyClient = await connect(url)
    expect(await rejection(client.call('joyn'))).toBeInstanceOf(RpcConfigError)
  })
})
