import { randomBytes } from 'node:crypto'
import {
  type ChannelLimits,
  type Client,
  type ClientOptions,
  createChannel,
  createClient,
  RpcAbortedError,
  RpcOverloadedError,
  webSocketTransport,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint, type Endpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** Messages that wait until the other side has taken what was sent before: docs/guide/limits.md. */

interface Server {
  put(params: { data: Uint8Array }): number
  get(params: { size: number; n?: number }): string
  /** Answers the same, a turn later. */
  fetch(params: { size: number }): string
  hold(params: object): void
  note(params: { n: number; text?: string }): void
}
interface Page {
  get(params: { size: number }): string
  note(params: { n: number; text?: string }): void
}

const KIB = 1024
const retry = { minDelayMs: 10, maxDelayMs: 20 }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(options: Partial<EndpointOptions<Server, Page>> = {}) {
  const ran: number[] = []
  const errors: unknown[] = []
  const ends: { code: number; reason: string }[] = []
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const endpoint = createEndpoint<Server, Page>({
    onError: [(_, error) => errors.push(error)],
    onDisconnect: [(_, end) => ends.push(end)],
    ...options,
    methods: {
      put: ({ data }) => data.length,
      get: ({ size, n }) => {
        if (n !== undefined) ran.push(n)
        return 'x'.repeat(size)
      },
      fetch: async ({ size }) => {
        await new Promise((resolve) => setImmediate(resolve))
        return 'x'.repeat(size)
      },
      hold: () => released,
      note: ({ n }) => {
        ran.push(n)
      },
    },
  })
  opened.push(() => endpoint.close())
  opened.push(release)
  const { url, port } = await endpoint.listen()
  const proxy = await createFaultProxy({ port })
  opened.push(() => proxy.close())
  return { endpoint, url, proxy, ran, errors, ends, release }
}

function connectTo(url: string, options: Partial<ClientOptions<Page, Server>> = {}) {
  const client = createClient<Server, Page>({ url, retry, ...options } as ClientOptions<
    Page,
    Server
  >)
  opened.push(() => client.close())
  return client
}

async function rawTo(url: string): Promise<RawPeer> {
  const peer = await rawClient(url)
  opened.push(() => peer[Symbol.asyncDispose]())
  return peer
}

const limitsOfHello = { msg: 1024 * KIB, batch: 100, buf: 4096 * KIB }

/** Says hello, as a client that offers a session, and reads its answer. */
async function hello(peer: RawPeer, limits: object = limitsOfHello): Promise<void> {
  peer.send({
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: { v: 1, attempt: 1, codec: 'json', limits },
  })
  await peer.next()
}

function channelOf(endpoint: Endpoint<Server, Page>) {
  const [channel] = endpoint.channels
  if (!channel) throw new Error('Nobody is connected')
  return channel
}

const sessions = [
  ['without a session', undefined],
  ['in a session', {}],
] as const

describe.each(sessions)('%s, what does not fit in the socket waits', (_, resume) => {
  const options = resume && { resume }

  test('going up: each of many large calls ends with its value', async () => {
    const { url } = await serve(options)
    const client = connectTo(url)
    await client.connect()
    const data = new Uint8Array(1_000_000)
    const calls = Array.from({ length: 12 }, () => client.other.put({ data }))
    expect(await Promise.all(calls)).toStrictEqual(Array(12).fill(1_000_000))
  })

  test('coming down: each of many large answers arrives', async () => {
    const { url, proxy } = await serve(options)
    const client = connectTo(proxy.url())
    await client.connect()
    expect(url).not.toBe(proxy.url())
    const calls = Array.from({ length: 24 }, () => client.other.fetch({ size: 1_000_000 }))
    const sizes = (await Promise.all(calls)).map(({ length }) => length)
    expect(sizes).toStrictEqual(Array(24).fill(1_000_000))
    expect(client.state.status).toBe('connected')
  })

  test('over a slow link nothing is lost, repeated or out of order, either way', {
    timeout: 20_000,
  }, async () => {
    const limits: Partial<ChannelLimits> = { sendBuffer: 16 * KIB }
    const { endpoint, proxy, ran } = await serve({ ...options, limits })
    const heard: number[] = []
    const client = connectTo(proxy.url(), {
      limits,
      methods: { get: ({ size }) => 'y'.repeat(size), note: ({ n }) => void heard.push(n) },
    })
    await client.connect()
    // More than the operating system buffers on the way.
    proxy.throttle({ up: 40_000_000, down: 40_000_000 })
    const channel = channelOf(endpoint)
    const text = 'x'.repeat(100 * KIB)
    const told = Array.from({ length: 120 }, (_, n) => [
      client.notify('note', { n, text }),
      channel.notify('note', { n, text }),
      client.other.get({ size: 30 * KIB }),
      channel.other.get({ size: 30 * KIB }),
    ])
    await Promise.all(told.flat())
    const inOrder = Array.from({ length: 120 }, (_, n) => n)
    await polled(() => heard).toStrictEqual(inOrder)
    expect(ran).toStrictEqual(inOrder)
    expect(client.state.status).toBe('connected')
  })

  test('a call that waits can be taken back: it was never sent', async () => {
    const { proxy, ran } = await serve(options)
    const client = connectTo(proxy.url(), { limits: { sendBuffer: 16 * KIB } })
    await client.connect()
    proxy.stall({ up: true })
    const text = 'x'.repeat(200 * KIB)
    const notes = Array.from({ length: 60 }, (_, n) => client.notify('note', { n, text }))
    await polled(() => client.state.queued).toBeGreaterThan(0)
    const abort = new AbortController()
    const call = rejection(client.other.get({ size: 1, n: 1_000 }, { signal: abort.signal }))
    abort.abort()
    const error = await call
    expect(error).toBeInstanceOf(RpcAbortedError)
    expect(error).toMatchObject({ outcome: 'not-sent' })
    proxy.heal()
    await Promise.all(notes)
    await polled(() => ran).toStrictEqual(Array.from({ length: 60 }, (_, n) => n))
  })

  test('more than may wait is refused, and the rest arrives', async () => {
    const { endpoint, proxy, ran } = await serve({
      ...options,
      limits: { waitingMessages: 20, sendBuffer: KIB },
    })
    const heard: number[] = []
    const client = connectTo(proxy.url(), {
      limits: { waitingBytes: 500 * KIB, sendBuffer: KIB },
      methods: { get: () => '', note: ({ n }) => void heard.push(n) },
    })
    await client.connect()
    const channel = channelOf(endpoint)
    proxy.stall()
    const text = 'x'.repeat(100 * KIB)
    const up = Array.from({ length: 200 }, (_, n) => client.notify('note', { n, text }))
    const down = Array.from({ length: 200 }, (_, n) => channel.notify('note', { n, text }))
    const calls = [
      rejection(client.other.get({ size: 1, text } as never)),
      rejection(channel.other.get({ size: 1 })),
    ]
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(RpcOverloadedError)
      expect(error).toMatchObject({
        outcome: 'not-sent',
        method: 'get',
        message: expect.stringContaining('"waitingBytes"'),
      })
    }
    proxy.heal()
    const arrived = async (told: Promise<void>[]) => {
      const settled = await Promise.allSettled(told)
      return settled.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
    }
    const [wentUp, cameDown] = [await arrived(up), await arrived(down)]
    await polled(() => ran).toStrictEqual(wentUp)
    await polled(() => heard).toStrictEqual(cameDown)
    for (const all of [wentUp, cameDown]) {
      expect(all.length).toBeGreaterThan(5)
      expect(all.length).toBeLessThan(200)
    }
  })

  test('both sides may ask for more than fits at the same time: neither waits for the other for good', {
    timeout: 20_000,
  }, async () => {
    const limits: Partial<ChannelLimits> = {
      sendBuffer: 4 * KIB,
      answerBytes: 64 * KIB,
      unackedBytes: 64 * KIB,
      unackedMessages: 64,
    }
    const { endpoint, proxy } = await serve({ ...options, limits })
    const client = connectTo(proxy.url(), {
      limits,
      methods: { get: ({ size }) => 'y'.repeat(size), note: () => {} },
    })
    await client.connect()
    proxy.throttle({ up: 20_000_000, down: 20_000_000 })
    const channel = channelOf(endpoint)
    const size = 20 * KIB
    const calls = Array.from({ length: 400 }, () => [
      client.other.get({ size }),
      channel.other.get({ size }),
    ])
    const answers = await Promise.all(calls.flat())
    expect(answers.every(({ length }) => length === size)).toBe(true)
    expect(client.state.status).toBe('connected')
  })
})

