import { once } from 'node:events'
import { type ClientState, type Connect, createClient, memoryTransportPair } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RetrySchedule } from '../src/client/dial/retry-schedule.js'
import { polled } from './support/eventually.js'
import { acceptanceOf, httpServer } from './support/http-server.js'
import { RawServer } from './support/raw-peer.js'

interface Server {
  ping(): string
}

/** So long that nobody waits for it. */
const never = 600_000
const retry = { minDelayMs: never, maxDelayMs: never }

describe('reconnect() leaves an attempt that hangs', () => {
  test('whose upgrade is not answered', async () => {
    await using endpoint = createEndpoint<Server>({ methods: { ping: () => 'pong' } })
    const { url } = await endpoint.listen()
    let asked = 0
    await using silent = await httpServer(() => {})
    await using client = createClient<Server>({
      url: () => (++asked === 1 ? silent.url : url),
      retry,
      connectTimeoutMs: never,
    })
    await polled(() => silent.upgrades).toBe(1)
    client.reconnect()
    await client.connect()
    expect(await client.other.ping()).toBe('pong')
    await polled(() => silent.open).toBe(0)
  })

  test('whose hello is not answered, without ending the session of its server', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, retry, connectTimeoutMs: never })
    const first = await server.accept()
    await first.next()
    client.reconnect()
    const second = await server.acceptPlain()
    await client.connect()
    expect((await first.closed).code).not.toBe(1000)
    expect(second.socket.readyState).toBe(second.socket.OPEN)
    expect(server.ever).toBe(2)
  })

  test.each(['url', 'headers'] as const)('that waits for its %s', async (option) => {
    await using endpoint = createEndpoint<Server>({ methods: { ping: () => 'pong' } })
    const { url } = await endpoint.listen()
    let asked = 0
    const ask = <T>(value: T) => {
      return ++asked === 1 ? new Promise<T>(() => {}) : Promise.resolve(value)
    }
    await using client = createClient<Server>({
      url,
      ...(option === 'url' ? { url: () => ask(url) } : { headers: () => ask({}) }),
      retry,
      connectTimeoutMs: never,
    })
    await polled(() => asked).toBe(1)
    client.reconnect()
    await client.connect()
    expect(asked).toBe(2)
  })

  test('of a transport of the application, before it is there and after', async () => {
    const signals: AbortSignal[] = []
    const connect: Connect = ({ signal }) => {
      signals.push(signal)
      if (signals.length === 1) return new Promise(() => {})
      const [here, there] = memoryTransportPair()
      there.start({
        frame: (frame) => {
          const { id } = JSON.parse(frame as string)
          const result = { v: 1, sid: 'x', limits: { msg: 1_000 } }
          if (signals.length > 2) there.send(JSON.stringify({ jsonrpc: '2.0', id, result }))
        },
        close: () => {},
      })
      return here
    }
    await using client = createClient<Server>({
      transport: connect,
      retry,
      connectTimeoutMs: 60_000,
    })
    await polled(() => signals.length).toBe(1)
    client.reconnect()
    await polled(() => signals.length).toBe(2)
    expect(signals[0]?.aborted).toBe(true)
    client.reconnect()
    await client.connect()
    expect(signals).toHaveLength(3)
  })

  test('and not one connection that works, however often it is called', async () => {
    await using server = await httpServer((socket, request) => {
      socket.write(acceptanceOf(request))
      const result = { v: 1, sid: 'x', limits: { msg: 1_000 } }
      const hello = JSON.stringify({ jsonrpc: '2.0', id: 'rpc:1', result })
      socket.write(Buffer.concat([Buffer.from([0x81, hello.length]), Buffer.from(hello)]))
    })
    await using client = createClient<Server>({ url: server.url, retry })
    for (let n = 0; n < 1_000; n++) client.reconnect()
    await client.connect()
    const { upgrades } = server
    for (let n = 0; n < 1_000; n++) client.reconnect()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.upgrades).toBe(upgrades)
    expect(client.state.status).toBe('connected')
  })
})

test('what a server sends together with its answer to the upgrade is read', async () => {
  await using server = await httpServer((socket, request) => {
    const news = JSON.stringify({ jsonrpc: '2.0', method: 'news', params: { n: 1 } })
    const frame = Buffer.concat([Buffer.from([0x81, news.length]), Buffer.from(news)])
    socket.write(Buffer.concat([Buffer.from(acceptanceOf(request)), frame, frame]))
  })
  const heard: number[] = []
  await using client = createClient<Server, { news(params: { n: number }): void }>({
    url: server.url,
    plain: true,
    retry,
    methods: { news: ({ n }) => void heard.push(n) },
  })
  await client.connect()
  await polled(() => heard).toStrictEqual([1, 1])
})

