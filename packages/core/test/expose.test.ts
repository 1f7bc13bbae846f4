import { defineContract, method, notification, RpcConfigError } from '@flashrpc/core'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { pairOf, plainPairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: { add: method(), note: notification() },
  client: {
    ask: method({ result: z.string() }),
    tell: notification({ params: z.object({ n: z.number() }) }),
    sync: method({ result: z.void() }),
  },
})

test('a method goes to the newest of its handlers, and back when that is taken away', async () => {
  const { server, client } = pairOf(contract, { client: { methods: { ask: () => 'given' } } })
  expect(await server.other.ask()).toBe('given')
  const offSecond = client.expose('ask', () => 'second')
  const offThird = client.expose('ask', () => 'third')
  expect(await server.other.ask()).toBe('third')
  offSecond()
  expect(await server.other.ask()).toBe('third')
  offThird()
  expect(await server.other.ask()).toBe('given')
})

test('a method whose last handler is taken away is not mounted', async () => {
  const { server, client } = pairOf(contract)
  const off = client.expose('ask', () => 'here')
  expect(await server.other.ask()).toBe('here')
  off()
  expect(await rejection(server.other.ask())).toMatchObject({
    code: -32601,
    data: { reason: 'not-mounted' },
  })
  client.expose('ask', () => 'here again')
  expect(await server.other.ask()).toBe('here again')
})

test('taking a handler away twice takes away no other', async () => {
  const { server, client } = pairOf(contract)
  const handler = () => 'same'
  const off = client.expose('ask', handler)
  client.expose('ask', handler)
  off()
  off()
  expect(await server.other.ask()).toBe('same')
})

test('a notification is heard by all of its handlers, with params of its schema', async () => {
  const heard: unknown[] = []
  const { server, client } = pairOf(contract, { client: { methods: { sync: () => {} } } })
  client.expose('tell', (params, { method }) => heard.push(['first', params, method]))
  const off = client.expose('tell', () => heard.push('second'))
  await server.other.tell({ n: 1 })
  await server.other.sync()
  expect(heard).toStrictEqual([['first', { n: 1 }, 'tell'], 'second'])
  off()
  await server.other.tell({ n: 2 })
  await server.other.sync()
  expect(heard.slice(2)).toStrictEqual([['first', { n: 2 }, 'tell']])
})

test('a notification that nobody hears is dropped', async () => {
  const errors: unknown[] = []
  const { server } = pairOf(contract, {
    client: { methods: { sync: () => {} }, onError: [(_, error) => errors.push(error)] },
  })
  await server.other.tell({ n: 1 })
  await server.other.sync()
  expect(errors).toMatchObject([{ code: -32601 }])
})

test('a call that runs keeps its handler when that is taken away', async () => {
  let release: (value: string) => void = () => {}
  const { server, client } = pairOf(contract)
  const off = client.expose(
    'ask',
    () =>
      new Promise((resolve) => {
        release = resolve
      }),
  )
  const calling = server.other.ask()
  await server.other.tell({ n: 1 })
  await rejection(server.other.sync())
  off()
  release('still')
  expect(await calling).toBe('still')
})

test('names that are not in the contract cannot be exposed', () => {
  const { client } = pairOf(contract)
  for (const name of ['add', 'unknown', 'toString', '__proto__', '_x', 'rpc.hello', 'then', '']) {
    expect(() => client.expose(name as 'ask', () => 'x')).toThrow(RpcConfigError)
  }
  expect(() => client.expose('unknown' as 'ask', () => 'x')).toThrow(/client side has ask, tell/)
  expect(() => client.expose('ask', 'x' as never)).toThrow(/"ask" must be a function/)
  expect(() => client.expose('add' as 'ask', () => 'x')).toThrow(/call it \(useRpcCall\)$/)
  const { server } = pairOf(contract)
  const text = /has it: call it \(channel\.other\.ask\)$/
  expect(() => server.expose('ask' as 'add', () => 1 as never)).toThrow(text)
  expect(() => pairOf(contract, { client: { methods: { add: () => 1 } as object } })).toThrow(
    RpcConfigError,
  )
})

