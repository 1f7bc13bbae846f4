import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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
import { LeftOut } from '../src/devtools/message-reader.js'
import { Recorder } from '../src/devtools/recorder.js'
import type { Row } from '../src/devtools/row.js'
import { RowBook } from '../src/devtools/row-book.js'
import { NETWORKS } from '../src/devtools/simulated-network.js'

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
    keep: notification({ params: z.unknown() }),
    texts: stream({
      params: z.object({ times: z.number(), length: z.number() }),
      item: z.string(),
    }),
    report: method({
      params: z.object({ times: z.number(), length: z.number() }),
      progress: z.object({ n: z.number(), text: z.string() }),
    }),
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

/** Text that nothing shares with any other. */
function text(length: number): string {
  return randomBytes(length / 2).toString('hex')
}

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
      keep: () => {},
      async *texts({ times, length }) {
        for (let n = 0; n < times; n++) yield text(length)
      },
      async report({ times, length }, { progress, channel }) {
        for (let n = 0; n < times; n++) {
          progress({ n, text: text(length) })
          // What has not left yet would be told together.
          await channel.other.confirm()
        }
      },
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

const MIB = 1024 * 1024

/** What the rows hold, in bytes of JSON: params, answer and progress are in their messages. */
function heldBy(rows: readonly Row[]): number {
  return rows.reduce((sum, { messages }) => sum + JSON.stringify(messages).length, 0)
}

