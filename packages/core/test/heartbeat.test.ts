import { once } from 'node:events'
import {
  type ClientState,
  createChannel,
  createClient,
  memoryTransportPair,
  type Transport,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { Heartbeat } from '../src/link/heartbeat.js'
import { builtIn } from '../src/transport/built-in.js'
import { polled } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'
import { acceptanceOf, httpServer } from './support/http-server.js'
import { RawEnd, settled } from './support/raw-end.js'
import { RawServer } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

describe('the times of a heartbeat', () => {
  let told: string[]
  let heartbeat: Heartbeat

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    told = []
    heartbeat = new Heartbeat(
      { intervalMs: 15_000, timeoutMs: 10_000 },
      { ping: () => told.push('ping'), dead: () => told.push('dead') },
    )
  })

  afterEach(() => {
    heartbeat.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  test('asks after a silence, and gives up when there is no answer', () => {
    vi.advanceTimersByTime(14_999)
    expect(told).toStrictEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toStrictEqual(['ping'])
    vi.advanceTimersByTime(9_999)
    expect(told).toStrictEqual(['ping'])
    vi.advanceTimersByTime(1)
    expect(told).toStrictEqual(['ping', 'dead'])
    vi.advanceTimersByTime(100_000)
    expect(told).toStrictEqual(['ping', 'dead'])
  })

  test('does not ask while things come in', () => {
    for (let n = 0; n < 100; n++) {
      vi.advanceTimersByTime(10_000)
      heartbeat.received()
    }
    expect(told).toStrictEqual([])
  })

  test('takes anything that comes in for an answer, and asks again after the next silence', () => {
    for (let n = 1; n <= 10; n++) {
      vi.advanceTimersByTime(15_000)
      expect(told).toHaveLength(n)
      vi.advanceTimersByTime(5_000)
      heartbeat.received()
    }
    expect(told).not.toContain('dead')
  })

  test('finds a peer that dies after its answer as soon as any other', () => {
    const beat = new Heartbeat(
      { intervalMs: 100, timeoutMs: 5_000 },
      { ping: () => told.push('ping'), dead: () => told.push('dead') },
    )
    vi.advanceTimersByTime(100)
    beat.received()
    vi.advanceTimersByTime(5_099)
    expect(told).toStrictEqual(['ping', 'ping'])
    vi.advanceTimersByTime(1)
    expect(told).toStrictEqual(['ping', 'ping', 'dead'])
  })

  test('asks nothing once it is stopped', () => {
    vi.advanceTimersByTime(15_000)
    heartbeat.stop()
    heartbeat.received()
    vi.advanceTimersByTime(100_000)
    expect(told).toStrictEqual(['ping'])
  })

  test('after a sleep a peer that answers is alive, and one that does not is dead', () => {
    for (const answers of [true, false]) {
      const seen: string[] = []
      let now = 0
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
      const beat = new Heartbeat(
        { intervalMs: 15_000, timeoutMs: 10_000 },
        { ping: () => seen.push('ping'), dead: () => seen.push('dead') },
      )
      const pass = (ms: number) => {
        now += ms
        vi.advanceTimersByTime(ms)
      }
      pass(15_000)
      now += 3_600_000
      pass(10_000)
      expect(seen).toStrictEqual(['ping', 'ping'])
      if (answers) beat.received()
      pass(3_000)
      expect(seen.includes('dead')).toBe(!answers)
      beat.stop()
      clock.mockRestore()
    }
  })

  test('one probe is all: a page whose timers are always late finds a dead peer', () => {
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const seen: string[] = []
    const beat = new Heartbeat(
      { intervalMs: 15_000, timeoutMs: 10_000 },
      { ping: () => seen.push('ping'), dead: () => seen.push('dead') },
    )
    for (let n = 0; n < 5; n++) {
      now += 60_000
      vi.advanceTimersByTime(15_000)
    }
    expect(seen).toStrictEqual(['ping', 'dead'])
    beat.stop()
    clock.mockRestore()
  })

  test('bytes that move are life, and one that stops to move is dead as soon as any other', () => {
    let moves = true
    const beat = new Heartbeat(
      { intervalMs: 15_000, timeoutMs: 10_000 },
      {
        ping: () => told.push('ping'),
        dead: () => told.push('dead'),
        hasMoved: () => moves,
      },
    )
    heartbeat.stop()
    vi.advanceTimersByTime(300_000)
    expect(told).toStrictEqual(['ping'])
    moves = false
    vi.advanceTimersByTime(7_499)
    expect(told).toStrictEqual(['ping'])
    vi.advanceTimersByTime(5_001)
    expect(told).toStrictEqual(['ping', 'dead'])
    beat.stop()
  })

  test('bytes that moved before it asked are no sign that comes after', () => {
    let asked = 0
    new Heartbeat(
      { intervalMs: 15_000, timeoutMs: 10_000 },
      {
        ping: () => told.push('ping'),
        dead: () => told.push('dead'),
        hasMoved: () => asked++ === 0,
      },
    )
    heartbeat.stop()
    vi.advanceTimersByTime(25_000)
    expect(told).toStrictEqual(['ping', 'dead'])
  })

  test('after a sleep a peer may be busy for 3 s, however far away it is', () => {
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const beat = new Heartbeat(
      { intervalMs: 15_000, timeoutMs: 10_000 },
      { ping: () => told.push('ping'), dead: () => told.push('dead'), latencyMs: 2_200 },
    )
    heartbeat.stop()
    now += 3_600_000
    vi.advanceTimersByTime(15_000)
    now += 5_199
    vi.advanceTimersByTime(5_199)
    expect(told).toStrictEqual(['ping'])
    now += 1
    vi.advanceTimersByTime(1)
    expect(told).toStrictEqual(['ping', 'dead'])
    beat.stop()
    clock.mockRestore()
  })

  test('with short times, a short hold-up counts as one', () => {
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const seen: string[] = []
    const beat = new Heartbeat(
      { intervalMs: 100, timeoutMs: 100 },
      { ping: () => seen.push('ping'), dead: () => seen.push('dead') },
    )
    now += 100
    vi.advanceTimersByTime(100)
    now += 160
    vi.advanceTimersByTime(100)
    expect(seen).toStrictEqual(['ping', 'ping'])
    beat.stop()
    clock.mockRestore()
  })
})

describe('on a wire that can stall', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  const hello = {
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000 } },
  }
  const rpcPing = { jsonrpc: '2.0', method: 'rpc.ping' }

  async function open(options: { reliable?: boolean; heartbeat?: false } = {}) {
    const [ours, theirs] = memoryTransportPair()
    // As a WebSocket's: it can stall.
    const transport: Transport = {
      reliable: options.reliable ?? false,
      start: (events) => ours.start(events),
      send: (frame) => ours.send(frame),
      close: (code, reason) => ours.close(code, reason),
    }
    const { heartbeat } = options
    const channel = createChannel<object, object>({
      side: 'server',
      transport,
      ...(heartbeat === false && { heartbeat }),
    })
    const peer = new RawEnd(theirs)
    await settled()
    return { channel, peer }
  }

  test('a server asks a silent client, and ends with 4408 when it does not answer', async () => {
    const { channel, peer } = await open()
    await peer.send(hello)
    peer.take()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(peer.take()).toStrictEqual([rpcPing])
    expect(channel.isConnected).toBe(true)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(channel.isConnected).toBe(false)
    expect(peer.closed).toMatchObject([{ code: 4408 }])
  })

  test('a client that answers stays', async () => {
    const { channel, peer } = await open()
    await peer.send(hello)
    peer.take()
    for (let n = 0; n < 10; n++) {
      await vi.advanceTimersByTimeAsync(15_000)
      expect(peer.take()).toStrictEqual([rpcPing])
      await peer.send({ jsonrpc: '2.0', method: 'rpc.pong' })
    }
    expect(channel.isConnected).toBe(true)
    await channel.close()
  })

  test('a plain peer on a wire without pings of its own is not asked', async () => {
    const { channel, peer } = await open()
    await peer.send({ jsonrpc: '2.0', method: 'anything' })
    await vi.advanceTimersByTimeAsync(100_000)
    expect(peer.take()).toStrictEqual([])
    expect(channel.isConnected).toBe(true)
    await channel.close()
  })

  test.each([{ heartbeat: false as const }, { reliable: true }])(
    'nobody is asked with %j',
    async (options) => {
      const { channel, peer } = await open(options)
      await peer.send(hello)
      peer.take()
      await vi.advanceTimersByTimeAsync(100_000)
      expect(peer.take()).toStrictEqual([])
      expect(channel.isConnected).toBe(true)
      await channel.close()
    },
  )
})

