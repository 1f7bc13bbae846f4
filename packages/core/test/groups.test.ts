import {
  type ClientOptions,
  type Codec,
  createChannel,
  createClient,
  createGroup,
  defineContract,
  jsonCodec,
  memoryTransportPair,
  method,
  notification,
  RpcConfigError,
  RpcDisconnectedError,
  RpcOverloadedError,
  RpcTimeoutError,
  type ServerChannel,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: { join: method({ params: z.object({ group: z.string() }) }) },
  client: {
    tell: notification({ params: z.object({ text: z.unknown() }) }),
    ask: method({ params: z.object({ text: z.string() }), result: z.string() }),
  },
})
type Server = typeof contract.server
type Page = typeof contract.client

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(options: Partial<EndpointOptions<Server, Page>> = {}) {
  const endpoint = createEndpoint(contract, {
    ...options,
    methods: { join: ({ group }, { channel }) => channel.join(group) },
  })
  const { url, port } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return { endpoint, url, port }
}

async function connect(
  url: string,
  name: string,
  options: Partial<ClientOptions<Page, Server>> = {},
) {
  const heard: unknown[] = []
  const client = createClient(contract, {
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    methods: { tell: ({ text }) => heard.push(text), ask: async ({ text }) => `${name}: ${text}` },
    ...options,
  } as ClientOptions<Page, Server>)
  opened.push(() => client.close())
  await client.connect()
  return { client, heard, name }
}

const namesOf = (outcomes: readonly { status: string; value?: string }[]) =>
  outcomes.map((outcome) => outcome.value?.split(':')[0])