describe('the network is there again', () => {
  const network = new EventTarget()

  beforeEach(() => {
    vi.stubGlobal('addEventListener', network.addEventListener.bind(network))
    vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  })

  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  /** When the next attempt of each of so many is due, in ms, counted from when the network is there again. */
  async function dueTimes(count: number, retryAfterMs: number | undefined) {
    const times: number[] = []
    const options = { minDelayMs: never, maxDelayMs: never, maxAttempts: 1_000 }
    const schedules = Array.from({ length: count }, () => {
      const schedule = new RetrySchedule(options, false, { waiting: () => {}, stopped: () => {} })
      schedule.failed({ message: 'lost', closeCode: 1006, retryAfterMs })
      void schedule.next().then((isDue) => isDue && times.push(performance.now()))
      return schedule
    })
    await vi.advanceTimersByTimeAsync(0)
    const begin = performance.now()
    network.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync((retryAfterMs ?? 0) + 1_000)
    for (const schedule of schedules) schedule.stop()
    return times.map((time) => time - begin)
  }

  test('clients come back within a second, and not all at once', async () => {
    const times = await dueTimes(100, undefined)
    expect(times).toHaveLength(100)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500)
  })

  test('no client comes back sooner than its server asked', async () => {
    const times = await dueTimes(100, 7_000)
    expect(times).toHaveLength(100)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(7_000)
    expect(Math.max(...times)).toBeLessThanOrEqual(8_000)
  })
})

test.each([
  [4001, false],
  [4009, false],
  [4011, true],
  [4013, true],
  [4000 + 16, true],
])('a session whose page closes with %i goes on: %s', async (code, goesOn) => {
  const ended: number[] = []
  await using endpoint = createEndpoint<Server>({
    resume: {},
    methods: { ping: () => 'pong' },
    onDisconnect: [(_, info) => ended.push(info.code)],
  })
  const { url } = await endpoint.listen()
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const params = { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000, buf: 1_000 } }
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params }))
  await once(socket, 'message')
  socket.close(code)
  await once(socket, 'close')
  await polled(() => [...endpoint.channels].filter((one) => one.isConnected).length).toBe(0)
  expect(endpoint.channels.size).toBe(goesOn ? 1 : 0)
  expect(ended).toStrictEqual(goesOn ? [] : [code])
})

test('a server that drains wakes by what happens, and not now and then', async () => {
  let finish: (value: string) => void = () => {}
  const endpoint = createEndpoint<Server>({
    methods: { ping: () => new Promise<string>((resolve) => (finish = resolve)) },
  })
  const { url } = await endpoint.listen()
  const client = createClient<Server>({ url, retry })
  const states: ClientState['status'][] = []
  client.subscribe(({ status }) => states.push(status))
  const call = client.other.ping()
  await polled(() => [...endpoint.channels][0]?.running).toBe(1)
  const closing = endpoint.close({ drain: 60_000 })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const set = vi.spyOn(globalThis, 'setTimeout')
  const before = timers()
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
  const begin = performance.now()
  while (performance.now() - begin < 100) await new Promise((resolve) => setImmediate(resolve))
  expect(set).not.toHaveBeenCalled()
  expect(timers()).toBeLessThanOrEqual(before)
  set.mockRestore()
  finish('pong')
  expect(await call).toBe('pong')
  await closing
  await client.close()
})

test('a client on a slow link learns why its server ends the connection', async () => {
  const endpoint = createEndpoint<{ get(): Uint8Array }>({
    limits: { message: 16 * 1024 * 1024 },
    methods: { get: () => new Uint8Array(9_000_000) },
  })
  const proxy = await createFaultProxy(await endpoint.listen())
  const client = createClient<{ get(): Uint8Array }>({
    url: proxy.url(),
    retry,
    limits: { message: 16 * 1024 * 1024 },
  })
  await client.connect()
  // Longer than who takes nothing is waited for.
  proxy.throttle({ down: 1_000_000 })
  const got = client.other.get()
  await polled(() => [...endpoint.channels][0]?.running).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 500))
  await [...endpoint.channels][0]?.close(4123, 'enough')
  expect(await got).toHaveLength(9_000_000)
  await expect
    .poll(() => client.state.lastError, { timeout: 15_000 })
    .toMatchObject({ closeCode: 4123 })
  expect(String(client.state.lastError)).toContain('enough')
  await client.close()
  await proxy.close()
  await endpoint.close()
}, 40_000)
