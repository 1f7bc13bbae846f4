import {
  createClient,
  defineContract,
  method,
  RpcConfigError,
  RpcError,
  RpcTimeoutError,
  stream,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** The part of a channel that is called back. */
interface Peer {
  call(method: string, params: object, options: { signal: AbortSignal }): Promise<unknown>
}

interface Server {
  /** Lasts until it is aborted. */
  wait(): string
  timeLeft(): number
  /** Gives an item each so many ms. */
  ticks(params: { everyMs: number }): AsyncIterable<number>
  read(params: { everyMs: number }): number
  save(params: { text: string; bytes?: Uint8Array }): string
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function serve(options: Partial<EndpointOptions<Server, object>> = {}) {
  const told: string[] = []
  const endpoint = createEndpoint<Server, object>({
    ...options,
    methods: {
      wait: (_, { signal }) => {
        told.push('began')
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            told.push((signal.reason as Error).name)
            reject(signal.reason)
          })
        })
      },
      timeLeft: (_, { timeLeft }) => (timeLeft === Number.POSITIVE_INFINITY ? -1 : timeLeft),
      async *ticks({ everyMs }) {
        for (let n = 0; ; n++) {
          await sleep(everyMs)
          yield n
        }
      },
      async read({ everyMs }, { input }) {
        let items = 0
        for await (const _ of input) {
          items++
          await sleep(everyMs)
        }
        return items
      },
      save: ({ text, bytes }) => `${text}${bytes?.length ?? ''}`,
      ...options.methods,
    },
  })
  const { url, port } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return { endpoint, url, port, told }
}

function connect(url: string, options: object = {}) {
  const client = createClient<Server>({
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    ...options,
  } as { url: string })
  opened.push(() => client.close())
  return client
}

