import { once } from 'node:events'
import { type Client, createClient, RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions, RejectUpgrade } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { freePort } from '../../../scripts/free-port.js'
import { eventually, polled } from './support/eventually.js'
import { httpServer, refuse } from './support/http-server.js'
import { RawPeer, RawServer } from './support/raw-peer.js'
import { until } from './support/until.js'

interface Server {
  ping(): string
}
type TestClient = Client<Record<never, never>, Server>

const retry = { minDelayMs: 1, maxDelayMs: 5 }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function clientOf(url: string | (() => string)): TestClient {
  const client = createClient<Server>({ url, retry, connectTimeoutMs: 2_000 })
  opened.push(() => client.close())
  return client
}

type Verdict = 'retry' | 'failed' | 'unauthorized'

describe('a connection that ended with a close code', () => {
  /** Every code that an end of a WebSocket may have, and what the client makes of it. */
  const table: [code: number, verdict: Verdict][] = [
    [1000, 'retry'],
    [1001, 'retry'],
    [1002, 'retry'],
    [1003, 'retry'],
    [1005, 'retry'],
    [1006, 'retry'],
    [1007, 'retry'],
    [1008, 'retry'],
    [1009, 'retry'],
    [1010, 'retry'],
    [1011, 'retry'],
    [1012, 'retry'],
    [1013, 'retry'],
    [1014, 'retry'],
    [3000, 'retry'],
    [4000, 'retry'],
    [4400, 'failed'],
    [4401, 'unauthorized'],
    [4403, 'failed'],
    [4404, 'retry'],
    [4408, 'retry'],
    [4409, 'failed'],
    [4429, 'retry'],
    [4999, 'retry'],
  ]

  for (const when of ['before the hello', 'after it'] as const) {
    test.each(table)(`with %i, ${when}, is followed by: %s`, async (code, verdict) => {
      await using server = await RawServer.listen()
      const client = clientOf(server.url)
      const peer = when === 'after it' ? await server.acceptExtended() : await server.accept()
      if (when === 'after it') await until(client, 'connected')
      end(peer, code)
      if (verdict === 'retry') {
        await polled(() => server.ever).toBeGreaterThan(1)
        expect(client.state.lastError).toMatchObject({ closeCode: code, outcome: 'not-sent' })
        return
      }
      const { lastError } = await until(client, verdict)
      expect(lastError).toBeInstanceOf(RpcDisconnectedError)
      expect(lastError).toMatchObject({ closeCode: code })
      expect(server.ever).toBe(1)
    })
  }

  /** 1005 is an end without a code, 1006 one without a goodbye. */
  function end({ socket }: RawPeer, code: number): void {
    if (code === 1006) socket.terminate()
    else if (code === 1005) socket.close()
    else socket.close(code)
  }
})

describe('an upgrade that was refused with an HTTP status', () => {
  const table: [status: string, verdict: Verdict][] = [
    ['200 OK', 'retry'],
    ['301 Moved Permanently', 'retry'],
    ['302 Found', 'retry'],
    ['400 Bad Request', 'retry'],
    ['401 Unauthorized', 'unauthorized'],
    ['402 Payment Required', 'retry'],
    ['403 Forbidden', 'failed'],
    ['404 Not Found', 'failed'],
    ['407 Proxy Authentication Required', 'failed'],
    ['408 Request Timeout', 'retry'],
    ['410 Gone', 'retry'],
    ['426 Upgrade Required', 'failed'],
    ['429 Too Many Requests', 'retry'],
    ['500 Internal Server Error', 'retry'],
    ['502 Bad Gateway', 'retry'],
    ['503 Service Unavailable', 'retry'],
    ['504 Gateway Timeout', 'retry'],
  ]

  test.each(table)('with %s is followed by: %s', async (status, verdict) => {
    await using server = await httpServer(refuse(status))
    const client = clientOf(server.url)
    if (verdict === 'retry') {
      await polled(() => server.upgrades).toBeGreaterThan(1)
      expect(client.state.lastError).toMatchObject({ httpStatus: Number(status.slice(0, 3)) })
      return
    }
    const { lastError } = await until(client, verdict)
    expect(lastError).toMatchObject({ httpStatus: Number(status.slice(0, 3)), outcome: 'not-sent' })
    expect(server.upgrades).toBe(1)
  })

  test.each([
    ['429 Too Many Requests', 'Retry-After: 1'],
    ['503 Service Unavailable', 'Retry-After: 1'],
    ['503 Service Unavailable', () => `Retry-After: ${new Date(Date.now() + 2_000).toUTCString()}`],
  ])('%s with a wish is met: %s', async (status, header) => {
    const line = typeof header === 'string' ? header : header()
    await using server = await httpServer(refuse(status, line))
    const client = clientOf(server.url)
    const begin = Date.now()
    const { retryAt } = await until(client, 'reconnecting')
    // A date says whole seconds: somewhat less than two are left of it.
    expect((retryAt as number) - begin).toBeGreaterThan(900)
    expect((retryAt as number) - begin).toBeLessThan(3_000)
    expect(server.upgrades).toBe(1)
  })

  test.each([4401, 401])('asks once more for credentials that can change: %i', async (how) => {
    let asked = 0
    await using raw = await RawServer.listen()
    await using http = await httpServer(refuse('401 Unauthorized'))
    const client = clientOf(() => `${how === 401 ? http.url : raw.url}/?${++asked}`)
    if (how === 4401) for (let n = 0; n < 2; n++) (await raw.accept()).socket.close(4401)
    await until(client, 'unauthorized')
    expect(asked).toBe(2)
  })
})