test('what does not fit waits in a page’s socket, too, which does not say when it was read', async () => {
  const { proxy, ran } = await serve()
  const socket = new WebSocket(proxy.url())
  await new Promise((resolve) => socket.once('open', resolve))
  const transport = webSocketTransport(socket as never)
  const channel = createChannel<Page, Server>({
    side: 'client',
    transport,
    limits: { sendBuffer: 16 * KIB },
  })
  opened.push(() => channel.close())
  expect(await channel.other.get({ size: 1 })).toBe('x')
  proxy.throttle({ up: 8_000_000 })
  const text = 'x'.repeat(100 * KIB)
  for (let n = 0; n < 40; n++) void channel.notify('note', { n, text })
  expect(await channel.other.get({ size: 3 })).toBe('xxx')
  expect(ran).toStrictEqual(Array.from({ length: 40 }, (_, n) => n))
})

describe('a side that is behind', () => {
  test.each(sessions)('%s, and reads nothing is closed with a reason', async (_, resume) => {
    const { proxy, url, ends, endpoint } = await serve({
      ...(resume && { resume }),
      limits: { stalledMs: 700, sendBuffer: 64 * KIB },
      heartbeat: false,
    })
    const others = connectTo(url)
    await others.connect()
    const client = connectTo(proxy.url(), { heartbeat: false })
    await client.connect()
    proxy.stall({ down: true })
    // In a session, most of it waits for room in the window.
    const size = resume ? 9_000 : 90_000
    const calls = Array.from({ length: 600 }, () => client.other.get({ size }))
    const settling = Promise.allSettled(calls)
    const isCut = () =>
      resume
        ? [...endpoint.channels].some(({ isConnected }) => !isConnected)
        : ends.some(({ code, reason }) => code === 1013 && reason.includes('not read'))
    await polled(isCut).toBe(true)
    expect(await others.other.get({ size: 1 })).toBe('x')
    proxy.heal()
    const fulfilled = (await settling).filter(({ status }) => status === 'fulfilled').length
    if (resume) expect(fulfilled).toBe(600)
    else expect(fulfilled).toBeLessThan(600)
  })

  test('that moves is never cut off for it, however slow', { timeout: 20_000 }, async () => {
    const { proxy, endpoint, ends } = await serve({
      limits: { stalledMs: 1_500, sendBuffer: 4 * KIB },
    })
    let heard = 0
    const client = connectTo(proxy.url(), {
      methods: { get: () => '', note: () => void heard++ },
    })
    await client.connect()
    // So slow that sending what is in the system's buffers takes several times as long as `stalledMs`.
    proxy.throttle({ down: 3_000_000 })
    const channel = channelOf(endpoint)
    const text = 'x'.repeat(100 * KIB)
    const told = Array.from({ length: 150 }, (_, n) => channel.notify('note', { n, text }))
    await Promise.all(told)
    await expect.poll(() => heard, { timeout: 10_000 }).toBe(150)
    expect(ends).toStrictEqual([])
  })

  test('and acknowledges nothing is told why it is closed, by either side', async () => {
    const limits = { unackedMessages: 4, stalledMs: 700 }
    const { url, endpoint } = await serve({ resume: {}, limits })
    const peer = await rawTo(url)
    await hello(peer)
    const channel = channelOf(endpoint)
    for (let n = 0; n < 10; n++) void channel.notify('note', { n })
    const closed = { code: 1013, reason: expect.stringContaining('not acknowledged') }
    expect(await peer.closed).toMatchObject(closed)
    // Its session is kept.
    expect(endpoint.channels.size).toBe(1)

    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = connectTo(server.url, { limits })
    void client.connect()
    const session = { token: 'secret', recv: 0, windowMs: 30_000 }
    const other = await server.acceptExtended({ ...session, limits: limitsOfHello })
    await until(client, 'connected')
    for (let n = 0; n < 10; n++) void client.notify('note', { n })
    expect(await other.closed).toMatchObject(closed)
  })

  test('goes on where it acknowledges, late as that may be', async () => {
    const limits = { unackedMessages: 2, stalledMs: 900 }
    const { url, endpoint } = await serve({ resume: {}, limits })
    const peer = await rawTo(url)
    await hello(peer)
    const channel = channelOf(endpoint)
    const told = Array.from({ length: 10 }, (_, n) => channel.notify('note', { n }))
    for (let recv = 2; recv <= 8; recv += 2) {
      await new Promise((resolve) => setTimeout(resolve, 400))
      peer.send({ jsonrpc: '2.0', method: 'rpc.ack', params: [recv] })
    }
    await Promise.all(told)
    expect(peer.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('and says again and again what it has acknowledged does not go on by that', async () => {
    const { url, endpoint } = await serve({
      resume: {},
      limits: { unackedMessages: 2, stalledMs: 700 },
    })
    const peer = await rawTo(url)
    await hello(peer)
    for (let n = 0; n < 10; n++) {
      void channelOf(endpoint).notify('note', { n })
    }
    const again = setInterval(() => {
      peer.send({ jsonrpc: '2.0', method: 'rpc.ack', params: [0] })
    }, 50)
    opened.push(() => clearInterval(again))
    expect(await peer.closed).toMatchObject({ code: 1013 })
  })

  test('and pings without reading the answers is closed', async () => {
    const { proxy } = await serve({ resume: {}, heartbeat: false, limits: { sendBuffer: 4 * KIB } })
    const peer = await rawTo(proxy.url())
    await hello(peer)
    proxy.stall({ down: true })
    let closed = false
    void peer.closed.then(() => (closed = true))
    const pings = JSON.stringify(Array(100).fill({ jsonrpc: '2.0', method: 'rpc.ping' }))
    for (let n = 0; n < 4_000 && !closed; n++) {
      peer.socket.send(pings)
      if (n % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    proxy.heal()
    expect(await peer.closed).toMatchObject({ code: 1013 })
  })
})

describe('calls of a side that is behind', () => {
  /** A peer whose answers wait at the server, because it reads none. */
  async function behind(
    limits: Partial<ChannelLimits>,
    options: { resume?: object } = {},
    isGreeted = options.resume !== undefined,
  ) {
    const served = await serve({
      ...options,
      heartbeat: false,
      limits: { sendBuffer: KIB, answerBytes: 400 * KIB, ...limits },
    })
    const peer = await rawTo(served.proxy.url())
    if (isGreeted) await hello(peer)
    served.proxy.stall({ down: true })
    // More than the operating system buffers on the way.
    for (let n = 0; n < 200; n++) {
      peer.send({ jsonrpc: '2.0', id: `a${n}`, method: 'get', params: { size: 100 * KIB, n } })
      if (n % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await settledAt(() => served.ran.length)
    return { ...served, peer }
  }

  /** Waits until a number no longer grows. */
  async function settledAt(read: () => number): Promise<number> {
    for (let before = -1; before !== read(); ) {
      before = read()
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    return read()
  }

  async function answersOf(peer: RawPeer, count: number) {
    const answers: { id: unknown; result?: string; error?: { code: number }; rpc?: object }[] = []
    while (answers.length < count) {
      const frame = await peer.nextJson()
      const messages = Array.isArray(frame) && frame[0].id?.[0] === 'a' ? frame : [frame]
      answers.push(...messages.filter(({ method }) => method !== 'rpc.ack'))
      peer.send({ jsonrpc: '2.0', method: 'rpc.ack', params: [answers.length] })
    }
    return answers
  }

  test('are not begun until it has read, and then in order', async () => {
    const { peer, ran, proxy } = await behind({})
    expect(ran.length).toBeLessThan(150)
    expect(ran.length).toBeGreaterThan(1)
    peer.send({ jsonrpc: '2.0', method: 'note', params: { n: 200 } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(ran).not.toContain(200)
    proxy.heal()
    const answers = await answersOf(peer, 200)
    expect(answers.map(({ id }) => id)).toStrictEqual(
      Array.from({ length: 200 }, (_, n) => `a${n}`),
    )
    expect(answers.every(({ result }) => result?.length === 100 * KIB)).toBe(true)
    await polled(() => ran).toStrictEqual(Array.from({ length: 201 }, (_, n) => n))
  })

  test('are given up while they wait: they never run, and their caller is told', async () => {
    const { peer, ran, proxy } = await behind({})
    // It is the last call, so it waits.
    peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 'a199' } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    proxy.heal()
    const answers = await answersOf(peer, 200)
    expect(answers.find(({ id }) => id === 'a199')).toMatchObject({
      error: { code: -32800 },
      rpc: { ran: false },
    })
    expect(ran).not.toContain(199)
    expect(ran).toHaveLength(199)
  })

  test('are acknowledged again when all that waited was given up', {
    timeout: 20_000,
  }, async () => {
    const { peer, ran, proxy } = await behind({}, { resume: {} })
    const text = 'x'.repeat(700 * KIB)
    for (const id of ['b0', 'b1']) {
      peer.send({ jsonrpc: '2.0', id, method: 'get', params: { size: 1, n: 600, text } })
    }
    const ids = ['b0', 'b1', ...Array.from({ length: 200 }, (_, n) => `a${n}`)]
    for (const id of ids) peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id } })
    await new Promise((resolve) => setTimeout(resolve, 50))
    proxy.heal()
    const answered = new Set<unknown>()
    /** Reads a frame. @returns how far the server says that it has come, where it does. */
    const read = async (): Promise<number | undefined> => {
      const frame = await peer.nextJson()
      for (const { id, method, params } of [frame].flat()) {
        if (method === 'rpc.ack') return params[0]
        answered.add(id)
      }
      peer.send({ jsonrpc: '2.0', method: 'rpc.ack', params: [answered.size] })
      return undefined
    }
    while (answered.size < ids.length) await read()
    for (let n = 0; n < 40; n++) peer.send({ jsonrpc: '2.0', method: 'note', params: { n: 700 } })
    await polled(() => ran.filter((n) => n === 700).length).toBe(40)
    // The calls, what gave them up, and the notes.
    for (let recv: number | undefined; recv !== 2 * ids.length + 40; ) recv = await read()
    expect(ran).not.toContain(600)
  })

  test('have less time left by the time they waited', async () => {
    const { peer, ran, proxy } = await behind({}, { resume: {} })
    peer.send({
      jsonrpc: '2.0',
      id: 'late',
      method: 'get',
      params: { size: 1, n: 500 },
      rpc: { deadlineMs: 50 },
    })
    await new Promise((resolve) => setTimeout(resolve, 200))
    proxy.heal()
    const answers = await answersOf(peer, 201)
    expect(answers.at(-1)).toMatchObject({ id: 'late', error: { code: -32001 } })
    expect(ran).not.toContain(500)
  })

  test('of a batch wait as a whole', async () => {
    const { peer, ran, proxy } = await behind({})
    peer.send(
      [900, 901].map((n) => ({ jsonrpc: '2.0', id: n, method: 'get', params: { size: 1, n } })),
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(ran).not.toContain(900)
    proxy.heal()
    const answers = await answersOf(peer, 201)
    expect(answers.at(-1)).toMatchObject([{ id: 900 }, { id: 901 }])
  })

  test('of a batch are no messages of a session that began after them', {
    timeout: 20_000,
  }, async () => {
    const { peer, ran, proxy } = await behind({}, { resume: {} }, false)
    peer.send(
      [900, 901].map((n) => ({ jsonrpc: '2.0', id: n, method: 'get', params: { size: 1, n } })),
    )
    peer.send({
      jsonrpc: '2.0',
      id: 'rpc:1',
      method: 'rpc.hello',
      params: { v: 1, attempt: 1, codec: 'json', limits: limitsOfHello },
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    proxy.heal()
    while (!(await peer.next()).includes('"rpc:1"'));
    peer.send({ jsonrpc: '2.0', method: 'note', params: { n: 902 } })
    // From here on, answers have numbers.
    let answers = 0
    const acknowledged = async (): Promise<number> => {
      const messages = [await peer.nextJson()].flat()
      const ack = messages.find(({ method }) => method === 'rpc.ack')
      if (ack) return ack.params[0]
      answers += messages.length
      peer.send({ jsonrpc: '2.0', method: 'rpc.ack', params: [answers] })
      return acknowledged()
    }
    expect(await acknowledged()).toBe(1)
    await polled(() => ran.filter((n) => n >= 900)).toStrictEqual([900, 901, 902])
  })

  test('have a budget while they wait; beyond it they are refused, and have not run', async () => {
    // In a session the other side is still read, as its acknowledgements come there.
    const { peer, ran, proxy, errors } = await behind({ runningBytes: 100 * KIB }, { resume: {} })
    const text = 'x'.repeat(90 * KIB)
    for (let n = 0; n < 5; n++) {
      peer.send({
        jsonrpc: '2.0',
        id: `b${n}`,
        method: 'get',
        params: { size: 1, n: 600 + n, text },
      })
      peer.send({ jsonrpc: '2.0', method: 'note', params: { n: 700 + n, text } })
    }
    await polled(() => errors.length).toBeGreaterThan(0)
    expect(errors[0]).toMatchObject({
      code: -32003,
      message: expect.stringContaining('limits.runningBytes'),
    })
    proxy.heal()
    const answers = await answersOf(peer, 205)
    const refused = answers.filter(({ error }) => error)
    expect(refused.length).toBeGreaterThan(0)
    for (const { error, rpc } of refused) {
      expect([error, rpc]).toMatchObject([{ code: -32003 }, { ran: false }])
    }
    const ids = new Set(refused.map(({ id }) => id))
    for (const n of ran.filter((n) => n >= 600 && n < 700)) expect(ids).not.toContain(`b${n - 600}`)
    expect(peer.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('whose answers are more than may wait are told so, and the others have theirs', async () => {
    const { proxy } = await serve({ limits: { sendBuffer: KIB, answerBytes: 500 * KIB } })
    const client = connectTo(proxy.url())
    await client.connect()
    proxy.stall({ down: true })
    // All calls begin before the first is answered.
    const calls = Array.from({ length: 400 }, () => client.other.fetch({ size: 100 * KIB }))
    const settling = Promise.allSettled(calls)
    await new Promise((resolve) => setTimeout(resolve, 500))
    proxy.heal()
    const settled = await settling
    const failed = settled.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(400)
    for (const error of failed) {
      expect(error).toBeInstanceOf(RpcOverloadedError)
      expect(error).toMatchObject({ outcome: 'maybe-executed' })
    }
    expect(client.state.status).toBe('connected')
    expect(await client.other.get({ size: 1 })).toBe('x')
  })
})

describe('what waits in a session', () => {
  async function told(count: number, limits: Partial<ChannelLimits>) {
    const served = await serve({ resume: {}, limits: { sendBuffer: 4 * KIB, ...limits } })
    const heard: number[] = []
    const client = connectTo(served.proxy.url(), {
      methods: { get: () => '', note: ({ n }) => void heard.push(n) },
    })
    await client.connect()
    served.proxy.stall({ down: true })
    const channel = channelOf(served.endpoint)
    const text = 'x'.repeat(100 * KIB)
    const notes = Array.from({ length: count }, (_, n) => channel.notify('note', { n, text }))
    return { ...served, client, channel, notes, heard, text }
  }

  test('for a slow client is kept over a lost connection, however much it is', async () => {
    const { client, channel, notes, heard, proxy } = await told(200, {})
    expect(channel.isConnected).toBe(true)
    proxy.refuse()
    proxy.reset()
    await polled(() => channel.isConnected).toBe(false)
    proxy.heal()
    proxy.accept()
    await Promise.allSettled(notes)
    await until(client, 'connected')
    expect(client.state.resumed).toBe(true)
    await polled(() => heard.length).toBeGreaterThan(100)
    const arrived = (await Promise.allSettled(notes)).flatMap(({ status }, n) =>
      status === 'fulfilled' ? [n] : [],
    )
    await polled(() => heard).toStrictEqual(arrived)
  })

  test('is bounded while the client is away, too: more is refused, and the session goes on', async () => {
    const { client, channel, heard, proxy, text } = await told(100, {
      waitingMessages: 100,
      unackedBytes: 1024 * KIB,
    })
    proxy.refuse()
    proxy.reset()
    await polled(() => channel.isConnected).toBe(false)
    const more = Array.from({ length: 200 }, () => channel.notify('note', { n: 999, text }))
    const ends = await Promise.allSettled(more.slice(-50))
    for (const end of ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: { outcome: 'not-sent' } })
      expect((end as PromiseRejectedResult).reason).toBeInstanceOf(RpcOverloadedError)
    }
    proxy.heal()
    proxy.accept()
    await until(client, 'connected')
    expect(client.state.resumed).toBe(true)
    await polled(() => heard.length).toBeGreaterThan(99)
  })
})

describe('ids', () => {
  const call = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'get', params: { size: 1 } })

  test.each([
    ['text', 'i'.repeat(256), 'i'.repeat(257)],
    ['text beyond ASCII', 'ж'.repeat(256), 'ж'.repeat(257)],
  ])('of %s are 256 characters at the most', async (_, longest, longer) => {
    const { url, ran } = await serve()
    const peer = await rawTo(url)
    peer.send(call(longest))
    expect(await peer.nextJson()).toMatchObject({ id: longest, result: 'x' })
    peer.send(call(longer))
    peer.send([call(longer), call(7)])
    const refusal = { id: null, error: { code: -32600, message: expect.stringContaining('256') } }
    const answer = await peer.next()
    expect(JSON.parse(answer)).toMatchObject(refusal)
    expect(answer.length).toBeLessThan(256)
    expect(await peer.nextJson()).toMatchObject([refusal, { id: 7, result: 'x' }])
    expect(ran).toStrictEqual([])
  })

  test('that are too long name no stream', async () => {
    const { url } = await serve()
    const peer = await rawTo(url)
    await hello(peer)
    const id = 'i'.repeat(300)
    peer.send({ ...call(id), rpc: { credit: 4 } })
    expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32600 } })
  })
})

describe('calls that run', () => {
  const SIZE = 200 * KIB
  const lists = (characters: number) =>
    `[${Array(Math.floor(characters / 3))
      .fill('[]')
      .join()}]`

  /** Makes calls that never end. @returns how many of them were refused. */
  async function refusedOf(client: Client<Page, Server>, params: object, count: number) {
    const errors: unknown[] = []
    for (let n = 0; n < count; n++) {
      client.other.hold(params).catch((error: unknown) => errors.push(error))
    }
    // A refusal is sent at once, so that the end of a later call follows it.
    await client.other.get({ size: 1 }).catch(() => {})
    for (const error of errors) {
      expect(error).toBeInstanceOf(RpcOverloadedError)
      expect(error).toMatchObject({
        outcome: 'not-received',
        message: expect.stringContaining('limits.runningBytes'),
      })
    }
    return errors.length
  }

  test.each([
    ['text', { text: 'x'.repeat(SIZE) }, [4, 8]],
    ['bytes', { data: randomBytes(SIZE) }, [4, 8]],
    // They take 13 times their length.
    ['empty lists', { lists: JSON.parse(lists(SIZE)) }, [9, 9]],
  ])('of much %s are as many as their bytes may be', async (_, params, [least, most]) => {
    const { url, release } = await serve({ limits: { runningBytes: 5 * SIZE } })
    const client = connectTo(url)
    await client.connect()
    const refused = await refusedOf(client, params, 10)
    expect(refused).toBeGreaterThanOrEqual(least as number)
    expect(refused).toBeLessThanOrEqual(most as number)
    release()
    // Calls that have ended no longer count.
    await polled(() => client.state.inFlight).toBe(0)
    expect(await refusedOf(client, params, 1)).toBe(0)
  })

  test('are weighed under MessagePack, too', async () => {
    const codec = msgpackCodec
    const { url } = await serve({ codec, limits: { runningBytes: 2 * KIB * KIB } } as never)
    const client = connectTo(url, { codec } as never)
    await client.connect()
    const params = { lists: JSON.parse(lists(60 * KIB)) }
    expect(await refusedOf(client, params, 10)).toBeGreaterThanOrEqual(7)
  })

  test('and notifications share that budget', async () => {
    const { url, errors, ran } = await serve({ limits: { runningBytes: 300 * KIB } })
    const client = connectTo(url)
    await client.connect()
    expect(await refusedOf(client, { text: 'x'.repeat(SIZE) }, 1)).toBe(0)
    await client.notify('note', { n: 1, text: 'x'.repeat(SIZE) })
    await polled(() => errors).toMatchObject([{ code: -32003 }])
    expect(ran).toStrictEqual([])
  })

  test('may be a single one of any size, and any number of small ones', async () => {
    const { url } = await serve({ limits: { runningBytes: 60 * KIB } })
    const client = connectTo(url)
    await client.connect()
    expect(await refusedOf(client, { text: 'x'.repeat(SIZE) }, 1)).toBe(0)
    const { url: other } = await serve()
    const second = connectTo(other)
    await second.connect()
    expect(await refusedOf(second, {}, 900)).toBe(0)
  })
})