describe('memory is bounded', { timeout: 20_000 }, () => {
  test('by the newest rows, in both directions', async () => {
    const { endpoint, client, recorder } = await open()
    const [page] = [...endpoint.channels] as AnyChannel[]
    for (let n = 0; n < 60; n++) {
      await client.other.keep({ n, text: text(200_000) })
      await page?.notify('notify', { n, text: text(200_000) })
    }
    await client.other.add({ a: 0, b: 0 })
    const rows = await rowsOf(recorder)
    expect(heldBy(rows)).toBeLessThan(16 * MIB)
    expect(heldBy(rows)).toBeGreaterThan(4 * MIB)
    expect(recorder.store.getState().dropped).toBeGreaterThan(30)
    expect(rows.findLast(({ method }) => method === 'keep')?.params).toMatchObject({ n: 59 })
    expect(rows.findLast(({ method }) => method === 'notify')?.params).toMatchObject({ n: 59 })
  })

  test('by the first messages and the newest of a row', async () => {
    const { client, recorder } = await open()
    for await (const _ of client.other.texts({ times: 40, length: 200_000 }));
    let seen = 0
    const options = { onProgress: () => seen++ }
    await client.other.report({ times: 40, length: 200_000 }, options)
    expect(seen).toBe(40)
    const rows = await rowsOf(recorder)
    const [texts, report] = rows.filter(({ method }) => /texts|report/.test(method)) as [Row, Row]
    expect(texts).toMatchObject({ items: 40, outcome: 'done' })
    expect(report).toMatchObject({ outcome: 'done', progress: { n: 39 } })
    for (const row of [texts, report]) {
      expect(heldBy([row])).toBeLessThan(4 * MIB)
      expect(row.messages[0]?.message).toMatchObject({ method: row.method })
      expect(row.messages.at(-1)?.message).toHaveProperty('result')
      expect(row.messagesLeftOut).toBeGreaterThan(20)
    }
  })

  test.each([
    ['text', text(600_000)],
    ['much of little text', Array.from({ length: 60_000 }, () => [])],
  ])('by what a message carries: %s', async (_name, value) => {
    const { endpoint, client, recorder } = await open()
    const [page] = [...endpoint.channels] as AnyChannel[]
    await client.other.keep({ value })
    await page?.notify('notify', { value })
    await client.other.add({ a: 0, b: 0 })
    const rows = (await rowsOf(recorder)).filter(({ kind }) => kind === 'notification')
    expect(rows.map(({ params }) => params)).toEqual([expect.any(LeftOut), expect.any(LeftOut)])
    expect(rows.every(({ bytes }) => bytes > 100_000)).toBe(true)
    expect(heldBy(rows)).toBeLessThan(2_000)
  })

  test('by the progress that is kept, and the items of a stream that are large', async () => {
    const { client, recorder } = await open()
    const length = 600_000
    for await (const _ of client.other.texts({ times: 3, length }));
    await client.other.report({ times: 3, length }, { onProgress: () => {} })
    const rows = await rowsOf(recorder)
    const [texts, report] = rows.filter(({ method }) => /texts|report/.test(method)) as [Row, Row]
    expect(texts).toMatchObject({ items: 3, outcome: 'done' })
    expect(report).toMatchObject({ outcome: 'done', progress: expect.any(LeftOut) })
    expect(heldBy([texts, report])).toBeLessThan(5_000)
  })

  test('by what is kept of a message besides what it carries', () => {
    const book = new RowBook(() => false)
    const long = text(2_000_000)
    const call = { jsonrpc: '2.0', params: 1 }
    const write = (message: unknown) =>
      book.write('in', { message, bytes: JSON.stringify(message)?.length ?? 0 })
    write({ ...call, id: 1, method: long })
    write({ ...call, id: long, method: 'add' })
    write({ ...call, id: 2, method: 'add', rpc: { deadline: long }, [long]: long })
    write(long)
    const rows = book.rows()
    expect(rows.map(({ kind }) => kind)).toEqual(['call', 'unreadable', 'call', 'unreadable'])
    expect(rows[0]?.method.length).toBeLessThan(300)
    expect(JSON.stringify(rows).length).toBeLessThan(5_000)
  })

  test('by rows: of calls that have no answer yet, and of those that the server has not acknowledged', () => {
    const book = new RowBook(() => true)
    const write = (direction: 'in' | 'out', message: unknown) =>
      book.write(direction, { message, bytes: JSON.stringify(message).length })
    write('out', { jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello' })
    write('in', { jsonrpc: '2.0', id: 'rpc:1', result: { token: 'a' } })
    const params = Array.from({ length: 2_000 }, (_, id) => {
      const value = { id }
      write('out', { jsonrpc: '2.0', id, method: 'hang', params: value })
      return new WeakRef(value)
    })
    return new Promise<void>((resolve) => setTimeout(resolve)).then(() => {
      gc()
      expect(book.dropped).toBe(1_001)
      const held = params.filter((value) => value.deref() !== undefined)
      expect(held.length).toBeLessThanOrEqual(1_000)
      // Those that are gone are not looked for by their answers, and those that are there go on.
      write('in', { jsonrpc: '2.0', id: 0, result: null })
      write('in', { jsonrpc: '2.0', id: 1_999, result: null })
      const rows = book.rows()
      expect(rows).toHaveLength(1_000)
      expect(rows.filter(({ outcome }) => outcome === 'done')).toHaveLength(1)
    })
  })
})

describe('a slow network', { timeout: 20_000 }, () => {
  test.each(['in', 'out'] as const)('holds back so much and no more: %s', async (direction) => {
    const { endpoint, client, recorder } = await open({ resume: false })
    const [page] = [...endpoint.channels] as AnyChannel[]
    recorder.simulate(NETWORKS[3] as (typeof NETWORKS)[0])
    const isCut = () =>
      recorder.store.getState().timeline.some(({ cause }) => cause?.includes('slow network'))
    for (let n = 0; n < 200 && !isCut(); n++) {
      const params = { n, text: text(200_000) }
      if (direction === 'in') await page?.notify('notify', params).catch(() => {})
      else await client.other.keep(params).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve))
    }
    await expect.poll(isCut).toBe(true)
    recorder.simulate(NETWORKS[0])
    await client.connect()
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
  })

  test('lets a frame through that is larger than what it holds back otherwise', async () => {
    const { client, recorder } = await open()
    recorder.simulate({ name: 'test', latencyMs: 1, bytesPerSecond: 1_000_000_000 })
    const bytes = new Uint8Array(900_000)
    expect((await client.other.flip({ bytes })).bytes).toHaveLength(900_000)
  })
})

/** Collects garbage, whatever flags the process has. */
function gc(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}
