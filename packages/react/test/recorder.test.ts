import {
  type AnyChannel,
  createClient,
  defineContract,
  type Frame,
  method,
  notification,
  stream,
  type Transport,
  webSocketTransport,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { Recorder } from '../src/devtools/recorder.js'
import type { Row } from '../src/devtools/row.js'

/** The rows of the devtools, held against the frames on the wire, which are written down next to the socket. */

const bytes = z.instanceof(Uint8Array)
const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    fail: method(),
    hang: method(),
    flip: method({ params: z.object({ bytes }), result: z.object({ bytes }) }),
    askBack: method({ result: z.string() }),
    count: stream({ params: z.object({ to: z.number() }), item: z.number() }),
    sum: method({ input: z.number(), result: z.number() }),
    log: notification({ params: z.object({ n: z.number() }) }),
  },
  client: { confirm: method({ result: z.string() }), notify: notification() },
})

interface WireFrame {
  readonly direction: 'out' | 'in'
  readonly frame: Frame
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function open(options: { codec?: typeof msgpackCodec; resume?: boolean } = {}) {
  const { codec, resume = true } = options
  const endpoint = createEndpoint(contract, {
    ...(resume && { resume: {} }),
    ...(codec && { codec }),
    methods: {
      add: ({ a, b }) => a + b,
      fail: () => {
        throw new Error('on purpose')
      },
      hang: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        }),
      flip: ({ bytes }) => ({ bytes: new Uint8Array(bytes).reverse() }),
      askBack: async (_, { channel }) => `the page says ${await channel.other.confirm()}`,
      async *count({ to }) {
        for (let n = 1; n <= to; n++) yield n
      },
      async sum(_, { input }) {
        let sum = 0
        for await (const n of input) sum += n
        return sum
      },
      log: () => {},
    },
  })
  const { url } = await endpoint.listen()
  const wire: WireFrame[] = []
  let cut = () => {}
  const client = createClient(contract, {
    transport: async () => {
      const socket = new WebSocket(url)
      socket.binaryType = 'arraybuffer'
      await new Promise((resolve, reject) => {
        socket.once('open', resolve)
        socket.once('error', reject)
      })
      cut = () => socket.terminate()
      return overheard(webSocketTransport(socket), wire)
    },
    ...(codec && { codec }),
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    methods: { confirm: () => 'yes', notify: () => {} },
  })
  const recorder = new Recorder(client)
  opened.push(
    () => endpoint.close(),
    () => client.close(),
    () => recorder.end(),
  )
  await client.connect()
  return { endpoint, client, wire, recorder, cut: () => cut() }
}

/** A transport whose frames are written down. */
function overheard(transport: Transport, wire: WireFrame[]): Transport {
  return {
    get reliable() {
      return transport.reliable
    },
    get bufferedBytes() {
      return transport.bufferedBytes ?? 0
    },
    start: (events) =>
      transport.start({
        ...events,
        frame: (frame) => {
          wire.push({ direction: 'in', frame })
          events.frame(frame)
        },
        close: (info) => events.close(info),
      }),
    send: (frame) => {
      wire.push({ direction: 'out', frame })
      return transport.send(frame)
    },
    close: (code, reason) => transport.close(code, reason),
  }
}

/** The rows when nothing runs any more, and all that has passed is told. */
async function rowsOf(
  recorder: Recorder,
  wire: readonly WireFrame[] = [],
): Promise<readonly Row[]> {
  for (;;) {
    const { length } = wire
    // Longer than the recorder takes to tell, by the same clock.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const { rows } = recorder.store.getState()
    const isPending = rows.some(({ outcome }) => outcome === 'pending')
    if (!isPending && wire.length === length) return rows
  }
}

interface Message {
  id?: unknown
  method?: string
  result?: unknown
  error?: unknown
  params?: { id?: unknown }
}

/** The messages of frames, but for bytes that follow one. */
function messagesOf(wire: readonly WireFrame[]): { direction: string; message: Message }[] {
  return wire.flatMap(({ direction, frame }) => {
    if (typeof frame !== 'string') return []
    const read = JSON.parse(frame) as Message | Message[]
    return [read].flat().map((message) => ({ direction, message }))
  })
}

