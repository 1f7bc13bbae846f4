import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import {
  type Client,
  type ClientOptions,
  createClient,
  defineContract,
  ErrorCode,
  method,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcValidationError,
  stream,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf, plainPairOf } from './support/pair.js'
import { RawServer } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { count } from './support/suite/serve.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: {
    count: stream({ params: z.object({ upTo: z.number().optional() }), item: z.number() }),
    sum: method({
      params: z.object({ most: z.number().optional() }),
      input: z.number(),
      result: z.number(),
    }),
    echo: stream({ input: z.string(), item: z.string() }),
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
  },
  client: { count: stream({ params: z.object({ upTo: z.number() }), item: z.number() }) },
})
type Server = typeof contract.server
type Page = typeof contract.client
type Options = EndpointOptions<Server, Page>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** What the server's streams did: each is told once it has ended. */
class Told {
  readonly ended: string[] = []
  readonly errors: unknown[] = []
  /** How many items the source of `count` has made. */
  made = 0
}

async function serve(options: Partial<Options> = {}) {
  const told = new Told()
  const endpoint = createEndpoint(contract, {
    onError: [(_, error) => told.errors.push(error)],
    ...options,
    methods: {
      add: ({ a, b }) => a + b,
      async *count({ upTo = Number.POSITIVE_INFINITY }, { signal }) {
        try {
          for (let n = 0; n < upTo; n++) {
            told.made++
            yield n
          }
        } finally {
          told.ended.push(signal.aborted ? 'count, aborted' : 'count')
        }
      },
      async sum({ most = Number.POSITIVE_INFINITY }, { input }) {
        let sum = 0
        let taken = 0
        try {
          for await (const n of input) {
            sum += n
            if (++taken === most) break
          }
        } catch (error) {
          told.ended.push(`sum: ${(error as Error).name}`)
          throw error
        }
        return sum
      },
      async *echo(_, { input }) {
        try {
          yield* input
        } finally {
          told.ended.push('echo')
        }
      },
      ...options.methods,
    },
  })
  const { url, port } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return { endpoint, url, port, told }
}

function connect(
  url: string,
  options: Partial<ClientOptions<Page, Server>> = {},
): Client<Page, Server> {
  const client = createClient(contract, {
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    ...options,
  } as ClientOptions<Page, Server>)
  opened.push(() => client.close())
  return client
}

async function itemsOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items = []
  for await (const item of stream) items.push(item)
  return items
}

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index)

