import { createClient, defineContract, method, RpcConfigError, stream } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf } from './support/pair.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: {
    work: method({
      params: z.object({ steps: z.number() }),
      result: z.string(),
      progress: z.number().max(1_000_000),
    }),
    silent: method(),
    ticks: stream({ item: z.number() }),
  },
  client: { render: method({ progress: z.object({ percent: z.number() }) }) },
})
type Options = EndpointOptions<typeof contract.server, typeof contract.client>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(options: Partial<Options> = {}) {
  const errors: unknown[] = []
  const endpoint = createEndpoint(contract, {
    onError: [(_, error) => errors.push(error)],
    ...options,
    methods: {
      work: async ({ steps }, { progress }) => {
        for (let n = 1; n <= steps; n++) progress(n)
        return 'done'
      },
      silent: () => {},
      ticks: () => [],
      ...options.methods,
    },
  })
  const { url, port } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return { endpoint, url, port, errors }
}

function connect(url: string, options: object = {}) {
  const errors: unknown[] = []
  const client = createClient(contract, {
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    onError: [(_: unknown, error: unknown) => errors.push(error)],
    ...options,
  } as { url: string })
  opened.push(() => client.close())
  return { client, other: client.other, errors }
}

describe('progress', () => {
  test('is told in its order, and all of it before the answer', async () => {
    const { other } = connect((await serve()).url)
    const heard: number[] = []
    const onProgress = (value: number) => heard.push(value)
    expect(await other.work({ steps: 100 }, { onProgress })).toBe('done')
    expect(heard.at(-1)).toBe(100)
    expect(heard).toEqual([...heard].sort((a, b) => a - b))
  })

  test('comes from a page, too', async () => {
    const { endpoint, url } = await serve()
    const { client } = connect(url, {
      methods: {
        render: (_: unknown, { progress }: { progress: (value: object) => void }) =>
          progress({ percent: 50 }),
      },
    })
    await client.connect()
    const [channel] = endpoint.channels
    const heard: unknown[] = []
    await channel?.other.render(undefined, { onProgress: (value) => heard.push(value) })
    expect(heard).toEqual([{ percent: 50 }])
  })

  test('is not sent where nobody listens', async () => {
    const { url } = await serve()
    await using peer = await rawClient(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'work', params: { steps: 5 } })
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","id":1,"result":"done"}')
  })

  test('is sent as it is written', async () => {
    const { url } = await serve()
    await using peer = await rawClient(url)
    peer.send({
      jsonrpc: '2.0',
      id: 'a',
      method: 'work',
      rpc: { progress: true },
      params: { steps: 1 },
    })
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","method":"rpc.progress","params":{"id":"a","value":1}}',
    )
    expect(await peer.next()).toBe('{"jsonrpc":"2.0","id":"a","result":"done"}')
  })

  test('tells a listener that is busy the newest there is by then, and the last of all', async () => {
    let go = () => {}
    const { server, client } = pairOf(contract, {
      server: {
        methods: {
          work: async ({ steps }, { progress }) => {
            for (let n = 1; n <= steps; n++) {
              progress(n)
              await new Promise((resolve) => setTimeout(resolve, 1))
            }
            await new Promise<void>((resolve) => (go = resolve))
            progress(1_000)
            return 'done'
          },
        },
      },
    })
    const heard: number[] = []
    const releases: (() => void)[] = []
    const onProgress = (value: number) => {
      heard.push(value)
      return new Promise<void>((resolve) => releases.push(resolve))
    }
    const work = client.other.work({ steps: 20 }, { onProgress })
    await polled(() => heard).toEqual([1])
    await new Promise((resolve) => setTimeout(resolve, 60))
    releases.shift()?.()
    await polled(() => heard).toEqual([1, 20])
    go()
    expect(await work).toBe('done')
    // Though it is busy still: a bar that ends at 99 % is wrong.
    expect(heard).toEqual([1, 20, 1_000])
    for (const release of releases) release()
    await Promise.all([server.close(), client.close()])
  })

  test('is sent as its newest, once there is room, where the other side does not read', async () => {
    let step = 0
    let isOver = false
    const { port } = await serve({
      heartbeat: false,
      resume: {},
      methods: {
        work: async (_: unknown, { progress }: { progress: (n: number) => void }) => {
          while (!isOver) {
            for (let n = 0; n < 200; n++) progress(++step)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          progress(1_000_000)
          return 'done'
        },
      } as never,
    })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { client, other } = connect(proxy.url(), { heartbeat: false })
    await client.connect()
    const heard: number[] = []
    const work = other.work({ steps: 0 }, { onProgress: (value) => heard.push(value) })
    await polled(() => heard.length).toBeGreaterThan(0)
    proxy.stall()
    await polled(() => step).toBeGreaterThan(20_000)
    isOver = true
    proxy.heal()
    expect(await work).toBe('done')
    expect(heard.at(-1)).toBe(1_000_000)
    expect(heard).toEqual([...heard].sort((a, b) => a - b))
    // As many as a session sends ahead, and then the newest.
    expect(heard.length).toBeLessThan(step / 4)
  })

  test('goes on over the next connection, in a session', async () => {
    const { port } = await serve({
      resume: {},
      methods: {
        work: async ({ steps }: { steps: number }, { progress }: { progress(n: number): void }) => {
          for (let n = 1; n <= steps; n++) {
            progress(n)
            await new Promise((resolve) => setTimeout(resolve, 2))
          }
          return 'done'
        },
      } as never,
    })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { client, other } = connect(proxy.url())
    const heard: number[] = []
    const work = other.work({ steps: 150 }, { onProgress: (value) => heard.push(value) })
    for (let cuts = 0; cuts < 3; cuts++) {
      await until(client, 'connected')
      await new Promise((resolve) => setTimeout(resolve, 30))
      proxy.cut()
      await until(client, 'reconnecting')
    }
    expect(await work).toBe('done')
    expect(heard.at(-1)).toBe(150)
    expect(new Set(heard).size).toBe(heard.length)
    expect(heard).toEqual([...heard].sort((a, b) => a - b))
  })

  test('that breaks its schema is dropped and reported; the call goes on', async () => {
    const { url } = await serve({
      methods: {
        work: (_: unknown, { progress }: { progress: (value: unknown) => void }) => {
          progress('half')
          progress(2)
          return 'done'
        },
      } as never,
    })
    const { other, errors } = connect(url)
    const heard: number[] = []
    expect(await other.work({ steps: 0 }, { onProgress: (value) => heard.push(value) })).toBe(
      'done',
    )
    expect(heard).toEqual([2])
    expect(errors.map(String)).toEqual([
      expect.stringMatching(/The progress of "work" breaks its schema/),
    ])
  })

  test('that can’t be sent is reported where it was made; the call goes on', async () => {
    const { url, errors } = await serve({
      methods: {
        work: (_: unknown, { progress }: { progress: (value: unknown) => void }) => {
          progress(10n)
          return 'done'
        },
      } as never,
    })
    const { other } = connect(url)
    expect(await other.work({ steps: 0 }, { onProgress: () => {} })).toBe('done')
    expect(errors.map(String)).toEqual([
      expect.stringMatching(/Progress of "work" can't be sent: as json: .*BigInt/),
    ])
  })

  test('what a listener throws, or rejects with, harms nothing', async () => {
    const { other, errors } = connect((await serve()).url)
    const thrown = new Error('on purpose')
    const throws = () => {
      throw thrown
    }
    expect(await other.work({ steps: 1 }, { onProgress: throws })).toBe('done')
    expect(await other.work({ steps: 1 }, { onProgress: async () => throws() })).toBe('done')
    await polled(() => errors).toEqual([thrown, thrown])
  })

  test('is told no more once the call was given up', async () => {
    const { url } = await serve({
      methods: {
        work: async (_: unknown, { progress }: { progress: (value: unknown) => void }) => {
          for (let n = 0; n < 200; n++) {
            progress(n)
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
          return 'done'
        },
      } as never,
    })
    const { client, other } = connect(url)
    const controller = new AbortController()
    const heard: number[] = []
    const work = other.work(
      { steps: 0 },
      { signal: controller.signal, onProgress: (value) => heard.push(value) },
    )
    await polled(() => heard.length).toBeGreaterThan(2)
    controller.abort()
    await rejection(work)
    const { length } = heard
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heard.length).toBe(length)
    expect(client.state.status).toBe('connected')
  })
})

