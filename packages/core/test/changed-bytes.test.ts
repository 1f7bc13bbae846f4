import { MessageChannel } from 'node:worker_threads'
import {
  type ClientOptions,
  createChannel,
  createClient,
  memoryTransportPair,
  messagePortTransport,
  RpcAbortedError,
  type Transport,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

/** What is sent is what there was when it was sent, whatever its owner does with the memory then. */

interface Server {
  echo(params: { value: unknown }): unknown
  fill(params: { size: number; value: number }): Uint8Array
}
type Page = Record<never, never>

const MANY = 1_000_000
/** Fewer are copied to memory of their own. */
const FEW = 1_000

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const filled = (size: number, value: number) => new Uint8Array(size).fill(value)
const isFilled = (bytes: unknown, size: number, value: number) =>
  Buffer.compare(bytes as Uint8Array, filled(size, value)) === 0

/** What waits for the handshake counts, too. */
const limits = { queuedBytes: 100 * MANY }

/** The one piece of memory that the server's handler answers from. */
const scratch = new Uint8Array(MANY)
const methods = {
  echo: ({ value }: { value: unknown }) => value,
  fill: ({ size, value }: { size: number; value: number }) => scratch.subarray(0, size).fill(value),
}

async function serve(options: Partial<EndpointOptions<Server, Page>> = {}) {
  const endpoint = createEndpoint<Server, Page>({ ...options, methods: options.methods ?? methods })
  opened.push(() => endpoint.close())
  return { endpoint, ...(await endpoint.listen()) }
}

function connect(options: Partial<ClientOptions<Page, Server>>) {
  const client = createClient<Server, Page>({
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    limits,
    ...options,
  } as ClientOptions<Page, Server>)
  opened.push(() => client.close())
  return client
}

function channelsOver([near, far]: readonly [Transport, Transport]) {
  const server = createChannel<Server, Page>({ side: 'server', transport: far, methods, limits })
  const channel = createChannel<Page, Server>({ side: 'client', transport: near, limits })
  opened.push(
    () => server.close(),
    () => channel.close(),
  )
  return channel
}

function overPorts() {
  const { port1, port2 } = new MessageChannel()
  return channelsOver([messagePortTransport(port1), messagePortTransport(port2)])
}

const WIRES: Record<string, () => Promise<{ other: ReturnType<typeof connect>['other'] }>> = {
  socket: async () => connect({ url: (await serve()).url }),
  'socket with a session': async () => connect({ url: (await serve({ resume: {} })).url }),
  port: async () => overPorts(),
  memory: async () => channelsOver(memoryTransportPair()),
}

describe.each(Object.entries(WIRES))('bytes over a %s', (_, open) => {
  test.each([FEW, MANY])('%i of them: the caller may change them at once', async (size) => {
    const { other } = await open()
    const bytes = new Uint8Array(size)
    const answers = []
    for (let value = 1; value <= 6; value++) {
      answers.push(other.echo({ value: bytes.fill(value) }))
    }
    // Again, when the handshake is over.
    await answers[0]
    for (let value = 7; value <= 12; value++) {
      answers.push(other.echo({ value: bytes.fill(value) }))
    }
    bytes.fill(0)
    for (const [index, answer] of (await Promise.all(answers)).entries()) {
      expect(isFilled(answer, size, index + 1)).toBe(true)
    }
  })

  test.each([FEW, MANY])('%i of them: so may the handler that answers with them', async (size) => {
    const { other } = await open()
    const values = Array.from({ length: 7 }, (_, value) => value)
    const answers = await Promise.all(values.map((value) => other.fill({ size, value })))
    for (const value of values) expect(isFilled(answers[value], size, value)).toBe(true)
  })

  test('a part of a larger memory takes nothing else along', async () => {
    const { other } = await open()
    const part = filled(100_000, 7).subarray(10, 20).fill(8)
    const answer = (await other.echo({ value: part })) as Uint8Array
    expect(answer).toStrictEqual(filled(10, 8))
    expect(answer.buffer.byteLength).toBe(10)
  })

  test('bytes that were transferred elsewhere fail their call, and nothing else', async () => {
    const { other } = await open()
    const running = other.echo({ value: filled(FEW, 1) })
    const bytes = new Uint8Array(FEW)
    structuredClone(bytes, { transfer: [bytes.buffer] })
    const thrown = await rejection(other.echo({ value: bytes }))
    expect(thrown).toMatchObject({ outcome: 'not-sent', cause: expect.any(TypeError) })
    expect(isFilled(await running, FEW, 1)).toBe(true)
    expect(await other.echo({ value: new Uint8Array() })).toStrictEqual(new Uint8Array())
  })

  test('shared memory arrives as a copy', async () => {
    const { other } = await open()
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(9)
    const answer = (await other.echo({ value: shared })) as Uint8Array
    expect(answer).toStrictEqual(filled(4, 9))
    expect(answer.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test("Node's Buffers, at any depth and among what says itself what it is", async () => {
    const { other } = await open()
    const bytes = Buffer.alloc(FEW, 5)
    const dated = { at: new Date(0), of: { toJSON: () => ({ bytes }) }, bytes }
    const plain = new Uint8Array(bytes)
    expect(await other.echo({ value: dated })).toStrictEqual({
      at: '1970-01-01T00:00:00.000Z',
      of: { bytes: plain },
      bytes: plain,
    })
    let deep: unknown = bytes
    for (let depth = 0; depth < 120; depth++) deep = [deep]
    let answer = await other.echo({ value: deep })
    while (Array.isArray(answer)) answer = answer[0]
    expect(answer).toStrictEqual(plain)
    expect(Buffer.isBuffer(bytes)).toBe(true)
  })
})

test('what is sent once more in a session is what was sent before, given up or not', async () => {
  const heard: Uint8Array[] = []
  const { port } = await serve({
    resume: {},
    methods: {
      ...methods,
      echo: ({ value }) => {
        heard.push(value as Uint8Array)
        return 'heard'
      },
    },
  })
  const proxy = await createFaultProxy({ port })
  opened.push(() => proxy.close())
  const client = connect({ url: proxy.url() })
  expect(await client.other.echo({ value: filled(FEW, 0) })).toBe('heard')
  // From here on nothing arrives.
  proxy.stall({ up: true })
  const leaving = new AbortController()
  const bytes = new Uint8Array(MANY)
  const failures = [
    rejection(client.other.echo({ value: bytes.fill(1) }, { signal: leaving.signal })),
    rejection(client.other.echo({ value: bytes.fill(2) }, { signal: leaving.signal })),
  ]
  const answer = client.other.echo({ value: bytes.fill(3) })
  leaving.abort()
  bytes.fill(4)
  for (const failure of failures) expect(await failure).toBeInstanceOf(RpcAbortedError)
  proxy.cut()
  proxy.heal()
  expect(await answer).toBe('heard')
  await polled(() => heard.length).toBe(4)
  for (const [value, given] of heard.slice(1).entries()) {
    expect(isFilled(given, MANY, value + 1)).toBe(true)
  }
})

test('what goes to many is the same for who is sent it last', async () => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => (letGo = resolve))
  const slow = new Set<unknown>()
  const { endpoint, url } = await serve({
    resume: {},
    // So that it is acknowledged, and done with, at once.
    limits: { unackedBytes: 200_000 },
    use: async (call, next) => {
      if (slow.has(call.channel)) await held
      return next()
    },
  })
  const heard: unknown[][] = [[], []]
  for (const [index, values] of heard.entries()) {
    const hear = (params: { value: unknown }) => void values.push(params.value)
    const client = connect({ url, methods: { hear } as never })
    await client.connect()
    if (index === 1) slow.add([...endpoint.channels].at(-1))
  }
  const bytes = filled(150_000, 1)
  const all = endpoint.all as unknown as {
    notify(method: string, params: object): Promise<number>
  }
  const told = all.notify('hear', { value: bytes })
  await polled(() => heard[0]?.length).toBe(1)
  bytes.fill(2)
  await new Promise((resolve) => setTimeout(resolve, 50))
  letGo()
  expect(await told).toBe(2)
  await polled(() => heard[1]?.length).toBeGreaterThan(0)
  for (const [value] of heard) expect(isFilled(value, 150_000, 1)).toBe(true)
})