describe('the time left', () => {
  test('is told where a call was given it, and not where it is but patience', async () => {
    const { url } = await serve()
    const client = connect(url, { timeout: 5_000 })
    expect(await client.other.timeLeft()).toBe(-1)
    const left = await client.other.timeLeft(undefined, { timeout: 4_000 })
    expect(left).toBeGreaterThan(3_000)
    expect(left).toBeLessThanOrEqual(4_000)
    expect(await client.other.timeLeft(undefined, { timeout: Number.POSITIVE_INFINITY })).toBe(-1)
    expect(await client.other.timeLeft(undefined, { timeout: { idle: 1_000 } })).toBe(-1)
    const total = await client.other.timeLeft(undefined, { timeout: { idle: 1_000, total: 4_000 } })
    expect(total).toBeGreaterThan(3_000)
  })

  test('shrinks through nested calls, over any number of connections', async () => {
    const leaf = await serve()
    const middle = connect(leaf.url)
    const between = await serve({
      methods: {
        timeLeft: async (_: unknown, { signal }: { signal: AbortSignal }) => {
          await sleep(50)
          return middle.other.timeLeft(undefined, { signal })
        },
      } as never,
    })
    const outer = connect(between.url)
    const again = await serve({
      methods: {
        // More time of its own changes nothing; less does.
        timeLeft: (_: unknown, { signal }: { signal: AbortSignal }) =>
          outer.other.timeLeft(undefined, { signal, timeout: 60_000 }),
      } as never,
    })
    const client = connect(again.url)
    const left = await client.other.timeLeft(undefined, { timeout: 3_000 })
    expect(left).toBeGreaterThan(1_000)
    expect(left).toBeLessThanOrEqual(2_960)
  })

  test('ends a nested call with it, and its handler, wherever that is', async () => {
    const leaf = await serve()
    const inner = connect(leaf.url)
    const errors: unknown[] = []
    const { url } = await serve({
      methods: {
        wait: async (_: unknown, { signal }: { signal: AbortSignal }) => {
          try {
            return await inner.other.wait(undefined, { signal })
          } catch (error) {
            errors.push(error)
            throw error
          }
        },
      } as never,
    })
    const thrown = await rejection(connect(url).other.wait(undefined, { timeout: 150 }))
    expect(thrown).toBeInstanceOf(RpcTimeoutError)
    await polled(() => leaf.told).toEqual(['began', expect.stringMatching(/^Rpc(Timeout)?Error$/)])
    await polled(() => errors.length).toBe(1)
  })

  test('that runs out is told as that to the caller, whoever notices first', async () => {
    const leaf = await serve({ methods: { wait: () => new Promise<string>(() => {}) } as never })
    const inner = connect(leaf.url)
    const errors: unknown[] = []
    /** What handlers do when their signal aborts. */
    const ways: Record<string, (signal: AbortSignal, channel: Peer) => Promise<unknown>> = {
      'passes it on': (signal) => inner.other.wait(undefined, { signal }),
      'passes it back': (signal, channel) => channel.call('wait', {}, { signal }),
      'passes it on and wraps what is thrown': (signal) =>
        inner.other.wait(undefined, { signal }).catch((cause) => {
          throw new Error('The leaf failed', { cause })
        }),
      'throws its reason': (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    }
    const endpoint = createEndpoint<Record<string, () => string>, object>({
      methods: Object.fromEntries(
        Object.entries(ways).map(([name, way]) => [
          name,
          (_: unknown, { signal, channel }: { signal: AbortSignal; channel: unknown }) =>
            way(signal, channel as Peer) as Promise<string>,
        ]),
      ),
      onError: [(_, error) => errors.push(error)],
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = createClient<Record<string, () => string>, { wait(): string }>({
      url,
      methods: { wait: () => new Promise<string>(() => {}) },
    })
    opened.push(() => client.close())
    await Promise.all([client.connect(), inner.connect()])
    const wrong: string[] = []
    for (const name of Object.keys(ways)) {
      // One call after the other, so that another party may notice first each time.
      for (let n = 0; n < 15; n++) {
        const error = await rejection(client.call(name, undefined, { timeout: 20 + n }))
        const isRight = error instanceof RpcTimeoutError && error.outcome === 'maybe-executed'
        if (!isRight) wrong.push(`${name}: ${error}`)
      }
    }
    expect(wrong).toEqual([])
    expect(errors).toEqual([])
  })

  test('counts from when a call is written, however long it waited', async () => {
    const { port } = await serve()
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    proxy.refuse()
    for (const codec of [undefined, msgpackCodec]) {
      const server = codec ? await serve({ codec }) : undefined
      const behind = server ? await createFaultProxy({ port: server.port }) : proxy
      if (server) opened.push(() => behind.close())
      behind.refuse()
      const client = connect(behind.url(), codec && { codec })
      const waiting = client.other.timeLeft(undefined, { timeout: 5_000 })
      await sleep(200)
      behind.heal()
      expect(await waiting).toBeLessThanOrEqual(4_810)
    }
  })

  test('leaves params and bytes of a call that waited as they were when it was made', async () => {
    const { port } = await serve()
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    proxy.refuse()
    const { other } = connect(proxy.url())
    const params = { text: 'as it was', bytes: Uint8Array.of(1, 2, 3) }
    const saved = other.save(params, { timeout: 5_000 })
    params.text = 'changed'
    await sleep(100)
    proxy.heal()
    expect(await saved).toBe('as it was3')
  })

  test('is told anew where a call is written again, in a session', async () => {
    const { port, endpoint } = await serve({ resume: {} })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url())
    await client.connect()
    proxy.blackHole({ up: true })
    const waiting = client.other.timeLeft(undefined, { timeout: 5_000 })
    await sleep(200)
    client.reconnect()
    proxy.heal()
    proxy.cut()
    expect(await waiting).toBeLessThanOrEqual(4_810)
    expect(endpoint.channels.size).toBe(1)
  })

  test('is not told to a plain peer, whenever that shows', async () => {
    await using server = await RawServer.listen()
    const client = connect(server.url)
    const early = client.other.save({ text: 'a' }, { timeout: 5_000 })
    const peer = await server.acceptPlain()
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'save',
      params: { text: 'a' },
    })
    const late = client.other.save({ text: 'b' }, { timeout: 5_000 })
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      id: 2,
      method: 'save',
      params: { text: 'b' },
    })
    peer.send({ jsonrpc: '2.0', id: 1, result: 'A' })
    peer.send({ jsonrpc: '2.0', id: 2, result: 'B' })
    expect(await Promise.all([early, late])).toEqual(['A', 'B'])
  })
})