/** Holds rows against frames. */
function hold(rows: readonly Row[], wire: readonly WireFrame[]): void {
  const messages = messagesOf(wire)
  const textOf = (direction: string, message: Message) => {
    const { params: _, result: __, error: ___, ...rest } = message
    return `${direction} ${JSON.stringify(rest)}`
  }
  // Each message is in one row, once, and in none twice. (What bytes were put in, is looked at elsewhere.)
  const inRows = rows.flatMap((row) =>
    row.messages.map(({ direction, message }) => textOf(direction, message as Message)),
  )
  const late = messages.filter(({ message }) => !isSaidOfNone(message, rows))
  expect(inRows.sort()).toEqual(
    late.map(({ direction, message }) => textOf(direction, message)).sort(),
  )
  // A row's size is that of its frames.
  const bytesOnWire = wire.reduce((sum, { frame }) => sum + frame.length, 0)
  const bytesInRows = rows.reduce((sum, row) => sum + row.bytes, 0)
  const bytesOfNone = messages
    .filter(({ message }) => isSaidOfNone(message, rows))
    .reduce((sum, { message }) => sum + JSON.stringify(message).length, 0)
  expect(bytesInRows).toBeCloseTo(bytesOnWire - bytesOfNone)
  // A request is a row, however often it was written; its outcome is what came back.
  for (const direction of ['out', 'in'] as const) {
    const requests = messages.filter(
      (one) => one.direction === direction && one.message.method && one.message.id !== undefined,
    )
    const ids = new Set(
      requests.filter(({ message }) => message.id !== 'rpc:1').map(({ message }) => message.id),
    )
    const calls = rows.filter(
      (row) => row.direction === direction && (row.kind === 'call' || row.kind === 'stream'),
    )
    expect(calls).toHaveLength(ids.size)
    const resent = calls.reduce((sum, row) => sum + row.resent, 0)
    expect(resent).toBeGreaterThanOrEqual(requests.length - ids.size - helloCount(requests))
    for (const row of calls) {
      const { id } = (row.messages[0]?.message ?? {}) as Message
      const answer = messages.findLast(
        (one) => one.direction !== direction && !one.message.method && one.message.id === id,
      )?.message
      const cancelled = messages.some(
        ({ message }) => message.method === 'rpc.cancel' && message.params?.id === id,
      )
      const outcome = cancelled ? 'given up' : answer && 'error' in answer ? 'error' : 'done'
      expect([row.method, row.outcome]).toEqual([row.method, outcome])
    }
  }
}

function helloCount(requests: { message: Message }[]): number {
  return requests.filter(({ message }) => message.id === 'rpc:1').length
}

/** What is said of a call that has ended (credit that was under way) belongs to no row any more. */
function isSaidOfNone({ method, params }: Message, rows: readonly Row[]): boolean {
  if (!method || !/^rpc\.(credit|item|input|cancel|progress)/.test(method)) return false
  return !rows.some((row) =>
    row.messages.some(({ message }) => {
      const said = message as Message
      return said.method === method && JSON.stringify(said.params) === JSON.stringify(params)
    }),
  )
}