describe('on real sockets', () => {
  const retry = { minDelayMs: 5, maxDelayMs: 20 }
  const heartbeat = { intervalMs: 60, timeoutMs: 60 }

  /** Waits for a state that a client goes through, however shortly. */
  function seen(client: {
    subscribe(listener: (state: ClientState) => void): () => void
  }): ClientState[] {
    const states: ClientState[] = []
    client.subscribe((state) => states.push(state))
    return states
  }

  test('a server that goes silent is dead: its calls are cut, and the client tries again', async () => {
    // It completes the upgrade, greets, and says no more.
    await using server = await httpServer((socket, request) => {
      const result = { v: 1, sid: 'x', limits: { msg: 1_000 } }
      const hello = JSON.stringify({ jsonrpc: '2.0', id: 'rpc:1', result })
      socket.write(acceptanceOf(request))
      socket.write(Buffer.concat([Buffer.from([0x81, hello.length]), Buffer.from(hello)]))
    })
    await using client = createClient<{ hang(): void }>({ url: server.url, retry, heartbeat })
    const states = seen(client)
    const thrown = await rejection(client.other.hang())
    expect(thrown).toMatchObject({ outcome: 'maybe-executed', closeCode: 4408 })
    await polled(() => server.upgrades).toBeGreaterThan(2)
    expect(states.map(({ status }) => status)).toContain('reconnecting')
    // What was dead is not left open.
    await client.close()
    await polled(() => server.open).toBe(0)
  })

  test('a server that answers pings stays, and its latency is known', async () => {
    await using endpoint = createEndpoint<object>({ methods: {} })
    const { url } = await endpoint.listen()
    await using client = createClient<object>({
      url,
      retry,
      heartbeat: { intervalMs: 20, timeoutMs: 2_000 },
    })
    await client.connect()
    const latencies = new Set<number | null>()
    const states = seen(client)
    client.subscribe(({ latencyMs }) => latencies.add(latencyMs))
    await polled(() => latencies.size).toBeGreaterThan(4)
    expect(states.every(({ status }) => status === 'connected')).toBe(true)
    expect([...latencies].every((latency) => latency !== null && latency < 2_000)).toBe(true)
  })

  test('a plain server gets pings of the WebSocket itself, and stays', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<object>({
      url: server.url,
      retry,
      heartbeat: { intervalMs: 20, timeoutMs: 2_000 },
    })
    const peer = await server.acceptPlain()
    let pings = 0
    peer.socket.on('ping', () => pings++)
    await polled(() => pings).toBeGreaterThan(3)
    expect(peer.unread).toStrictEqual([])
    expect(client.state).toMatchObject({ status: 'connected', latencyMs: expect.any(Number) })
    expect(server.ever).toBe(1)
  })

  test('a server process that is stopped is found dead, and back when it goes on', async () => {
    const child = forkProgram(new URL('./support/serving-process.ts', import.meta.url))
    try {
      const [url] = (await once(child, 'message')) as [string]
      await using client = createClient<{ ping(): string }>({ url, retry, heartbeat })
      expect(await client.other.ping()).toBe('pong')
      const states = seen(client)
      child.kill('SIGSTOP')
      await polled(() => states.map(({ status }) => status)).toContain('reconnecting')
      expect(states.find(({ lastError }) => lastError)?.lastError).toMatchObject({
        closeCode: 4408,
      })
      child.kill('SIGCONT')
      expect(await client.other.ping().catch(() => client.other.ping())).toBe('pong')
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })
})