describe('a call whose time has run out', () => {
  async function extended(url: string): Promise<RawPeer> {
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const params = { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000_000 } }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params })
    await peer.nextJson()
    return peer
  }

  test('is not begun', async () => {
    const { url, told } = await serve()
    const peer = await extended(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'wait', rpc: { deadlineMs: 0 } })
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32001, message: '"wait" was not run: its caller\'s time had run out' },
      rpc: { ran: false },
    })
    expect(told).toEqual([])
  })

  test('is not begun either where it ran out while it was looked at', async () => {
    const { url, told } = await serve({ authorize: () => sleep(60).then(() => true) })
    const peer = await extended(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'wait', rpc: { deadlineMs: 20 } })
    expect(await peer.nextJson()).toMatchObject({ error: { code: -32001 }, rpc: { ran: false } })
    peer.send({ jsonrpc: '2.0', id: 2, method: 'wait' })
    peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 2 } })
    expect(await peer.nextJson()).toMatchObject({ error: { code: -32800 }, rpc: { ran: false } })
    expect(told).toEqual([])
  })

  test('tells its caller that it did not run', async () => {
    await using server = await RawServer.listen()
    const { other } = connect(server.url)
    const peer = await server.acceptExtended()
    const call = other.wait(undefined, { timeout: 5_000 })
    const { id, rpc } = await peer.nextJson()
    expect(rpc.deadlineMs).toBeGreaterThan(4_000)
    peer.send({
      jsonrpc: '2.0',
      id,
      error: { code: -32001, message: '"wait" was not run' },
      rpc: { ran: false },
    })
    const thrown = await rejection(call)
    expect(thrown).toBeInstanceOf(RpcTimeoutError)
    expect(thrown).toMatchObject({ outcome: 'not-received', method: 'wait' })
  })

  test('aborts its handler where nobody is left to cancel it, and is answered', async () => {
    const { url, told } = await serve()
    const peer = await extended(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'wait', rpc: { deadlineMs: 50 } })
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32001 } })
    expect(told).toEqual(['began', 'RpcTimeoutError'])
  })

  test.each([-1, '5', null, true, {}])('is refused where it is said as %j', async (deadlineMs) => {
    const { url, told } = await serve()
    const peer = await extended(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'wait', rpc: { deadlineMs } })
    const answer = await peer.nextJson()
    expect(answer).toMatchObject({ error: { code: -32600 }, rpc: { ran: false } })
    expect(answer.error.message).toMatch(/rpc\.deadlineMs of "wait"/)
    expect(told).toEqual([])
  })
})