describe('the items of a stream', () => {
  test('nothing is sent before the first is asked for', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    const stream = other.count({ upTo: 3 })
    expect(await other.add({ a: 1, b: 2 })).toBe(3)
    expect(told.made).toBe(0)
    expect(await itemsOf(stream)).toEqual([0, 1, 2])
    expect(stream.received).toBe(3)
  })

  test('a second loop over a stream is refused, after its end and after a break', async () => {
    const { url } = await serve()
    const { other } = connect(url)
    const why =
      'The stream of "count" has been read, and is for one loop. Call "count" again for another stream'
    const whole = other.count({ upTo: 3 })
    expect(await itemsOf(whole)).toEqual([0, 1, 2])
    const left = other.count({})
    for await (const _ of left) break
    for (const stream of [whole, left]) {
      const thrown = await rejection(itemsOf(stream))
      expect(thrown).toBeInstanceOf(RpcConfigError)
      expect(thrown).toMatchObject({ message: why, method: 'count' })
    }
  })

  test('a stream that was ended before its first loop has no items', async () => {
    const { url } = await serve()
    const stream = connect(url).other.count({})
    await stream.return()
    expect(await itemsOf(stream)).toEqual([])
  })

  test('a stream that was left before it began does not begin', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    const stream = other.count({})
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(await other.add({ a: 1, b: 2 })).toBe(3)
    expect(told).toMatchObject({ made: 0, ended: [] })
  })

  test('may be asked for ahead: each request gets its own, in order', async () => {
    const { url } = await serve()
    const { other } = connect(url)
    const stream = other.count({ upTo: 2 })
    const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()])
    expect(results).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })

  test('a stream is left while an item is awaited, and both end', async () => {
    const { url, told } = await serve({
      methods: {
        async *count(_: unknown, { signal }: { signal: AbortSignal }) {
          try {
            yield 1
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
          } finally {
            told.ended.push('slow')
          }
        },
      } as never,
    })
    const { other } = connect(url)
    const stream = other.count({})
    await stream.next()
    const waiting = stream.next()
    await stream.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await polled(() => told.ended).toEqual(['slow'])
  })

  test('an error of the source comes behind the items before it', async () => {
    const { url } = await serve({
      methods: {
        *count() {
          yield 1
          yield 2
          throw new RpcError(4004, 'No more', { at: 2 })
        },
      } as never,
    })
    const { other } = connect(url)
    const items: number[] = []
    const thrown = await rejection(
      (async () => {
        for await (const item of other.count({})) items.push(item)
      })(),
    )
    expect(items).toEqual([1, 2])
    expect(thrown).toMatchObject({
      code: 4004,
      message: 'No more',
      data: { at: 2 },
      method: 'count',
    })
  })

  test('what the source throws without meaning to is not told', async () => {
    const { url, told } = await serve({
      methods: {
        // biome-ignore lint/correctness/useYield: it fails first
        *count() {
          throw new Error('secret')
        },
      } as never,
    })
    const thrown = await rejection(itemsOf(connect(url).other.count({})))
    expect(thrown).toMatchObject({ code: -32603, message: 'Internal error in "count"' })
    expect(told.errors).toMatchObject([{ message: 'secret' }])
  })

  test('a handler that gives nothing to iterate over is a failure of its own', async () => {
    const { url, told } = await serve({ methods: { count: () => 5 } as never })
    const thrown = await rejection(itemsOf(connect(url).other.count({})))
    expect(thrown).toMatchObject({ code: -32603 })
    expect(String(told.errors[0])).toMatch(/"count" is a stream: its handler must be/)
  })

  test('one that breaks its schema ends its stream only, here and there', async () => {
    const { url, told } = await serve({
      methods: {
        async *count(_: unknown, { signal }: { signal: AbortSignal }) {
          yield 1
          yield 'two'
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          told.ended.push('aborted')
        },
      } as never,
    })
    const { other } = connect(url)
    const stream = other.count({})
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    const thrown = await rejection(stream.next())
    expect(thrown).toBeInstanceOf(RpcValidationError)
    expect(thrown).toMatchObject({ method: 'count', outcome: 'maybe-executed' })
    expect((thrown as Error).message).toMatch(/^An item of "count" breaks its schema: /)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await polled(() => told.ended).toEqual(['aborted'])
    expect(await other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('one that can’t be sent ends its stream only', async () => {
    const { url, told } = await serve({
      methods: {
        *count({ upTo }: { upTo: number }) {
          yield 1
          yield upTo === 1 ? 10n : 'x'.repeat(2_000_000)
        },
      } as never,
    })
    const { other } = connect(url)
    const unsendable = await rejection(itemsOf(other.count({ upTo: 1 })))
    expect(unsendable).toMatchObject({ code: -32603, message: 'An item of "count" can\'t be sent' })
    const large = await rejection(itemsOf(other.count({ upTo: 2 })))
    expect(large).toMatchObject({ code: -32003 })
    expect(told.errors.map(String)).toMatchObject([
      expect.stringMatching(/can't be sent: as json: .*BigInt/),
      expect.stringMatching(/larger than the 1048576 bytes/),
    ])
    expect(await other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('an abort ends a stream at once, and its source', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    const controller = new AbortController()
    const stream = other.count({}, { signal: controller.signal })
    await stream.next()
    controller.abort(new Error('enough'))
    const thrown = await rejection(stream.next())
    expect(thrown).toBeInstanceOf(RpcAbortedError)
    expect(thrown).toMatchObject({ method: 'count', cause: new Error('enough') })
    await polled(() => told.ended).toEqual(['count, aborted'])
  })

  test('a stream has no timeout but its own', async () => {
    const { url, told } = await serve()
    const { other } = connect(url, { timeout: 30 })
    const stream = other.count({})
    await stream.next()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await stream.return()
    await polled(() => told.ended).toEqual(['count, aborted'])
    const thrown = await rejection(itemsOf(other.count({}, { timeout: 50 })))
    expect(thrown).toBeInstanceOf(RpcTimeoutError)
  })

  test('a stream is not in flight, as a call is that waits for its answer', async () => {
    const client = connect((await serve()).url)
    const stream = client.other.count({})
    await stream.next()
    expect(client.state.inFlight).toBe(0)
    let finish = () => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const input = (async function* () {
      await finished
      yield 1
    })()
    const call = client.other.sum({}, { input })
    await polled(() => client.state.inFlight).toBe(1)
    finish()
    expect(await call).toBe(1)
    await stream.return()
    await polled(() => client.state.inFlight).toBe(0)
  })

  test('params that break their schema begin no stream', async () => {
    const { url, told } = await serve()
    const thrown = await rejection(itemsOf(connect(url).other.count({ upTo: 'x' as never })))
    expect(thrown).toMatchObject({ code: -32602 })
    expect(told.made).toBe(0)
  })

  test('the server takes a stream of its client’s', async () => {
    const { endpoint, url } = await serve()
    const client = connect(url, { methods: { count: ({ upTo }) => count(upTo) } })
    await client.connect()
    const [channel] = endpoint.channels
    if (!channel) throw new Error('There is no channel')
    expect(await itemsOf(channel.other.count({ upTo: 100 }))).toEqual(upTo(100))
  })

  test('web streams and plain arrays are sources, too', async () => {
    const { url } = await serve({
      methods: {
        count: ({ upTo }: { upTo: number }) =>
          upTo === 1 ? [7, 8] : new Blob(['ab']).stream().pipeThrough(lengths()),
      } as never,
    })
    const { other } = connect(url)
    expect(await itemsOf(other.count({ upTo: 1 }))).toEqual([7, 8])
    expect(await itemsOf(other.count({ upTo: 2 }))).toEqual([2])
  })
})

function lengths(): TransformStream<Uint8Array, number> {
  return new TransformStream({ transform: (chunk, to) => to.enqueue(chunk.length) })
}

describe('back-pressure', () => {
  test('a consumer that takes none stops the producer, and nobody else', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    const stream = other.count({})
    await stream.next()
    for (let n = 0; n < 100; n++) expect(await other.add({ a: n, b: 1 })).toBe(n + 1)
    // What it had credit for, and one that it was about to send.
    expect(told.made).toBeLessThanOrEqual(34)
    const made = told.made
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told.made).toBe(made)
    for (let n = 1; n < 1000; n++) expect(await stream.next()).toEqual({ done: false, value: n })
    expect(told.made).toBeLessThanOrEqual(1034)
    await stream.return()
  })

  test('large items get less credit, so that no more than limits.streamBytes is on its way', async () => {
    let made = 0
    const { url } = await serve({
      methods: {
        async *echo() {
          for (;;) {
            made++
            yield 'x'.repeat(300_000)
          }
        },
      } as never,
    })
    const stream = connect(url).other.echo(undefined, { input: [] })
    for (let n = 0; n < 20; n++) await stream.next()
    await polled(() => made).toBeGreaterThan(20)
    await new Promise((resolve) => setTimeout(resolve, 50))
    // Three of them are 1 MiB, and one more is about to be sent.
    expect(made).toBeLessThanOrEqual(24)
    await stream.return()
  })

  test('streams that nobody takes hold no more than limits.allStreamBytes, each its own to lose', async () => {
    const read: string[] = []
    const limits = { allStreamBytes: 100_000 }
    const { url, told } = await serve({
      limits,
      methods: {
        async *echo(_: unknown, { input }: { input: AsyncIterable<unknown> }) {
          for await (const _ of input) await new Promise((resolve) => setTimeout(resolve, 100))
          for (;;) yield 'x'.repeat(40_000)
        },
      } as never,
    })
    const { other } = connect(url, { limits })
    const input = Array(10).fill('x'.repeat(40_000))
    const refused = await rejection(other.echo(undefined, { input }).next())
    expect(refused).toMatchObject({ code: ErrorCode.overloaded })
    expect((refused as Error).message).toMatch(
      /"echo" was ended: more than 100000 bytes of streams/,
    )

    const stream = other.echo(undefined, { input: [] })
    read.push((await stream.next()).value ?? '')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const overflown = await rejection(stream.next())
    expect(overflown).toBeInstanceOf(RpcOverloadedError)
    expect(overflown).toMatchObject({ outcome: 'maybe-executed', method: 'echo' })
    expect(read).toHaveLength(1)
    // And there is room again.
    expect(await itemsOf(other.count({ upTo: 50 }))).toEqual(upTo(50))
    expect(told.errors).toEqual([])
  })

  test('the credit is limits.streamItems', async () => {
    const { url, told } = await serve()
    const { other } = connect(url, { limits: { streamItems: 1 } })
    const stream = other.count({ upTo: 5 })
    await stream.next()
    await other.add({ a: 1, b: 1 })
    expect(told.made).toBeLessThanOrEqual(3)
    expect(await itemsOf(stream)).toEqual([1, 2, 3, 4])
    for (const streamItems of [0, 65_536, Number.POSITIVE_INFINITY]) {
      expect(() => createClient({ url, limits: { streamItems } })).toThrow(
        /limits.streamItems must be a positive integer, 65535 at the most/,
      )
    }
  })

  test('many producers at once share the room that there is', async () => {
    const { url } = await serve({ limits: { bytesPerSecond: Number.POSITIVE_INFINITY } })
    const client = connect(url)
    const input = Array.from({ length: 4 }, () => 'x'.repeat(500_000))
    const echoes = upTo(40).map(() => itemsOf(client.other.echo(undefined, { input })))
    for (const items of await Promise.all(echoes)) expect(items).toEqual(input)
  })

  test('a socket that is not read stops the producer before it is closed for it', async () => {
    const text = 'x'.repeat(100_000)
    let made = 0
    const { port, told } = await serve({
      methods: {
        async *echo() {
          for (;;) {
            made++
            yield text
          }
        },
      } as never,
      heartbeat: false,
    })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url(), { limits: { streamItems: 10_000 }, heartbeat: false })
    await client.connect()
    const stream = client.other.echo(undefined, { input: [] })
    await stream.next()
    proxy.stall()
    let before = -1
    while (before !== made) {
      before = made
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    // Some MB in sockets on the way, and 1 MiB in the server's own: far from what there is credit for.
    expect(made).toBeLessThan(400)
    expect(told.errors).toEqual([])
    proxy.heal()
    for (let n = 0; n < 1_000; n++) await stream.next()
    await stream.return()
    expect(client.state.status).toBe('connected')
  })
})

describe('input', () => {
  test('goes along with a call, as it is read', async () => {
    const { url } = await serve()
    const { other } = connect(url)
    expect(await other.sum({}, { input: upTo(1_000) })).toBe(499_500)
    expect(await other.sum({}, { input: [] })).toBe(0)
  })

  test('the source ends when no more is wanted, though the call goes on', async () => {
    let finish = () => {}
    const { url } = await serve({
      methods: {
        async sum(_: unknown, { input }: { input: AsyncIterable<number> }) {
          for await (const n of input) if (n === 5) break
          await new Promise<void>((resolve) => (finish = resolve))
          return 1
        },
      } as never,
    })
    const { other } = connect(url)
    let ended = false
    const call = other.sum({}, { input: count(undefined, () => (ended = true)) })
    await polled(() => ended).toBe(true)
    finish()
    expect(await call).toBe(1)
  })

  test('a second loop over it is refused', async () => {
    let thrown: unknown
    const { url } = await serve({
      methods: {
        async sum(_: unknown, { input }: { input: AsyncIterable<number> }) {
          await itemsOf(input)
          thrown = await rejection(itemsOf(input))
          return 1
        },
      } as never,
    })
    expect(await connect(url).other.sum({}, { input: [1, 2] })).toBe(1)
    expect(thrown).toBeInstanceOf(RpcConfigError)
    expect((thrown as Error).message).toBe(
      'The input of "sum" has been read, and is for one loop. Keep its items if you need them again',
    )
  })

  test('a handler that does not read it takes nothing of the source', async () => {
    const { url } = await serve({ methods: { sum: () => 7 } as never })
    let taken = 0
    const input = (function* () {
      for (;;) yield taken++
    })()
    expect(await connect(url).other.sum({}, { input })).toBe(7)
    expect(taken).toBe(0)
  })

  describe('of a Node stream', () => {
    const numbers = () => Readable.from([1, 2, 3]) as AsyncIterable<number> & Readable

    test('goes along, and the stream is closed behind it', async () => {
      const { url } = await serve()
      const input = numbers()
      expect(await connect(url).other.sum({}, { input })).toBe(6)
      expect(input.destroyed).toBe(true)
    })

    test('that is not read to its end closes it', async () => {
      const { url } = await serve({ limits: { streamItems: 1 } })
      const input = numbers()
      expect(await connect(url).other.sum({ most: 1 }, { input })).toBe(1)
      await polled(() => input.destroyed).toBe(true)
    })

    test('of which nothing is read closes it, too', async () => {
      const { url } = await serve({ methods: { sum: () => 7 } as never })
      const input = numbers()
      expect(await connect(url).other.sum({}, { input })).toBe(7)
      await polled(() => input.destroyed).toBe(true)
    })

    test('that fails before it is read gives the call up, when it is read', async () => {
      const file = createReadStream('/there/is/no/such/file')
      const closed = new Promise<void>((resolve) => file.once('close', () => resolve()))
      const sum = async (_: unknown, { input }: { input: AsyncIterable<number> }) => {
        await closed
        for await (const n of input) return n
        return 0
      }
      const { url } = await serve({ methods: { sum } as never })
      const thrown = await rejection(connect(url).other.sum({}, { input: file }))
      expect(thrown).toBeInstanceOf(RpcAbortedError)
      expect(thrown).toMatchObject({ cause: { code: 'ENOENT' } })
    })
  })

  test('items that break their schema are thrown where they are read', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    let ended = false
    const input = (async function* () {
      try {
        yield 1
        yield 'two' as never
        await new Promise(() => {})
      } finally {
        ended = true
      }
    })()
    const thrown = await rejection(other.sum({}, { input }))
    expect(thrown).toMatchObject({ code: -32602, data: { issues: [{}] } })
    expect((thrown as Error).message).toMatch(/^Invalid input for "sum"/)
    expect(told.ended).toEqual(['sum: RpcError'])
    expect(await other.add({ a: 1, b: 2 })).toBe(3)
    expect(ended).toBe(false)
  })

  test('a source that fails gives the call up, and the handler is told', async () => {
    const { url, told } = await serve()
    const cause = new Error('disk full')
    const input = (async function* () {
      yield 1
      throw cause
    })()
    const thrown = await rejection(connect(url).other.sum({}, { input }))
    expect(thrown).toBeInstanceOf(RpcAbortedError)
    expect(thrown).toMatchObject({ cause, outcome: 'maybe-executed', method: 'sum' })
    expect((thrown as Error).message).toMatch(/its input failed \(disk full\)/)
    await polled(() => told.ended).toEqual(['sum: RpcError'])
  })

  test('an item that can’t be sent gives the call up, and says why', async () => {
    const { url } = await serve()
    const { other } = connect(url)
    const thrown = await rejection(other.sum({}, { input: [1, 10n as never] }))
    expect(thrown).toBeInstanceOf(RpcAbortedError)
    expect((thrown as Error).cause).toBeInstanceOf(RpcValidationError)
    expect((thrown as Error).message).toMatch(/An item of "sum" can't be sent: as json: .*BigInt/)
  })

  test('an abort ends the source, and the reading of it', async () => {
    const { url, told } = await serve()
    const controller = new AbortController()
    let ended = false
    const input = (async function* () {
      try {
        for (let n = 0; ; n++) {
          if (n === 100) controller.abort()
          yield n
        }
      } finally {
        ended = true
      }
    })()
    const call = connect(url).other.sum({}, { input, signal: controller.signal })
    expect(await rejection(call)).toBeInstanceOf(RpcAbortedError)
    await polled(() => [ended, told.ended]).toEqual([true, ['sum: RpcError']])
  })

  test('a stream answers a stream', async () => {
    const { url, told } = await serve()
    const { other } = connect(url)
    const texts = upTo(200).map(String)
    expect(await itemsOf(other.echo(undefined, { input: texts }))).toEqual(texts)
    let ended = false
    const endless = (function* () {
      try {
        for (;;) yield 'again'
      } finally {
        ended = true
      }
    })()
    for await (const text of other.echo(undefined, { input: endless })) {
      expect(text).toBe('again')
      break
    }
    await polled(() => [ended, told.ended]).toEqual([true, ['echo', 'echo']])
  })

  test('is wanted where the contract says so, and there only', async () => {
    const { other } = connect((await serve()).url)
    const missing = await rejection(other.sum({}, {} as never))
    expect(missing).toBeInstanceOf(RpcConfigError)
    expect((missing as Error).message).toBe(
      'The input of "sum" must be an iterable, or an async one',
    )
    const none = await rejection(other.add({ a: 1, b: 2 }, { input: [] } as never))
    expect(none).toBeInstanceOf(RpcConfigError)
    expect((none as Error).message).toMatch(/"add" takes no input/)
  })
})

describe('the end of a connection', () => {
  test('ends streams, and says where they were', async () => {
    const { port, told } = await serve()
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { other } = connect(proxy.url(), { limits: { streamItems: 4 } })
    const stream = other.count({})
    const items: unknown[] = []
    for (let n = 0; n < 10; n++) items.push((await stream.next()).value)
    proxy.cut()
    const thrown = await rejection(
      (async () => {
        for await (const item of stream) items.push(item)
      })(),
    )
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    const { outcome, items: came } = thrown as RpcDisconnectedError
    // What had come is taken first; where it was, is all of that.
    expect(outcome).toBe('maybe-executed')
    expect(came).toBe(items.length)
    expect(items).toEqual(upTo(items.length))
    expect((thrown as Error).message).toContain(`, at item ${came} of its stream`)
    await polled(() => told.ended).toEqual(['count, aborted'])
  })

  test('ends input, at its source and where it is read', async () => {
    const { port, told } = await serve()
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { other } = connect(proxy.url())
    let ended = false
    let sent = 0
    const input = (async function* () {
      try {
        for (;;) {
          if (sent === 50) proxy.cut()
          yield sent++
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      } finally {
        ended = true
      }
    })()
    const thrown = await rejection(other.sum({}, { input }))
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect((thrown as RpcDisconnectedError).items).toBeGreaterThanOrEqual(50)
    await polled(() => [ended, told.ended]).toEqual([true, ['sum: RpcDisconnectedError']])
  })

  test('an old connection’s source sends nothing over the next one', async () => {
    let go = () => {}
    const { port, told } = await serve({
      methods: {
        async *count() {
          yield 0
          await new Promise<void>((resolve) => (go = resolve))
          yield 1
        },
      } as never,
    })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url())
    const stream = client.other.count({})
    await stream.next()
    const down = until(client, 'reconnecting')
    proxy.cut()
    await down
    await until(client, 'connected')
    expect(await rejection(stream.next())).toBeInstanceOf(RpcDisconnectedError)
    go()
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    expect(told.errors).toEqual([])
  })

  test('what did not leave any more with the old connection is not said on the next one', async () => {
    const { port, told } = await serve({ limits: { streamBytes: 64 * 1024 * 1024 } })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url(), { limits: { sendBuffer: 100_000, stalledMs: 500 } })
    let taken = 0
    const input = (function* () {
      for (; ; taken++) yield 'x'.repeat(900_000)
    })()
    const counted = client.other.count({})
    await counted.next()
    const echoed = client.other.echo(undefined, { input })
    await echoed.next()
    proxy.stall({ up: true })
    // Until the socket takes no more.
    for (let before = -1; before !== taken; ) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    // The socket is full, so the credit waits; nothing is read any more, which ends the connection.
    const thrown = await rejection(itemsOf(counted))
    expect(thrown).toMatchObject({ code: ErrorCode.disconnected, closeCode: 1013 })
    expect(await rejection(itemsOf(echoed))).toBeInstanceOf(RpcDisconnectedError)
    proxy.heal()
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    expect(told.errors).toEqual([])
  })
})

describe('in a session', () => {
  async function cutting(
    options: Partial<Options> = {},
    clientOptions: Partial<ClientOptions<Page, Server>> = {},
  ) {
    const served = await serve({ resume: {}, ...options })
    const proxy = await createFaultProxy({ port: served.port })
    opened.push(() => proxy.close())
    const client = connect(proxy.url(), clientOptions)
    await client.connect()
    return { ...served, proxy, client }
  }

  /** Cuts the connection again and again, until it is told to stop. */
  function cutter(proxy: FaultProxy, client: Client<Page, Server>) {
    let isOver = false
    let cuts = 0
    const done = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setTimeout(resolve, 15))
        if (client.state.status !== 'connected') continue
        proxy.cut()
        cuts++
      }
    })()
    return async () => {
      isOver = true
      await done
      return cuts
    }
  }

  test('a stream goes on over many connections: each item once, in order', async () => {
    const { client, proxy, told } = await cutting()
    const stop = cutter(proxy, client)
    let next = 0
    for await (const n of client.other.count({ upTo: 3_000 })) {
      expect(n).toBe(next++)
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(next).toBe(3_000)
    expect(await stop()).toBeGreaterThan(3)
    expect(told.ended).toEqual(['count'])
  })

  test('input goes on over many connections, and so does a stream beside it', async () => {
    const { client, proxy } = await cutting()
    const stop = cutter(proxy, client)
    const input = async function* () {
      for (let n = 0; n < 2_000; n++) {
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        yield n
      }
    }
    const texts = upTo(1_000).map(String)
    const [sum, echoed] = await Promise.all([
      client.other.sum({}, { input: input() }),
      itemsOf(client.other.echo(undefined, { input: texts })),
    ])
    expect(sum).toBe(1_999_000)
    expect(echoed).toEqual(texts)
    expect(await stop()).toBeGreaterThan(1)
  })

  test('many producers at once keep within what a session holds', async () => {
    const { client, proxy } = await cutting({
      limits: { bytesPerSecond: Number.POSITIVE_INFINITY },
    })
    const stop = cutter(proxy, client)
    const input = Array.from({ length: 4 }, () => 'x'.repeat(100_000))
    const echoes = upTo(40).map(() => itemsOf(client.other.echo(undefined, { input })))
    for (const items of await Promise.all(echoes)) expect(items).toEqual(input)
    expect(await stop()).toBeGreaterThan(0)
  })

  test('items of very different sizes keep within it, too', async () => {
    const { client, proxy } = await cutting({
      limits: { bytesPerSecond: Number.POSITIVE_INFINITY },
    })
    const stop = cutter(proxy, client)
    const echoes = [100_000, 300_000, 1_000_000].map((size) => {
      const input = Array.from({ length: 30 }, () => 'x'.repeat(size))
      return itemsOf(client.other.echo(undefined, { input }))
    })
    for (const items of await Promise.all(echoes)) expect(items).toHaveLength(30)
    expect(await stop()).toBeGreaterThan(0)
  })

  test('a stream that is left while there is no connection ends at its source', async () => {
    const { client, proxy, told } = await cutting()
    const stream = client.other.count({})
    await stream.next()
    proxy.refuse()
    proxy.cut()
    await until(client, 'reconnecting')
    await stream.return()
    proxy.heal()
    await polled(() => told.ended).toEqual(['count, aborted'])
  })

  test('a producer waits while there is no connection, however much credit it has', async () => {
    const { client, proxy, told } = await cutting({}, { limits: { streamItems: 10_000 } })
    const stream = client.other.count({})
    await stream.next()
    proxy.refuse()
    proxy.cut()
    await until(client, 'reconnecting')
    const { made } = told
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told.made).toBe(made)
    proxy.heal()
    await until(client, 'connected')
    for (let n = 1; n < 3_000; n++) expect(await stream.next()).toEqual({ done: false, value: n })
    await stream.return()
    expect(told.errors).toEqual([])
  })

  test('a stream whose session is lost says where it was', async () => {
    const { client, proxy, endpoint, told } = await cutting()
    const stream = client.other.count({})
    await stream.next()
    proxy.refuse()
    proxy.cut()
    await until(client, 'reconnecting')
    for (const channel of endpoint.channels) await channel.close()
    proxy.heal()
    const thrown = await rejection(itemsOf(stream))
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect((thrown as RpcDisconnectedError).items).toBeGreaterThanOrEqual(1)
    await polled(() => told.ended).toEqual(['count, aborted'])
  })
})