describe('a group of an endpoint', () => {
  test('has those that have joined it, until they leave or go', async () => {
    const { endpoint, url } = await serve()
    const [a, b, c] = [await connect(url, 'a'), await connect(url, 'b'), await connect(url, 'c')]
    for (const { client } of [a, b]) await client.other.join({ group: 'room' })
    await c.client.other.join({ group: 'other' })
    const room = endpoint.group('room')
    expect(room.size).toBe(2)
    expect(await room.notify('tell', { text: 'hi' })).toBe(2)
    expect(namesOf(await room.call('ask', { text: '?' }))).toEqual(['a', 'b'])
    await polled(() => [a.heard, b.heard, c.heard]).toEqual([['hi'], ['hi'], []])

    const [first] = room
    expect(first?.groups).toEqual(new Set(['room']))
    first?.leave('room')
    first?.leave('room')
    expect(namesOf(await room.call('ask', { text: '?' }))).toEqual(['b'])
    await b.client.close()
    await polled(() => room.size).toBe(0)
    expect(await room.call('ask', { text: '?' })).toEqual([])
    expect(endpoint.all.size).toBe(2)
  })

  test('may be joined twice, and then has it once', async () => {
    const { endpoint, url } = await serve()
    const { client, heard } = await connect(url, 'a')
    await client.other.join({ group: 'room' })
    await client.other.join({ group: 'room' })
    expect(await endpoint.group('room').notify('tell', { text: 1 })).toBe(1)
    await polled(() => heard).toEqual([1])
  })

  test('is nothing a channel can join that has ended', async () => {
    const { endpoint, url } = await serve()
    const { client } = await connect(url, 'a')
    const [channel] = endpoint.channels
    await client.close()
    await polled(() => endpoint.channels.size).toBe(0)
    channel?.join('room')
    expect([channel?.groups.size, endpoint.group('room').size]).toEqual([0, 0])
  })

  test('outlives a lost connection, in a session', async () => {
    const { endpoint, port } = await serve({ resume: {} })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { client, heard } = await connect(proxy.url(), 'a')
    await client.other.join({ group: 'room' })
    proxy.refuse()
    proxy.cut()
    await until(client, 'reconnecting')
    // Kept for it, and waited for by nobody.
    expect(await endpoint.group('room').notify('tell', { text: 'while away' })).toBe(1)
    expect(heard).toEqual([])
    proxy.heal()
    await polled(() => heard).toEqual(['while away'])
    expect(endpoint.group('room').size).toBe(1)
  })

  test('leaves nothing behind when the last has gone', async () => {
    const { endpoint, url } = await serve()
    const { client } = await connect(url, 'a')
    const [channel] = endpoint.channels
    for (let n = 0; n < 1_000; n++) {
      channel?.join(`user:${n}`)
      if (n % 2 === 0) channel?.leave(`user:${n}`)
    }
    expect(channel?.groups.size).toBe(500)
    await client.close()
    await polled(() => channel?.groups.size).toBe(0)
    expect(endpoint.group('user:1').size).toBe(0)
  })

  test.each(['', 5, undefined, null])('is not called %j', async (name) => {
    const { endpoint, url } = await serve()
    await connect(url, 'a')
    const [channel] = endpoint.channels
    const wrong = name as string
    for (const act of [
      () => endpoint.group(wrong),
      () => channel?.join(wrong),
      () => channel?.leave(wrong),
      () => createGroup(() => [], wrong),
    ]) {
      expect(act).toThrow(RpcConfigError)
      expect(act).toThrow(/A group's name is text, such as "user:42"/)
    }
  })
})

test('channels that no endpoint made have groups, too', async () => {
  const channels: ServerChannel<Server, Page, undefined>[] = []
  const heard: unknown[] = []
  for (const name of ['a', 'b']) {
    const [left, right] = memoryTransportPair()
    const methods = { join: () => {} }
    const channel = createChannel(contract, { side: 'server', transport: left, methods })
    createChannel(contract, {
      side: 'client',
      transport: right,
      methods: { tell: ({ text }) => heard.push([name, text]) },
    })
    channels.push(channel)
  }
  channels[1]?.join('room')
  const room = createGroup<Page, (typeof channels)[number]>(() => channels, 'room')
  expect(await room.notify('tell', { text: 1 })).toBe(1)
  await polled(() => heard).toEqual([['b', 1]])
})

describe('some of an audience', () => {
  test('are left out by themselves, by their ids, or by many', async () => {
    const { endpoint, url } = await serve()
    for (const name of ['a', 'b', 'c']) await connect(url, name)
    const [a, b, c] = endpoint.all
    if (!a || !b || !c) throw new Error('There are three')
    const namesWithout = async (left: Parameters<typeof endpoint.all.except>[0]) =>
      namesOf(await endpoint.all.except(left).call('ask', { text: '?' }))
    expect(await namesWithout(a)).toEqual(['b', 'c'])
    expect(await namesWithout(b.id)).toEqual(['a', 'c'])
    expect(await namesWithout([a, c.id])).toEqual(['b'])
    expect(await namesWithout(endpoint.all)).toEqual([])
    expect(await namesWithout('nobody')).toEqual(['a', 'b', 'c'])
    expect(endpoint.all.except(a).except(b).size).toBe(1)
    expect(() => endpoint.all.except([a, undefined as never])).toThrow(
      'except takes channels, their ids, or several of either, not undefined',
    )
  })

  test('are limits.groups for one channel, which joins no more until it leaves one', async () => {
    const { endpoint, url } = await serve({ limits: { groups: 2 } })
    await connect(url, 'a')
    const [a] = endpoint.all
    a?.join('one')
    a?.join('two')
    a?.join('two')
    expect(() => a?.join('three')).toThrow(RpcOverloadedError)
    expect(() => a?.join('three')).toThrow(
      'The channel is in 2 groups, and can\'t join "three": leave one, or raise limits.groups',
    )
    expect(endpoint.group('three').size).toBe(0)
    a?.leave('one')
    a?.join('three')
    expect([...(a?.groups ?? [])]).toEqual(['two', 'three'])
  })

  test('are those of the moment of the call', async () => {
    const { endpoint, url } = await serve()
    const { client } = await connect(url, 'a')
    const [a] = endpoint.all
    const others = endpoint.all.except(a ?? '')
    await connect(url, 'b')
    expect(namesOf(await others.call('ask', { text: '?' }))).toEqual(['b'])
    await client.close()
  })
})

describe('a notification to many', () => {
  /** JSON that counts what it makes, besides hellos. */
  function counting() {
    const made: string[] = []
    const codec: Codec = {
      ...jsonCodec,
      name: 'counted',
      encode: (message) => {
        const text = JSON.stringify(message)
        made.push(text)
        return text
      },
    }
    return { codec, made }
  }

  test('is made a frame of once', async () => {
    const { codec, made } = counting()
    const { endpoint, url } = await serve({ codec })
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        connect(url, String(n), { codec: { ...codec, encode: jsonCodec.encode } }),
      ),
    )
    made.length = 0
    expect(await endpoint.all.notify('tell', { text: 'once' })).toBe(20)
    expect(made).toEqual(['{"jsonrpc":"2.0","method":"tell","params":{"text":"once"}}'])
    for (const { heard } of all) await polled(() => heard).toEqual(['once'])
  })

  test('has bytes for those that take them; who does not keeps nobody from it', async () => {
    const errors: unknown[] = []
    const { endpoint, url } = await serve({ onError: [(_, error) => errors.push(error)] })
    const { heard } = await connect(url, 'a')
    await using plain = await rawClient(url)
    plain.send({ jsonrpc: '2.0', id: 1, method: 'join', params: { group: 'plain' } })
    await plain.nextJson()
    expect(endpoint.all.size).toBe(2)
    expect(await endpoint.all.notify('tell', { text: Uint8Array.of(1, 2) })).toBe(1)
    await polled(() => heard).toEqual([Uint8Array.of(1, 2)])
    expect(errors.map(String)).toEqual([expect.stringMatching(/"tell" was not sent: .*Uint8Array/)])
  })

  test('that can’t be sent is sent to nobody, and says why', async () => {
    const errors: unknown[] = []
    const { endpoint, url } = await serve({ onError: [(_, error) => errors.push(error)] })
    for (const name of ['a', 'b']) await connect(url, name)
    expect(await endpoint.all.notify('tell', { text: 10n })).toBe(0)
    expect(await endpoint.all.notify('other' as 'tell', { text: 1 })).toBe(0)
  })
})