describe('who tells of progress, or listens, and can’t', () => {
  test('a handler whose contract has none is told what to do', async () => {
    const { url, errors } = await serve({
      methods: {
        silent: (_: unknown, { progress }: { progress: (value: never) => void }) =>
          progress(1 as never),
      } as never,
    })
    const thrown = await rejection(connect(url).other.silent())
    expect(thrown).toMatchObject({ code: -32603, message: 'Internal error in "silent"' })
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/"silent" has no progress in the contract/) },
    ])
  })

  test('a caller is told what to do', async () => {
    const { other } = connect((await serve()).url)
    const none = await rejection(other.silent(undefined, { onProgress: () => {} } as never))
    expect(none).toBeInstanceOf(RpcConfigError)
    expect((none as Error).message).toMatch(
      /"silent" has no progress in the contract. Leave onProgress out/,
    )
    const wrong = await rejection(other.work({ steps: 1 }, { onProgress: 5 as never }))
    expect((wrong as Error).message).toBe('onProgress of "work" must be a function. It is a number')
    const stream = await rejection(other.ticks(undefined, { onProgress: () => {} } as never).next())
    expect(stream).toBeInstanceOf(RpcConfigError)
  })

  test('a plain peer is not asked for it', async () => {
    await using server = await RawServer.listen()
    const { other } = connect(server.url)
    const early = other.work({ steps: 1 }, { onProgress: () => {} })
    const peer = await server.acceptPlain()
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'work',
      params: { steps: 1 },
    })
    peer.send({ jsonrpc: '2.0', id: 1, result: 'done' })
    expect(await early).toBe('done')
  })

  test.each<[string, object]>([
    ['no call', { id: 99, value: 1 }],
    ['a call that did not ask', { id: 2, value: 1 }],
    ['nothing', {}],
  ])('a server that tells it of %s breaks the protocol', async (_, params) => {
    await using server = await RawServer.listen()
    const { other } = connect(server.url)
    const peer = await server.acceptExtended()
    const calls = [other.work({ steps: 1 }, { onProgress: () => {} }), other.silent()]
    for (const call of calls) call.catch(() => {})
    await peer.nextJson()
    await peer.nextJson()
    peer.send({ jsonrpc: '2.0', method: 'rpc.progress', params })
    expect(await peer.closed).toMatchObject({ code: 4400 })
    for (const call of calls) expect(await rejection(call)).toMatchObject({ closeCode: 4400 })
  })

  test.each<[string, unknown, object]>([
    ['progress that is not true', 1, { progress: 'yes' }],
    ['progress without an id', null, { progress: true }],
  ])('a request with %s is refused', async (_, id, rpc) => {
    await using peer = await rawClient((await serve()).url)
    peer.send({ jsonrpc: '2.0', id, method: 'work', params: { steps: 1 }, rpc })
    expect(await peer.nextJson()).toMatchObject({
      id,
      error: { code: -32600 },
      rpc: { ran: false },
    })
  })
})