describe('a server that wants to be left alone', () => {
  test.each([
    [429, 1013],
    [503, 1013],
  ])('tells a page so, which can not see HTTP %i', async (status, code) => {
    const endpoint = createEndpoint<Server>({
      methods: { ping: () => 'pong' },
      authenticate: () => {
        throw new RejectUpgrade(status, 'Not now', { retryAfterSeconds: 6.5 })
      },
    })
    opened.push(() => endpoint.close())
    const { url, port } = await endpoint.listen()
    const page = new RawPeer(new WebSocket(url, { origin: `http://127.0.0.1:${port}` }))
    expect(await page.closed).toStrictEqual({ code, reason: 'retry-after=7; Not now' })
  })

  test.each([1013, 4429])('is left alone for as long as it says with %i', async (code) => {
    await using server = await RawServer.listen()
    const client = clientOf(server.url)
    const peer = await server.accept()
    const begin = Date.now()
    peer.socket.close(code, 'retry-after=2; Too much')
    const { retryAt } = await until(client, 'reconnecting')
    expect((retryAt as number) - begin).toBeGreaterThan(1_900)
    expect(client.state.lastError?.message).toContain('Too much')
    expect(server.ever).toBe(1)
  })

  test.each(['retry-after=; no', 'retry-after=1e9; no', 'Retry-After=9', 'please retry-after=9'])(
    'is not misread: %s',
    async (reason) => {
      await using server = await RawServer.listen()
      clientOf(server.url)
      const peer = await server.accept()
      peer.socket.close(1013, reason)
      await polled(() => server.ever).toBe(2)
    },
  )
})