test('without a contract every name but the forbidden ones can be exposed', async () => {
  const { server, client } = plainPairOf<{ any(params: { n: number }): number }>()
  for (const name of ['toString', '__proto__', '_x', 'rpc.hello', 'then', '']) {
    expect(() => server.expose(name as 'any', () => 1)).toThrow(RpcConfigError)
  }
  const off = server.expose('any', ({ n }) => n + 1)
  expect(await client.other.any({ n: 1 })).toBe(2)
  off()
  expect(await rejection(client.other.any({ n: 1 }))).toMatchObject({ code: -32601 })
})

test('a handler that is undefined is none', async () => {
  const { server } = pairOf(contract, { client: { methods: { ask: undefined } } })
  expect(await rejection(server.other.ask())).toMatchObject({ data: { reason: 'not-mounted' } })
})

test('the signal of a handler aborts with the connection, also when it is asked for later', async () => {
  const signals: AbortSignal[] = []
  let look: () => AbortSignal = () => AbortSignal.abort()
  const { server, client } = pairOf(contract)
  client.expose('ask', (_, context) => {
    if (signals.length === 0) signals.push(context.signal)
    else look = () => context.signal
    return new Promise<string>(() => {})
  })
  const calls = [rejection(server.other.ask()), rejection(server.other.ask())]
  await rejection(server.other.sync())
  expect(signals[0]?.aborted).toBe(false)
  await server.close()
  await Promise.all(calls)
  await new Promise((resolve) => setImmediate(resolve))
  expect(signals[0]?.aborted).toBe(true)
  expect(look().aborted).toBe(true)
  expect(look()).toBe(look())
})

test('the signal of a notification aborts, as that of a call, when the connection is lost', async () => {
  const signals: AbortSignal[] = []
  const keep = (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise<never>(() => void signals.push(signal))
  const { server, client } = pairOf(contract, {
    client: { methods: { ask: keep, tell: keep } },
  })
  const asked = rejection(server.other.ask())
  await server.other.tell({ n: 1 })
  await vi.waitFor(() => expect(signals).toHaveLength(2), { timeout: 10_000 })
  await client.close()
  await asked
  expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
})

describe('a fallback', () => {
  interface Anything {
    own(): string
    any(params?: object): unknown
    items(): AsyncIterable<number>
  }

  test('serves what has no handler, by its name', async () => {
    const heard: unknown[] = []
    const { client, server } = plainPairOf<Anything>({
      server: {
        methods: { own: () => 'own' },
        fallback: (params, { method, kind }) => {
          heard.push([kind, method, params])
          return kind === 'stream' ? [1, 2] : method.length
        },
      },
    })
    expect(await client.other.own()).toBe('own')
    expect(await client.other.any({ n: 1 })).toBe(3)
    expect(await client.call('constructor' as 'any')).toBe(11)
    await client.notify('any')
    const off = server.expose('any', () => 'here now')
    expect(await client.other.any()).toBe('here now')
    off()
    expect(await client.other.any()).toBe(3)
    const items: number[] = []
    for await (const item of client.stream('items')) items.push(item)
    expect(items).toEqual([1, 2])
    expect(heard).toEqual([
      ['method', 'any', { n: 1 }],
      ['method', 'constructor', undefined],
      ['notification', 'any', undefined],
      ['method', 'any', undefined],
      ['stream', 'items', undefined],
    ])
  })

  test('is not asked for the protocol, nor where there is a contract', async () => {
    const fallback = vi.fn(() => 'served')
    const plain = plainPairOf<{ 'rpc.discover'(): unknown }>({ server: { fallback } })
    expect(await rejection(plain.client.call('rpc.discover'))).toMatchObject({ code: -32601 })
    const { server } = pairOf(contract, { client: { fallback } })
    expect(await rejection(server.other.ask())).toMatchObject({
      code: -32601,
      data: { reason: 'not-mounted' },
    })
    expect(fallback).not.toHaveBeenCalled()
  })

  test('is a function', () => {
    const fallback = 'any' as never
    expect(() => plainPairOf({ server: { fallback } })).toThrow(RpcConfigError)
  })
})