describe('timeout: { idle, total }', () => {
  const contract = defineContract({
    server: {
      work: method({
        params: z.object({ times: z.number(), everyMs: z.number() }),
        progress: z.number(),
      }),
      ticks: stream({ params: z.object({ everyMs: z.number() }), item: z.number() }),
    },
  })

  async function working() {
    const endpoint = createEndpoint(contract, {
      methods: {
        async work({ times, everyMs }, { progress }) {
          for (let n = 0; n < times; n++) {
            await sleep(everyMs)
            progress(n)
          }
          await sleep(everyMs)
        },
        async *ticks({ everyMs }) {
          for (let n = 0; ; n++) {
            await sleep(everyMs)
            yield n
          }
        },
      },
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = createClient(contract, { url })
    opened.push(() => client.close())
    return client
  }

  test('progress holds off the one, and not the other', async () => {
    const { other } = await working()
    const onProgress = () => {}
    await other.work({ times: 10, everyMs: 40 }, { onProgress, timeout: { idle: 200 } })
    const idle = await rejection(
      other.work({ times: 1, everyMs: 300 }, { onProgress, timeout: { idle: 100 } }),
    )
    expect(idle).toBeInstanceOf(RpcTimeoutError)
    expect((idle as Error).message).toMatch(/^"work" showed no sign of life for 100 ms/)
    const total = await rejection(
      other.work({ times: 50, everyMs: 20 }, { onProgress, timeout: { idle: 200, total: 150 } }),
    )
    expect(total).toBeInstanceOf(RpcTimeoutError)
    expect((total as Error).message).toMatch(/^"work" timed out after 150 ms/)
  })

  test.each([
    ['without a contract', false],
    ['of a contract that has some', true],
  ])('progress that nobody listens to holds it off, too, %s', async (_, hasContract) => {
    const contract = defineContract({
      server: {
        work: method({ result: z.string(), progress: z.number() }),
        silent: method({ result: z.string() }),
      },
    })
    const methods = {
      async work(_: unknown, { progress }: { progress: (value: number) => void }) {
        for (let n = 0; n < 8; n++) {
          progress(n)
          await sleep(50)
        }
        return 'done'
      },
      silent: () => sleep(400).then(() => 'done'),
    }
    type Working = typeof contract.server
    const endpoint = hasContract
      ? createEndpoint(contract, { methods })
      : createEndpoint<Working, object>({ methods })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = hasContract ? createClient(contract, { url }) : createClient<Working>({ url })
    opened.push(() => client.close())
    const timeout = { idle: 200 }
    expect(await client.other.work(undefined, { timeout })).toBe('done')
    const silent = await rejection(client.other.silent(undefined, { timeout }))
    expect(silent).toBeInstanceOf(RpcTimeoutError)
  })

  test('a stream’s items hold it off, and a slow consumer is not taken for a dead producer', async () => {
    const { other } = await working()
    const ticks = other.ticks({ everyMs: 20 }, { timeout: { idle: 250 } })
    for (let n = 0; n < 20; n++) expect((await ticks.next()).value).toBe(n)
    await sleep(600)
    expect((await ticks.next()).value).toBe(20)
    await ticks.return()
    const dead = await rejection(other.ticks({ everyMs: 400 }, { timeout: { idle: 100 } }).next())
    expect(dead).toBeInstanceOf(RpcTimeoutError)
  })

  test("a call with input lasts as long as the other side takes it, by the channel's timeout", async () => {
    const { url } = await serve()
    const { other } = connect(url, { timeout: 250, limits: { streamItems: 4 } })
    const input = Array.from({ length: 60 }, (_, n) => n)
    expect(await other.read({ everyMs: 10 }, { input })).toBe(60)
    const thrown = await rejection(other.read({ everyMs: 1_000 }, { input: [1, 2] }))
    expect(thrown).toBeInstanceOf(RpcTimeoutError)
    expect((thrown as Error).message).toMatch(/showed no sign of life for 250 ms/)
  })

  test("may be the channel's", async () => {
    const { url } = await serve()
    const { other } = connect(url, { timeout: { idle: 50 } })
    expect(await rejection(other.wait())).toBeInstanceOf(RpcTimeoutError)
  })

  test.each([
    -1,
    Number.NaN,
    'soon',
    null,
    { idle: -1 },
    { total: '5' },
    { idle: Number.NaN, total: 5 },
  ])('is no %j', async (timeout) => {
    const client = connect((await serve()).url)
    const thrown = await rejection(client.other.timeLeft(undefined, { timeout } as never))
    expect(thrown).toBeInstanceOf(RpcConfigError)
    expect((thrown as Error).message).toMatch(/The timeout of "timeLeft" must be a number of ms/)
    expect(() => connect('ws://127.0.0.1:1', { timeout })).toThrow(/^timeout must be/)
  })
})

test('a timeout with a wrong name is refused, and the text names the call', async () => {
  const client = connect((await serve()).url)
  const refused = async (timeout: unknown) =>
    rejection(client.other.timeLeft(undefined, { timeout } as never))
  expect(await refused({ totl: 5 })).toMatchObject({
    name: 'RpcConfigError',
    message: 'The timeout of "timeLeft" has no option "totl". Did you mean "total"?',
    method: 'timeLeft',
  })
  for (const list of [[], [5]]) {
    expect(await refused(list)).toMatchObject({
      message: 'The timeout of "timeLeft" takes an object of options, not an array',
    })
  }
  const inherited = Object.create({ totl: 5 }, { total: { value: 5_000, enumerable: true } })
  expect(await client.other.timeLeft(undefined, { timeout: inherited })).toBeGreaterThan(0)
})

test('a handler finds no time left that nobody said, and no timer stays behind', async () => {
  const { url } = await serve()
  const client = connect(url)
  await until(client, 'connected')
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  await Promise.all(
    Array.from({ length: 50 }, () => client.other.timeLeft(undefined, { timeout: 60_000 })),
  )
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  expect(after).toBeLessThanOrEqual(before + 2)
  expect(await rejection(client.call('nothing' as 'wait'))).toBeInstanceOf(RpcError)
})