describe('clients that lose their server together', () => {
  test('are told over how long a time to come back, of their number, and hear of it again', async () => {
    const endpoint = createEndpoint<Server>({ methods: { ping: () => 'pong' } })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const heard: unknown[] = []
    const first = new RawPeer(new WebSocket(url))
    opened.push(() => first[Symbol.asyncDispose]())
    await once(first.socket, 'open')
    first.send({
      jsonrpc: '2.0',
      id: 'rpc:1',
      method: 'rpc.hello',
      params: { v: 1, attempt: 1, codec: 'json', limits: { msg: 1000 } },
    })
    heard.push((await first.nextJson()).result.spreadMs)
    for (let n = 0; n < 59; n++) await clientOf(url).connect()
    first.send({ jsonrpc: '2.0', method: 'rpc.ping' })
    heard.push((await first.nextJson()).params)
    expect(heard).toStrictEqual([0, { spreadMs: 200 }])
  })

  test.each([
    [250, 250],
    [(clients: number) => clients * 7, 7],
    [() => Number.NaN, 0],
    [
      () => {
        throw new Error('no idea')
      },
      0,
    ],
  ])('over the time that an endpoint was given: %s', async (spreadMs, told) => {
    const endpoint = createEndpoint<Server>({ methods: { ping: () => 'pong' }, spreadMs })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    await clientOf(url).connect()
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const peer = new RawPeer(new WebSocket(url))
    opened.push(() => peer[Symbol.asyncDispose]())
    await once(peer.socket, 'open')
    peer.send({
      jsonrpc: '2.0',
      id: 'rpc:1',
      method: 'rpc.hello',
      params: { v: 1, attempt: 1, codec: 'json', limits: { msg: 1000 } },
    })
    expect((await peer.nextJson()).result.spreadMs).toBe(told)
  })

  test('an endpoint refuses a spread that is no time', () => {
    for (const spreadMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'long']) {
      expect(() => createEndpoint({ methods: {}, spreadMs } as never)).toThrow('spreadMs')
    }
  })

  /** What a client chose: how long it waits for an attempt, and how long after its first choice that was, in ms. */
  interface Wait {
    client: TestClient
    ms: number
    lateMs: number
  }

  /** Clients, and how long each chose to wait for each attempt. */
  async function manyClients(
    url: string,
    count: number,
    retry = { minDelayMs: 10, maxDelayMs: 30_000 },
  ) {
    const clients = Array.from({ length: count }, () => {
      const client = createClient<Server>({ url, retry })
      opened.push(() => client.close())
      return client
    })
    await Promise.all(clients.map((client) => client.connect()))
    const waits: Wait[] = []
    for (const client of clients) {
      let first: number | undefined
      client.subscribe(({ status, retryAt }) => {
        if (status !== 'reconnecting' || retryAt === null) return
        first ??= performance.now()
        waits.push({ client, ms: retryAt - Date.now(), lateMs: performance.now() - first })
      })
    }
    return { clients, waits }
  }

  /**
   * Times that are spread evenly over a window have some in each fifth of it. The chosen times are tested, which a
   * busy machine does not change.
   */
  function expectEven(times: readonly number[], windowMs: number): void {
    const fifths = [0, 0, 0, 0, 0]
    for (const ms of times) {
      const fifth = Math.min(4, Math.max(0, Math.floor((ms / windowMs) * 5)))
      fifths[fifth] = (fifths[fifth] ?? 0) + 1
    }
    expect(Math.min(...fifths)).toBeGreaterThan(times.length / 20)
    expect(Math.max(...fifths)).toBeLessThan((3 * times.length) / 5)
  }

  /** What clients chose for their nth attempt. */
  function choices(waits: readonly Wait[], nth: number): Wait[] {
    const counts = new Map<TestClient, number>()
    return waits.filter(({ client }) => {
      const count = (counts.get(client) ?? 0) + 1
      counts.set(client, count)
      return count === nth
    })
  }

  /** The times that clients chose for their nth attempt. */
  function chosen(waits: readonly Wait[], nth: number): number[] {
    return choices(waits, nth).map(({ ms }) => ms)
  }

  /** One look at all of them at a time: hundreds of clients that are each waited for take all of a busy machine. */
  async function allBack(clients: readonly TestClient[]): Promise<void> {
    const count = () => clients.filter((client) => client.state.status === 'connected').length
    await expect.poll(count, { timeout: 10_000 }).toBe(clients.length)
  }

  const serveSpread = async (
    options: Partial<EndpointOptions<Server, Record<never, never>>> = {},
  ) => {
    const methods = { ping: () => 'pong' }
    const endpoint = createEndpoint<Server>({ methods, spreadMs: 1_500, ...options })
    opened.push(() => endpoint.close())
    return { endpoint, port: (await endpoint.listen()).port }
  }

  test('because it was restarted come back over that time, and not all at once', async () => {
    const first = await serveSpread()
    const proxy = await createFaultProxy({ port: first.port })
    opened.push(() => proxy.close())
    const { clients, waits } = await manyClients(proxy.url(), 200)
    proxy.retarget({ port: (await serveSpread()).port })
    await first.endpoint.close()
    await polled(() => waits.length).toBe(200)
    expectEven(chosen(waits, 1), 1_500)
    await allBack(clients)
    expect(waits).toHaveLength(200)
  }, 20_000)

  test('because it was killed find nobody at once, and come back over that time then', async () => {
    const first = await serveSpread()
    const proxy = await createFaultProxy({ port: first.port })
    opened.push(() => proxy.close())
    const { clients, waits } = await manyClients(proxy.url(), 200)
    proxy.retarget({ port: await freePort() })
    proxy.cut()
    await polled(() => chosen(waits, 2).length).toBe(200)
    const second = await serveSpread()
    proxy.retarget({ port: second.port })
    expect(Math.max(...chosen(waits, 1))).toBeLessThan(500)
    expectEven(chosen(waits, 2), 1_500)
    await allBack(clients)
  }, 20_000)

  test('though it is there, which takes so many in a second, come back over that time', async () => {
    const { endpoint, port } = await serveSpread({
      resume: { windowMs: 6_000 },
      spreadMs: 60_000,
      limits: { connectionsPerSecond: 50 },
    })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1_100))
    const groups: Awaited<ReturnType<typeof manyClients>>[] = []
    for (let n = 0; n < 4; n++) {
      groups.push(await manyClients(proxy.url(), 50))
      await aSecond()
    }
    const clients = groups.flatMap((group) => group.clients)
    const before = clients.map((client) => client.state.sessionId)
    proxy.cut()
    const waits = () => groups.flatMap((group) => group.waits)
    await polled(() => chosen(waits(), 1).length).toBe(200)
    await allBack(clients)
    expect(chosen(waits(), 2).length).toBeGreaterThan(50)
    // Each chose from half of the time that its session had left then.
    const shares = choices(waits(), 2).map(({ ms, lateMs }) => ms / ((6_000 - lateMs) / 2))
    expectEven(shares, 1)
    expect(clients.map((client) => client.state.sessionId)).toStrictEqual(before)
    expect(endpoint.channels.size).toBe(200)
  }, 30_000)

  test('are more than one: a lone loss is made good at once, whatever was wished for', async () => {
    const { port } = await serveSpread({ resume: { windowMs: 2_000 }, spreadMs: 30_000 })
    const proxy = await createFaultProxy({ port })
    opened.push(() => proxy.close())
    const { clients, waits } = await manyClients(proxy.url(), 30)
    const before = clients.map((client) => client.state.sessionId)
    for (const connection of [...proxy.connections].slice(-5)) connection.reset()
    await polled(() => waits.length).toBe(5)
    await Promise.all(waits.map(({ client }) => until(client, 'connected')))
    expect(Math.max(...chosen(waits, 1))).toBeLessThan(500)
    expect(waits).toHaveLength(5)
    expect(clients.map((client) => client.state.sessionId)).toStrictEqual(before)
  })

  test('wait no longer than half of their session’s window, and than they were told to', async () => {
    const { endpoint, port } = await serveSpread({ resume: { windowMs: 800 }, spreadMs: 30_000 })
    const url = `ws://127.0.0.1:${port}`
    const { waits } = await manyClients(url, 20)
    const hasty = await manyClients(url, 20, { minDelayMs: 5, maxDelayMs: 10 })
    void endpoint.close()
    await polled(() => chosen(waits, 1).length + chosen(hasty.waits, 1).length).toBe(40)
    expect(Math.max(...chosen(waits, 1))).toBeLessThanOrEqual(400)
    expect(Math.max(...chosen(waits, 1))).toBeGreaterThan(100)
    expect(Math.max(...chosen(hasty.waits, 1))).toBeLessThanOrEqual(10)
  })

  test('take a new wish with a pong', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({
      url: server.url,
      retry: { minDelayMs: 1, maxDelayMs: 1e9 },
      heartbeat: { intervalMs: 20, timeoutMs: 5_000 },
    })
    opened.push(() => client.close())
    const peer = await server.acceptExtended()
    expect(await peer.nextJson()).toMatchObject({ method: 'rpc.ping' })
    peer.send({ jsonrpc: '2.0', method: 'rpc.pong', params: { spreadMs: 1e9 } })
    await peer.nextJson() // the next ping: the wish is known
    const begin = Date.now()
    peer.socket.close(1012)
    const { retryAt } = await until(client, 'reconnecting')
    expect((retryAt as number) - begin).toBeGreaterThan(1_000)
  })
})

describe('a client of which too much is asked', () =>
  test('does what it was told last, over a thousand turns', async () => {
    const endpoint = createEndpoint<Server>({ methods: { ping: () => 'pong' } })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const client = createClient<Server>({ url, retry: { ...retry, maxAttempts: 3 } })
    opened.push(() => client.close())
    for (let turn = 0; turn < 1_000; turn++) {
      if (turn % 3 === 0) client.reconnect()
      else if (turn % 3 === 1) void client.connect().catch(() => {})
      else for (const channel of endpoint.channels) void channel.close()
      if (turn % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    // What was closed last may still be on its way.
    await eventually(async () => {
      await client.connect()
      expect(await client.other.ping()).toBe('pong')
    })
    await client.close()
    client.reconnect()
    await expect(client.connect()).rejects.toThrow('closed')
    expect(client.state.status).toBe('closed')
    await polled(() => endpoint.channels.size).toBe(0)
  }))
