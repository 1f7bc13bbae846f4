import { once } from 'node:events'
import { createReadStream, openAsBlob } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
import {
  type Channel,
  type ChannelLimits,
  type ChannelOptions,
  type Codec,
  createChannel,
  createClient,
  defineContract,
  jsonCodec,
  memoryTransportPair,
  messagePortTransport,
  method,
  type RpcDisconnectedError,
  RpcOverloadedError,
  RpcValidationError,
  stream,
  type Transport,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { someBytes } from './support/codec-cases.js'
import { polled } from './support/eventually.js'
import { plainPairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** Items that are bytes, and nothing else: those too large for one message arrive as several. */

const KIB = 1024
const MIB = 1024 * KIB
/** The most bytes of a piece. */
const PIECE = 64 * KIB

/** How many items each side's schema was asked about. */
let checked = 0
const bytes = z.custom<Uint8Array>((value) => ++checked > 0 && value instanceof Uint8Array)
const item = z.union([z.string(), bytes])

const contract = defineContract({
  server: {
    /** Gives back what it gets, item by item. */
    echo: stream({ input: item, item }),
    /** Counts what it gets; stops reading after so many items. */
    take: method({
      params: z.object({ most: z.number().optional() }),
      input: item,
      result: z.object({ items: z.number(), bytes: z.number() }),
    }),
    /** Gives so many bytes as one item. */
    give: stream({ params: z.object({ size: z.number() }), item }),
    wrapped: stream({ item: z.object({ content: bytes }) }),
    wrap: method({ input: z.object({ content: bytes }), result: z.number() }),
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
  },
  client: {},
})
type Server = typeof contract.server
type ServerChannel = Channel<Server, Record<never, never>>
type Caller = Pick<Channel<Record<never, never>, Server>, 'other'>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** What the server's handlers did. */
class Told {
  readonly ended: string[] = []
  readonly errors: unknown[] = []
}

function methodsTelling(told: Told) {
  return {
    async *echo(_: unknown, { input }: { input: AsyncIterable<Uint8Array | string> }) {
      yield* input
    },
    async take(
      { most = Number.POSITIVE_INFINITY }: { most?: number | undefined },
      { input }: { input: AsyncIterable<Uint8Array | string> },
    ) {
      const came = { items: 0, bytes: 0 }
      for await (const { length } of input) {
        came.items++
        came.bytes += length
        if (came.items === most) break
      }
      return came
    },
    async *give({ size }: { size: number }) {
      try {
        yield someBytes(size)
        told.ended.push('all was taken')
      } finally {
        told.ended.push('give')
      }
    },
    *wrapped() {
      yield { content: someBytes(2 * MIB) }
    },
    async wrap(_: unknown, { input }: { input: AsyncIterable<unknown> }) {
      let items = 0
      for await (const _ of input) items++
      return items
    },
    add: ({ a, b }: { a: number; b: number }) => a + b,
  }
}

/** What both sides agree on. */
type Format = Pick<ChannelOptions, 'codec' | 'frameType'>

interface Sides {
  readonly format?: Format | undefined
  readonly server?: Partial<ChannelLimits> | undefined
  readonly client?: Partial<ChannelLimits> | undefined
  readonly told?: Told
}

type Connect = (sides: Sides) => Caller | Promise<Caller>

function over(pair: () => [Transport, Transport]): Connect {
  return ({ format, server, client, told = new Told() }) => {
    const [here, there] = pair()
    createChannel<Server, Record<never, never>>(contract, {
      side: 'server',
      transport: there,
      methods: methodsTelling(told),
      onError: [(_: ServerChannel, error: unknown) => told.errors.push(error)],
      ...format,
      ...(server && { limits: server }),
    })
    const channel = createChannel(contract, {
      side: 'client',
      transport: here,
      ...format,
      ...(client && { limits: client }),
    })
    opened.push(() => channel.close())
    return channel
  }
}

function overSocket(hasSession: boolean) {
  return async ({ format, server, client, told = new Told() }: Sides) => {
    const { url, port, endpoint } = await serve({ format, server, told }, hasSession)
    const caller = createClient(contract, {
      url,
      ...format,
      ...(client && { limits: client }),
    })
    opened.push(() => caller.close())
    return Object.assign(caller, { port, endpoint })
  }
}

async function serve({ format, server, told = new Told() }: Sides, hasSession: boolean) {
  const endpoint = createEndpoint(contract, {
    methods: methodsTelling(told),
    onError: [(_, error) => told.errors.push(error)],
    ...format,
    ...(server && { limits: server }),
    ...(hasSession && { resume: {} }),
  })
  opened.push(() => endpoint.close())
  return { ...(await endpoint.listen()), endpoint }
}

const wires: Record<string, Connect> = {
  'in memory': over(memoryTransportPair),
  'a port': over(() => {
    const { port1, port2 } = new MessageChannel()
    return [messagePortTransport(port1), messagePortTransport(port2)]
  }),
  'a socket': overSocket(false),
  'a socket, in a session': overSocket(true),
}

/** JSON in which bytes are text: a third larger. */
const base64Codec: Codec = {
  name: 'json+base64',
  encode: (message) =>
    JSON.stringify(message, function (this: Record<string, unknown>, key, value) {
      const raw = this[key]
      return raw instanceof Uint8Array ? { $bytes: Buffer.from(raw).toString('base64') } : value
    }),
  decode: (frame) =>
    JSON.parse(String(frame), (_, value) =>
      typeof value?.$bytes === 'string'
        ? new Uint8Array(Buffer.from(value.$bytes, 'base64'))
        : value,
    ),
}

/** JSON in which each byte is five characters. */
const wastefulCodec: Codec = {
  name: 'json+waste',
  encode: (message) =>
    JSON.stringify(message, function (this: Record<string, unknown>, key, value) {
      const raw = this[key]
      if (!(raw instanceof Uint8Array)) return value
      return { $bytes: Array.from(raw, (byte) => `${byte}`.padStart(5)).join('') }
    }),
  decode: (frame) =>
    JSON.parse(String(frame), (_, value) =>
      typeof value?.$bytes === 'string'
        ? Uint8Array.from(value.$bytes.match(/.{5}/g) ?? [], Number)
        : value,
    ),
}

const codecs: Record<string, Format> = {
  'JSON in text frames': { codec: jsonCodec },
  'JSON in binary frames': { codec: jsonCodec, frameType: 'binary' },
  MessagePack: { codec: msgpackCodec },
  'JSON with base64': { codec: base64Codec },
}

async function itemsOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

/** Bytes that follow each other, as one, and texts as they are. */
function joined(items: readonly (Uint8Array | string)[]): (Uint8Array | string)[] {
  const all: (Uint8Array[] | string)[] = []
  for (const item of items) {
    const last = all.at(-1)
    if (typeof item === 'string') all.push(item)
    else if (typeof last === 'object') last.push(item)
    else all.push([item])
  }
  return all.map((item) => (typeof item === 'string' ? item : Buffer.concat(item)))
}

function isSame(left: readonly (Uint8Array | string)[], right: readonly (Uint8Array | string)[]) {
  // Vitest compares bytes one by one, which takes seconds for some MiB.
  return (
    left.length === right.length &&
    left.every((item, index) => Buffer.from(item).equals(Buffer.from(right[index] ?? '')))
  )
}

/** Of every kind of bytes, some too large for a message of 1 MiB, with texts to tell where one ends. */
function mixture(): (Uint8Array | string)[] {
  const large = someBytes(3 * MIB)
  return [
    someBytes(3),
    'at first, what is small',
    large,
    'a view of a larger buffer, of an odd length',
    large.subarray(77, 77 + 2 * MIB + 1),
    'a Buffer, of just the size of a message',
    Buffer.from(large.subarray(0, MIB)),
    'memory that is shared',
    new Uint8Array(new SharedArrayBuffer(MIB + PIECE)),
    'nothing',
    new Uint8Array(),
    'and the end',
  ]
}

describe.each(Object.entries(wires))('over %s', (_, connect) => {
  test.each(Object.entries(codecs))(
    'large bytes go along, and come, as several items: %s',
    async (_, format) => {
      const told = new Told()
      const { other } = await connect({ format, told })
      const items = await itemsOf(other.echo(undefined, { input: mixture() }))
      expect(isSame(joined(items), joined(mixture()))).toBe(true)
      // As few as there have to be: whatever fits is left whole.
      const pieces = [3, 2 * MIB + 1, MIB, MIB + PIECE, 0].map((size) => Math.ceil(size / PIECE))
      const whole = 2
      const cut = Math.ceil((3 * MIB) / PIECE) + pieces.slice(1, 4).reduce((a, b) => a + b)
      expect(items.filter((item) => typeof item !== 'string')).toHaveLength(cut + whole)
      expect(told.errors).toEqual([])
    },
  )

  test('small limits of either side are kept, also by a codec that makes much of bytes', async () => {
    const { other } = await connect({
      format: { codec: wastefulCodec },
      server: { message: 5_000 },
      client: { message: 3_000 },
    })
    const input = [someBytes(20_000), 'and', someBytes(900), 'and', someBytes(500)]
    const items = await itemsOf(other.echo(undefined, { input }))
    expect(isSame(joined(items), joined(input))).toBe(true)
    expect(items.at(-1)).toHaveLength(500)
  })
})

test('what fits into one message is left whole, up to the last byte', async () => {
  const { other } = await overSocket(false)({})
  const item = someBytes(MIB - 200)
  expect(await other.take({}, { input: [item] })).toEqual({ items: 1, bytes: item.length })
  expect((await itemsOf(other.give({ size: item.length }))).length).toBe(1)
})

test('each piece is held against the schema, and is 64 KiB at the most', async () => {
  const { other } = await overSocket(false)({})
  checked = 0
  const items = await itemsOf(other.give({ size: 2 * MIB }))
  expect(checked).toBe(32)
  expect(new Set(items.map(({ length }) => length))).toEqual(new Set([PIECE]))
})

test('each piece needs credit: who stops to take them stops them', async () => {
  const told = new Told()
  const { other } = await overSocket(false)({ told })
  const items = other.give({ size: 20 * MIB })
  await items.next()
  // What comes ahead is 1 MiB, and nothing else is on its way.
  await other.add({ a: 1, b: 2 })
  await polled(() => items.received).toBeGreaterThan(8)
  for (let turn = 0; turn < 20; turn++) await other.add({ a: 1, b: 2 })
  expect(items.received).toBeLessThanOrEqual(18)
  // Leaving ends the source in the middle of its item.
  await items.return()
  await polled(() => told.ended).toEqual(['give'])
  expect(told.errors).toEqual([])
})

test('a handler that has enough ends its input in the middle of an item', async () => {
  const { other } = await overSocket(false)({})
  let isReturned = false
  async function* source() {
    try {
      yield someBytes(20 * MIB)
      yield 'not wanted'
    } finally {
      isReturned = true
    }
  }
  expect(await other.take({ most: 3 }, { input: source() })).toEqual({ items: 3, bytes: 3 * PIECE })
  await polled(() => isReturned).toBe(true)
})

test('bytes that are transferred elsewhere meanwhile end their stream', async () => {
  const { other } = await overSocket(false)({})
  const large = someBytes(8 * MIB)
  const items = other.echo(undefined, { input: [large] })
  await items.next()
  structuredClone(large, { transfer: [large.buffer as ArrayBuffer] })
  const thrown = await rejection(itemsOf(items))
  expect(thrown).toMatchObject({ name: 'RpcAbortedError', cause: expect.any(TypeError) })
  expect(await other.add({ a: 1, b: 2 })).toBe(3)
})

describe('a connection that is lost in the middle of an item', () => {
  test('in a session, the rest goes over the next one, both ways', async () => {
    const { port } = await serve({}, true)
    await using proxy = await createFaultProxy({ port })
    await using client = createClient(contract, {
      url: proxy.url(),
      retry: { minDelayMs: 5, maxDelayMs: 20 },
    })
    proxy.cutAfter({ up: 3 * MIB, once: true })
    const large = someBytes(8 * MIB)
    const items = await itemsOf(client.other.echo(undefined, { input: [large] }))
    expect(isSame(joined(items), [large])).toBe(true)
    expect(items).toHaveLength(128)
  })

  test('without one, the caller is told how many items of its own were sent', async () => {
    const { port } = await serve({}, false)
    await using proxy = await createFaultProxy({ port })
    await using client = createClient(contract, { url: proxy.url(), retry: { minDelayMs: 5 } })
    await client.connect()
    proxy.cutAfter({ up: 7 * MIB, once: true })
    const input = Array.from({ length: 5 }, () => someBytes(2 * MIB))
    const thrown = await rejection(client.other.take({}, { input }))
    expect((thrown as RpcDisconnectedError).items).toBe(3)
    await until(client, 'connected')
  })
})

describe('bytes in an object are not cut', () => {
  const remedy = /larger than the 1048576 bytes .*A Uint8Array that is an item of its own is cut/

  test('as an item: both sides are told what to do', async () => {
    const told = new Told()
    const { other } = await overSocket(false)({ told })
    const thrown = await rejection(itemsOf(other.wrapped()))
    expect(thrown).toBeInstanceOf(RpcOverloadedError)
    expect((thrown as Error).message).toMatch(remedy)
    expect(told.errors.map(String)).toEqual([expect.stringMatching(remedy)])
  })

  test('as input: the caller is told', async () => {
    const { other } = await overSocket(false)({})
    const input = [{ content: someBytes(2 * MIB) }]
    const { cause } = (await rejection(other.wrap(undefined, { input }))) as Error
    expect(cause).toBeInstanceOf(RpcValidationError)
    expect((cause as Error).message).toMatch(remedy)
  })
})

describe('sources of files, and of the web', () => {
  const SIZE = 5 * MIB + 1
  const all = { bytes: SIZE }

  test('of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flashrpc-byte-items-'))
    opened.push(() => rm(folder, { recursive: true }))
    const path = join(folder, 'holiday.jpg')
    await writeFile(path, someBytes(SIZE))
    const { other } = await overSocket(false)({})
    const take = async (input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
      other.take({}, { input })
    expect(await take(createReadStream(path))).toMatchObject(all)
    expect(await take(createReadStream(path, { highWaterMark: 3 * MIB }))).toMatchObject(all)
    expect(await take(Readable.toWeb(createReadStream(path)))).toMatchObject(all)
    expect(await take((await openAsBlob(path)).stream())).toMatchObject(all)
    expect(await take(new Blob([someBytes(SIZE)]).stream())).toMatchObject(all)
  })

  test('of the body of a response', async () => {
    const server = createServer((_, response) => response.end(someBytes(SIZE))).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    opened.push(() => server.close())
    const { port } = server.address() as { port: number }
    const { other } = await overSocket(false)({})
    const { body } = await fetch(`http://127.0.0.1:${port}`)
    expect(await other.take({}, { input: body ?? [] })).toMatchObject(all)
    const { body: compressed } = new Response(
      new Blob([new Uint8Array(SIZE)]).stream().pipeThrough(new CompressionStream('gzip')),
    )
    const inflated = compressed?.pipeThrough(new DecompressionStream('gzip'))
    expect(await other.take({}, { input: inflated ?? [] })).toMatchObject(all)
  })

  test('a web stream that can’t be iterated over, as in some browsers, both ways', async () => {
    const notIterable = () => {
      const stream = new Blob([someBytes(SIZE)]).stream()
      return { getReader: () => stream.getReader() }
    }
    const { other } = await overSocket(false)({})
    expect(await other.take({}, { input: notIterable() })).toMatchObject(all)
    const { client } = plainPairOf<{ body(): AsyncIterable<Uint8Array> }>({
      server: { methods: { body: notIterable } },
    })
    const sizes = (await itemsOf(client.stream('body'))).map(({ length }) => length)
    expect(sizes.reduce((a, b) => a + b)).toBe(SIZE)
  })
})