describe('on a link that is slow', () => {
  interface Server {
    put(params: { data: Uint8Array | string }): number
    get(params: { bytes: number }): Uint8Array
    note(params: { n: number }): void
  }
  /** Far less than what is sent here takes, and more than its sender is told with that it arrives. */
  const heartbeat = { intervalMs: 700, timeoutMs: 500 }
  const limits = { message: 8 * 1024 * 1024 }
  const BYTES = 900_000

  async function open(options: { plain?: boolean; fastPath?: boolean } = {}) {
    const ends: number[] = []
    const { fastPath = true } = options
    const endpoint = createEndpoint<Server>({
      fastPath,
      heartbeat,
      limits,
      onDisconnect: [(_, { code }) => ends.push(code)],
      methods: {
        put: ({ data }) => data.length,
        get: ({ bytes }) => new Uint8Array(bytes),
        note: () => {},
      },
    })
    const proxy = await createFaultProxy(await endpoint.listen())
    const client = createClient<Server>({
      url: proxy.url(),
      ...options,
      heartbeat,
      limits,
      retry: { minDelayMs: 10, maxDelayMs: 20 },
    })
    await client.connect()
    const states: string[] = []
    client.subscribe(({ status }) => states.push(status))
    return {
      proxy,
      client,
      ends,
      states,
      async [Symbol.asyncDispose]() {
        await client.close()
        await proxy.close()
        await endpoint.close()
      },
    }
  }

  test('an upload that moves is life to both sides', async () => {
    await using scene = await open()
    scene.proxy.throttle({ up: 250_000 })
    expect(await scene.client.other.put({ data: new Uint8Array(BYTES) })).toBe(BYTES)
    expect(scene.states).not.toContain('reconnecting')
    expect(scene.ends).toStrictEqual([])
  })

  test('a download that moves is life to both sides', async () => {
    await using scene = await open()
    scene.proxy.throttle({ down: 250_000 })
    expect(await scene.client.other.get({ bytes: BYTES })).toHaveLength(BYTES)
    expect(scene.states).not.toContain('reconnecting')
    expect(scene.ends).toStrictEqual([])
  })

  test('so are they where ws alone reads and writes frames', async () => {
    await using up = await open({ fastPath: false })
    await using down = await open({ fastPath: false })
    up.proxy.throttle({ up: 250_000 })
    down.proxy.throttle({ down: 250_000 })
    const got = down.client.other.get({ bytes: BYTES })
    expect(await up.client.other.put({ data: new Uint8Array(BYTES) })).toBe(BYTES)
    expect(await got).toHaveLength(BYTES)
    for (const { states, ends } of [up, down]) {
      expect(states).not.toContain('reconnecting')
      expect(ends).toStrictEqual([])
    }
  })

  test('an upload to a server that is called as a plain one is life, too', async () => {
    await using scene = await open({ plain: true })
    scene.proxy.throttle({ up: 250_000 })
    expect(await scene.client.other.put({ data: 'x'.repeat(BYTES) })).toBe(BYTES)
    expect(scene.states).not.toContain('reconnecting')
    expect(scene.ends).toStrictEqual([])
  })

  test('what arrives does not count as how long the server takes to answer', async () => {
    await using scene = await open()
    scene.proxy.throttle({ up: 250_000 })
    const latencies: (number | null)[] = []
    scene.client.subscribe(({ latencyMs }) => latencies.push(latencyMs))
    const before = scene.client.state.latencyMs
    const data = new Uint8Array(BYTES)
    await scene.client.other.put({ data })
    expect(latencies.filter((latency) => latency !== before && (latency ?? 0) < 1_000)).toEqual([])
  })

  test('an upload that stops to move is found dead', async () => {
    await using scene = await open()
    scene.proxy.throttle({ up: 250_000 })
    const put = rejection(scene.client.other.put({ data: new Uint8Array(4 * BYTES) }))
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const begin = performance.now()
    scene.proxy.stall()
    expect(await put).toMatchObject({ outcome: 'maybe-executed', closeCode: 4408 })
    expect(performance.now() - begin).toBeLessThan(3_500)
  })

  test('what goes into a black hole, little by little or much at once, is no life', async () => {
    for (const size of [10, 2 * BYTES]) {
      await using scene = await open()
      scene.proxy.blackHole()
      const begin = performance.now()
      const call = rejection(scene.client.other.put({ data: new Uint8Array(size) }))
      const noting = setInterval(() => void scene.client.other.note({ n: 1 }).catch(() => {}), 20)
      expect(await call).toMatchObject({ outcome: 'maybe-executed', closeCode: 4408 })
      clearInterval(noting)
      expect(performance.now() - begin).toBeLessThan(3_500)
    }
  })

  test('a transport that knows only how much waits in it sees that it leaves', async () => {
    await using server = await RawServer.listen()
    const socket = new WebSocket(server.url, { perMessageDeflate: false })
    const transport = webSocketTransport(socket as WebSocketLike)
    const [peer] = await Promise.all([server.accept(), once(socket, 'open')])
    peer.socket.pause()
    const look = () => builtIn(transport)?.hasMoved?.()
    expect(look()).toBe(false)
    transport.send('é'.repeat(10))
    // What leaves at once proves nothing: the system takes it.
    expect(look()).toBe(false)
    for (let n = 0; n < 40; n++) transport.send(new Uint8Array(500_000))
    look()
    await new Promise((resolve) => setTimeout(resolve, 300))
    look()
    expect(transport.bufferedBytes).toBeGreaterThan(1_000_000)
    transport.send('x')
    expect(look()).toBe(false)
    peer.socket.resume()
    await polled(look).toBe(true)
    await polled(() => transport.bufferedBytes).toBe(0)
    look()
    expect(look()).toBe(false)
  })
})