describe('targets that are slow, or gone', () => {
  test('hold up nobody: each has its outcome, once, when it has it', async () => {
    const { endpoint, url, port } = await serve({ heartbeat: false })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    await connect(url, 'quick')
    const { client: leaving } = await connect(url, 'leaving', {
      methods: { ask: () => new Promise(() => {}) },
    })
    await connect(proxy.url(), 'stalled')
    await connect(url, 'unmounted', { methods: {} })
    proxy.stall()
    const names: (string | undefined)[] = []
    const begin = performance.now()
    let quickAfter = 0
    const errors: unknown[] = []
    const asked = endpoint.all.each('ask', { text: '?' }, { timeout: 1_000 })
    setTimeout(() => void leaving.close(), 50)
    for await (const outcome of asked) {
      names.push(outcome.status === 'ok' ? outcome.value.split(':')[0] : outcome.error.name)
      if (outcome.status === 'ok') quickAfter = performance.now() - begin
      else errors.push(outcome.error)
    }
    expect([...names].sort()).toEqual([
      'RpcDisconnectedError',
      'RpcError',
      'RpcTimeoutError',
      'quick',
    ])
    expect(names.at(-1)).toBe('RpcTimeoutError')
    expect(quickAfter).toBeLessThan(900)
    expect(errors).toContainEqual(expect.any(RpcTimeoutError))
    expect(errors).toContainEqual(expect.any(RpcDisconnectedError))
    expect(errors).toContainEqual(expect.objectContaining({ data: { reason: 'not-mounted' } }))
    // And whoever reads is told, whoever does not.
    expect(await endpoint.all.notify('tell', { text: 1 })).toBe(3)
    proxy.heal()
  })
})