describe('bytes in items', () => {
  test.each([
    ['json', {}],
    ['msgpack', { codec: msgpackCodec }],
  ])('are carried both ways under %s', async (_, options) => {
    const { client } = plainPairOf<{ double(): AsyncIterable<Uint8Array> }>({
      server: {
        ...options,
        methods: {
          async *double(_, { input }) {
            for await (const chunk of input as AsyncIterable<Uint8Array>)
              yield new Uint8Array([...chunk, ...chunk])
          },
        },
      },
      client: options,
    })
    const input = [Uint8Array.of(1, 2), new Uint8Array()]
    expect(await itemsOf(client.stream('double', undefined, { input }))).toEqual([
      Uint8Array.of(1, 2, 1, 2),
      new Uint8Array(),
    ])
  })
})

describe('without a contract', () => {
  interface Plain {
    ticks(params: { upTo: number }): AsyncIterable<number>
    add(params: { a: number; b: number }): number
  }
  const methods = {
    ticks: ({ upTo }: { upTo: number }) => count(upTo),
    add: ({ a, b }: { a: number; b: number }) => a + b,
  }

  test('streams are called by name', async () => {
    const { client } = plainPairOf<Plain>({ server: { methods } })
    expect(await itemsOf(client.stream('ticks', { upTo: 3 }))).toEqual([0, 1, 2])
  })

  test('a stream is no method, and a method no stream; each says what to do', async () => {
    const { client } = plainPairOf<Plain>({ server: { methods } })
    const asMethod = await rejection(client.call('ticks' as 'add', { upTo: 3 } as never))
    expect(asMethod).toMatchObject({ code: -32600 })
    expect((asMethod as Error).message).toMatch(/"ticks" is a stream, .* by stream\(\)/)
    const asStream = await rejection(
      itemsOf(client.stream('add' as 'ticks', { a: 1, b: 2 } as never)),
    )
    expect(asStream).toMatchObject({ code: -32600 })
    expect((asStream as Error).message).toMatch(/"add" is not a stream/)
  })

  test('a stream needs flashrpc on the other side', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Plain>({ url: server.url })
    opened.push(() => client.close())
    await server.acceptPlain()
    const thrown = await rejection(itemsOf(client.stream('ticks', { upTo: 3 })))
    expect(thrown).toBeInstanceOf(RpcConfigError)
    expect((thrown as Error).message).toMatch(
      /"ticks" was not sent: plain JSON-RPC 2\.0 peers have no streams/,
    )
  })

  test('a stream has no idempotencyKey', async () => {
    const { client } = plainPairOf<Plain>({ server: { methods } })
    const thrown = await rejection(
      itemsOf(client.stream('ticks', { upTo: 3 }, { idempotencyKey: 'k' })),
    )
    expect(thrown).toBeInstanceOf(RpcConfigError)
  })
})

test('the two contracts disagree on what is a stream: the caller is told', async () => {
  const other = defineContract({
    server: { count: method({ result: z.number() }), add: stream({ item: z.number() }) },
  })
  const { url } = await serve()
  const client = createClient(other, { url })
  opened.push(() => client.close())
  expect(await rejection(client.other.count())).toMatchObject({ code: -32600 })
  expect(await rejection(itemsOf(client.other.add()))).toMatchObject({ code: -32600 })
})

test('a thousand streams at once each get their own items', async () => {
  const { server, client } = pairOf(contract, {
    server: { methods: { count: ({ upTo }) => count(upTo) } },
    client: { methods: {} },
  })
  await itemsOf(client.other.count({ upTo: 1 }))
  const all = await Promise.all(
    upTo(1_000).map((n) => itemsOf(client.other.count({ upTo: n % 50 }))),
  )
  expect(all.map((items) => items.length)).toEqual(upTo(1_000).map((n) => n % 50))
  await Promise.all([server.close(), client.close()])
})