describe('rows', () => {
  test('are the calls on the wire, in both directions', async () => {
    const { endpoint, client, wire, recorder } = await open()
    const [page] = [...endpoint.channels] as AnyChannel[]
    const { other } = client
    await Promise.all([1, 2, 3].map((a) => other.add({ a, b: 1 })))
    await other.fail().catch(() => {})
    await other.add({ a: 'x' as unknown as number, b: 1 }).catch(() => {})
    await other.hang(undefined, { timeout: 10 }).catch(() => {})
    const controller = new AbortController()
    const given = other.hang(undefined, { signal: controller.signal }).catch(() => {})
    await other.add({ a: 0, b: 0 })
    controller.abort()
    await given
    expect(await other.askBack()).toBe('the page says yes')
    await other.log({ n: 1 })
    await page?.notify('notify')
    await page?.call('confirm')
    for await (const n of other.count({ to: 10 })) expect(n).toBeGreaterThan(0)
    for await (const n of other.count({ to: 1_000 })) if (n > 10) break
    expect(await other.sum(undefined, { input: [1, 2, 3] })).toBe(6)
    await other.add({ a: 0, b: 0 })
    const rows = await rowsOf(recorder, wire)
    hold(rows, wire)
    const named = (name: string) => rows.filter((row) => row.method === name)
    expect(named('count').map(({ items, outcome }) => [items >= 10, outcome])).toEqual([
      [true, 'done'],
      [true, 'given up'],
    ])
    expect(named('sum')[0]).toMatchObject({ items: 3, answer: { result: 6 }, kind: 'call' })
    expect(named('confirm').map(({ direction }) => direction)).toEqual(['in', 'in'])
    expect(named('rpc.hello')[0]).toMatchObject({ kind: 'protocol', outcome: 'done' })
  })

  test('are the same where connections are cut, and messages written again', async () => {
    const { client, wire, recorder, cut } = await open()
    const { other } = client
    const calls: Promise<unknown>[] = []
    for (let n = 0; n < 200; n++) {
      calls.push(other.add({ a: n, b: 1 }), other.log({ n }))
      if (n % 10 === 5) {
        cut()
        await expect.poll(() => client.state.status, { interval: 1 }).not.toBe('connected')
      }
      if (n % 7 === 0) await calls.at(-1)
    }
    await Promise.all(calls)
    const rows = await rowsOf(recorder, wire)
    hold(rows, wire)
    expect(rows.filter(({ method }) => method === 'log')).toHaveLength(200)
    expect(rows.filter(({ method }) => method === 'rpc.hello').length).toBeGreaterThan(10)
    expect(rows.reduce((sum, { resent }) => sum + resent, 0)).toBeGreaterThan(0)
    expect(client.state.resumed).toBe(true)
  })

  test('are lost with their connection, where no session goes on', async () => {
    const { client, recorder, cut } = await open({ resume: false })
    const hanging = client.other.hang().catch((error: unknown) => error)
    await client.other.add({ a: 1, b: 1 })
    cut()
    expect(await hanging).toMatchObject({ outcome: 'maybe-executed' })
    await client.connect()
    await client.other.add({ a: 1, b: 1 })
    const rows = await rowsOf(recorder)
    expect(rows.filter(({ kind }) => kind === 'call').map(({ outcome }) => outcome)).toEqual([
      'lost',
      'done',
      'done',
    ])
  })

  test('have bytes in their places, and not those of large messages', async () => {
    const { client, wire, recorder } = await open()
    await client.other.flip({ bytes: new Uint8Array([1, 2, 3]) })
    await client.other.flip({ bytes: new Uint8Array(300_000) })
    const [small, large] = (await rowsOf(recorder)).filter(({ method }) => method === 'flip')
    expect(small?.params).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
    expect(small?.answer).toEqual({ result: { bytes: new Uint8Array([3, 2, 1]) } })
    expect(large?.bytes).toBeGreaterThan(600_000)
    expect(JSON.stringify(large).length).toBeLessThan(5_000)
    const frames = wire.reduce((sum, { frame }) => sum + frame.length, 0)
    const rows = recorder.store.getState().rows
    expect(rows.reduce((sum, row) => sum + row.bytes, 0)).toBe(frames)
  })

  test('are read by the codec of the client', async () => {
    const { client, recorder } = await open({ codec: msgpackCodec })
    await client.other.flip({ bytes: new Uint8Array([1, 2, 3]) })
    const rows = await rowsOf(recorder)
    expect(rows.map(({ method, outcome }) => [method, outcome])).toEqual([
      ['rpc.hello', 'done'],
      ['flip', 'done'],
    ])
    expect(rows[1]?.params).toEqual({ bytes: new Uint8Array([1, 2, 3]) })
  })

  test('begin in the middle of a session where the recorder does', async () => {
    const { client, recorder, cut } = await open()
    recorder.end()
    await client.other.add({ a: 1, b: 1 })
    const hanging = client.other.hang()
    hanging.catch(() => {})
    const later = new Recorder(client)
    opened.push(() => later.end())
    const logged = client.other.log({ n: 1 })
    cut()
    await logged
    await client.connect()
    await client.other.add({ a: 2, b: 2 })
    const rows = await rowsOf(later)
    const names = rows.filter(({ kind }) => kind !== 'protocol').map(({ method }) => method)
    expect(names.filter((name) => name === 'log')).toHaveLength(1)
    expect(names.filter((name) => name === 'add')).toHaveLength(1)
  })

  test('messages of one row are bounded, the first and the newest are kept', async () => {
    const { client, recorder } = await open()
    let items = 0
    for await (const _ of client.other.count({ to: 500 })) items++
    expect(items).toBe(500)
    const row = (await rowsOf(recorder)).find(({ method }) => method === 'count')
    expect(row).toMatchObject({ items: 500, outcome: 'done' })
    expect(row?.messages).toHaveLength(50)
    expect(row?.messagesLeftOut).toBeGreaterThan(400)
    expect(row?.messages.at(-1)?.message).toMatchObject({ result: null })
    expect(row?.messages[0]?.message).toMatchObject({ method: 'count' })
  })
})
