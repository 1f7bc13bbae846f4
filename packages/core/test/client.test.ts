import {
  type AnyClient,
  type Client,
  type ClientState,
  type ClientStatus,
  createChannel,
  createClient,
  memoryTransportPair,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcOverloadedError,
  RpcTimeoutError,
  type Transport,
} from '@flashrpc/core'
import { IDLE_STATE } from '@flashrpc/core/internal'
import { createEndpoint, type Endpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../scripts/free-port.js'
import { eventually, polled } from './support/eventually.js'
import { httpServer, refuse } from './support/http-server.js'
import { RawServer } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

interface Server {
  add(params: { a: number; b: number }): number
  hang(): void
}

/** Tries again soon, so that tests are quick. */
const soon = { minDelayMs: 5, maxDelayMs: 20 }

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  hang: () => new Promise<void>(() => {}),
}

function serve(): Endpoint<Server, Record<never, never>> {
  return createEndpoint<Server>({ methods })
}

/** The statuses a client goes through from now on. */
function statusesOf(client: AnyClient): ClientStatus[] {
  const statuses = [client.state.status]
  client.subscribe(({ status }) => {
    if (status !== statuses.at(-1)) statuses.push(status)
  })
  return statuses
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('states', () => {
  test('a client that is not to connect by itself is idle until it is told', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    await using client = createClient<Server>({ url, autoConnect: false })
    expect(client.state).toBe(IDLE_STATE)
    const statuses = statusesOf(client)
    await client.connect()
    expect(statuses).toStrictEqual(['idle', 'connecting', 'connected'])
    await client.connect()
  })

  test('a connected client knows its session, and how long the server takes to answer', async () => {
    await using endpoint = serve()
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    await client.connect()
    const [channel] = endpoint.channels
    expect(client.state).toStrictEqual({
      status: 'connected',
      attempt: 0,
      retryAt: null,
      lastError: null,
      latencyMs: expect.any(Number),
      sessionId: channel?.id,
      resumed: false,
      inFlight: 0,
      queued: 0,
    })
    expect(client.state.latencyMs).toBeGreaterThanOrEqual(0)
  })

  test('a plain server gives no session', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url })
    await server.acceptPlain()
    expect((await until(client, 'connected')).sessionId).toBeNull()
  })

  test('counts calls that wait for a connection, and for their answer', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, autoConnect: false })
    const calls = [rejection(client.other.hang()), rejection(client.other.hang())]
    await polled(() => client.state).toMatchObject({ queued: 2, inFlight: 0 })
    void client.connect()
    await server.acceptPlain()
    await polled(() => client.state).toMatchObject({ queued: 0, inFlight: 2 })
    await client.close()
    await Promise.all(calls)
    await polled(() => client.state).toMatchObject({ queued: 0, inFlight: 0 })
  })

  test('counts are those of the moment, and told once for all changes of a turn', async () => {
    await using endpoint = serve()
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    await client.connect()
    // Nobody listens yet.
    const first = client.other.add({ a: 1, b: 2 })
    expect(client.state.inFlight).toBe(1)
    expect(client.state).toBe(client.state)
    const seen: ClientState[] = []
    client.subscribe((state) => seen.push(state))
    expect(await first).toBe(3)
    await polled(() => seen.map(({ inFlight }) => inFlight)).toStrictEqual([0])
    const calls = [client.other.add({ a: 1, b: 2 }), client.other.add({ a: 3, b: 4 })]
    const during = client.state
    expect(during.inFlight).toBe(2)
    expect(await Promise.all(calls)).toStrictEqual([3, 7])
    await polled(() => seen.map(({ inFlight }) => inFlight)).toStrictEqual([0, 2, 0])
    expect(seen[1]).toBe(during)
    expect(seen[2]).toBe(client.state)
  })

  test('what is as it was told last is not told again', async () => {
    await using endpoint = serve()
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    await client.connect()
    const seen: ClientState[] = []
    client.subscribe((state) => seen.push(state))
    const before = client.state
    const controller = new AbortController()
    const call = rejection(client.other.hang(undefined, { signal: controller.signal }))
    expect(client.state.inFlight).toBe(1)
    controller.abort()
    await call
    expect(client.state).toStrictEqual(before)
    await client.other.add({ a: 1, b: 2 })
    await polled(() => seen.map(({ inFlight }) => inFlight)).toStrictEqual([1, 0])
    expect(client.state).toBe(seen[1])
  })

  test.each<[string, (call: () => Promise<unknown>) => unknown]>([
    ['at once', (call) => void call().catch(() => {})],
    ['later', (call) => setTimeout(() => call().catch(() => {}))],
    ['as long as the call lasts', async (call) => void (await call())],
    [
      'many times',
      (call) => {
        for (let n = 0; n < 3; n++) call().catch(() => {})
      },
    ],
  ])(
    'a listener that calls %s is told a change of status once, and not for ever',
    async (_, act) => {
      await using endpoint = serve()
      await using client = createClient<Server>({ url: (await endpoint.listen()).url })
      let told = 0
      const others: ClientState[] = []
      client.subscribe((state) => {
        if (state.status !== 'connected' || ++told > 1_000) return
        return act(() => client.other.add({ a: 1, b: 2 })) as undefined
      })
      client.subscribe((state) => others.push(state))
      await client.connect()
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(told).toBeLessThan(16)
      // Another listener is still told of the counts.
      expect(others.some(({ inFlight }) => inFlight > 0)).toBe(true)
      const controller = new AbortController()
      const call = rejection(client.other.hang(undefined, { signal: controller.signal }))
      await polled(() => others.at(-1)?.inFlight).toBeGreaterThan(0)
      controller.abort()
      await call
      await polled(() => others.at(-1)?.inFlight).toBe(client.state.inFlight)
    },
  )

  test('a listener that changes the state has the others told in order', async () => {
    await using endpoint = serve()
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    const seen: string[] = []
    client.subscribe(({ status }) => {
      if (status === 'connected') void client.close()
    })
    client.subscribe(({ status }) => seen.push(status))
    await polled(() => seen.at(-1)).toBe('closed')
    expect(seen).toStrictEqual([...seen.filter((status) => status !== 'closed'), 'closed'])
    expect(seen.filter((status) => status === 'connected')).toHaveLength(1)
  })

  test('tells each listener of each change, until it is unsubscribed', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const errors: unknown[] = []
    await using client = createClient<Server>({
      url,
      autoConnect: false,
      onError: [(_, error) => errors.push(error)],
    })
    const seen: ClientState[] = []
    const listener = (state: ClientState) => seen.push(state)
    client.subscribe(() => {
      throw new Error('A listener of its own failure')
    })
    const unsubscribe = client.subscribe(listener)
    client.subscribe(listener)
    unsubscribe()
    unsubscribe()
    await client.connect()
    expect(seen.at(-1)).toBe(client.state)
    expect(new Set(seen).size).toBe(seen.length)
    expect(errors.length).toBeGreaterThan(0)
  })

  test('a client may be closed while it tells that it is connected', async () => {
    await using endpoint = serve()
    const told: string[] = []
    const client = createClient<Server>({
      url: (await endpoint.listen()).url,
      onConnect: [() => told.push('connect')],
      onDisconnect: [() => told.push('disconnect')],
    })
    client.subscribe(({ status }) => {
      if (status === 'connected') void client.close()
    })
    await until(client, 'closed')
    await client.close()
    await polled(() => endpoint.channels.size).toBe(0)
    expect(told).toStrictEqual([])
  })
})

describe('losing the server', () => {
  test('comes back when a server is there again, and says so on the way', async () => {
    const first = serve()
    const { port, url } = await first.listen()
    await using client = createClient<Server>({ url, retry: soon })
    await client.connect()
    const { sessionId } = client.state
    const statuses = statusesOf(client)
    const seen: ClientState[] = []
    client.subscribe((state) => seen.push(state))
    await first.close()
    await until(client, 'reconnecting')
    // Several attempts fail before there is a server.
    await eventually(() => expect(client.state.attempt).toBeGreaterThan(2))
    expect(client.state.lastError).toBeInstanceOf(RpcDisconnectedError)
    expect(client.state.lastError?.message).toContain('ECONNREFUSED')
    await using second = serve()
    await second.listen({ port })
    const state = await until(client, 'connected')
    expect(statuses).toStrictEqual(['connected', 'reconnecting', 'connected'])
    expect(state).toMatchObject({ attempt: 0, retryAt: null, lastError: null })
    expect(state.sessionId).not.toBe(sessionId)
    const [lost] = seen
    expect(lost?.lastError).toMatchObject({ closeCode: 1001, code: -32000 })
    expect(lost?.retryAt).toBeGreaterThan(0)
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('calls that were sent may have run; they are never sent again', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, retry: soon })
    const first = await server.acceptPlain()
    const calls = [rejection(client.other.hang()), rejection(client.other.add({ a: 1, b: 1 }))]
    await first.next()
    await first.next()
    first.socket.terminate()
    for (const thrown of await Promise.all(calls)) {
      expect(thrown).toBeInstanceOf(RpcDisconnectedError)
      expect(thrown).toMatchObject({ outcome: 'maybe-executed', closeCode: 1006 })
    }
    const second = await server.acceptPlain()
    const calling = client.other.add({ a: 40, b: 2 })
    const request = await second.nextJson()
    expect(request).toMatchObject({ method: 'add', params: { a: 40, b: 2 } })
    second.send({ jsonrpc: '2.0', id: request.id, result: 42 })
    expect(await calling).toBe(42)
    expect(second.unread).toStrictEqual([])
  })

  test('an answer to a call of an earlier connection is nobody’s', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, retry: soon })
    const first = await server.acceptPlain()
    const cut = rejection(client.other.hang())
    const { id } = await first.nextJson()
    first.socket.terminate()
    await cut
    const second = await server.acceptPlain()
    const calling = client.other.add({ a: 1, b: 1 })
    const request = await second.nextJson()
    expect(request.id).not.toBe(id)
    second.send({ jsonrpc: '2.0', id, result: 'late' })
    second.send({ jsonrpc: '2.0', id: request.id, result: 2 })
    expect(await calling).toBe(2)
  })

  test('calls made meanwhile are sent, in their order, once there is a connection', async () => {
    const port = await freePort()
    await using client = createClient<Server>({ url: `ws://127.0.0.1:${port}`, retry: soon })
    const calls = [1, 2, 3].map((n) => client.other.add({ a: n, b: 0 }))
    await until(client, 'reconnecting')
    await using server = await RawServer.listen(port)
    const peer = await server.acceptPlain()
    for (const n of [1, 2, 3]) {
      const { id, params } = await peer.nextJson()
      expect(params).toStrictEqual({ a: n, b: 0 })
      peer.send({ jsonrpc: '2.0', id, result: n })
    }
    expect(await Promise.all(calls)).toStrictEqual([1, 2, 3])
  })

  test('as many calls wait as the limits allow', async () => {
    const limits = { queuedMessages: 2, queuedBytes: 200 }
    await using client = createClient<Server>({ url: 'ws://127.0.0.1', autoConnect: false, limits })
    const waiting = [rejection(client.other.hang())]
    const large = { a: 0, b: 0, text: 'x'.repeat(200) }
    const tooLarge = await rejection(client.other.add(large))
    waiting.push(rejection(client.other.hang()))
    const tooMany = await rejection(client.other.hang())
    for (const thrown of [tooLarge, tooMany]) {
      expect(thrown).toBeInstanceOf(RpcOverloadedError)
      expect(thrown).toMatchObject({ outcome: 'not-sent', code: -32003 })
    }
    expect(client.state).toMatchObject({ queued: 2 })
    await client.close()
    for (const thrown of await Promise.all(waiting)) {
      expect(thrown).toMatchObject({ outcome: 'not-sent' })
    }
  })

  test('a call whose time runs out, or that is aborted, while it waits is never sent', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, autoConnect: false })
    const controller = new AbortController()
    const timedOut = rejection(client.other.add({ a: 1, b: 1 }, { timeout: 10 }))
    const aborted = rejection(client.other.add({ a: 2, b: 2 }, { signal: controller.signal }))
    const notified = rejection(client.notify('add', { a: 3, b: 3 }, { timeout: 10 }))
    const kept = rejection(client.other.add({ a: 4, b: 4 }))
    controller.abort()
    expect(await timedOut).toBeInstanceOf(RpcTimeoutError)
    expect(await timedOut).toMatchObject({ outcome: 'not-sent' })
    expect(await aborted).toBeInstanceOf(RpcAbortedError)
    expect(await aborted).toMatchObject({ outcome: 'not-sent' })
    expect(await notified).toMatchObject({ outcome: 'not-sent' })
    void client.connect()
    const peer = await server.acceptPlain()
    expect(await peer.nextJson()).toMatchObject({ params: { a: 4, b: 4 } })
    await client.notify('hang')
    expect(await peer.nextJson()).toMatchObject({ method: 'hang' })
    await client.close()
    await kept
  })

  test('reconnect() does not wait for the next attempt to be due', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99)
    const port = await freePort()
    const retry = { minDelayMs: 600_000, maxDelayMs: 600_000 }
    await using client = createClient<Server>({ url: `ws://127.0.0.1:${port}`, retry })
    const { retryAt } = await until(client, 'reconnecting')
    expect(retryAt).toBeGreaterThan(Date.now() + 500_000)
    await using endpoint = serve()
    await endpoint.listen({ port })
    client.reconnect()
    await until(client, 'connected')
    client.reconnect()
    expect(client.state.status).toBe('connected')
    expect(endpoint.channels.size).toBe(1)
  })

  test.each([1000, 1001, 1005, 1011, 1013, 4000, 4408, 4429])(
    'tries again when the server closes with %i',
    async (code) => {
      await using server = await RawServer.listen()
      await using client = createClient<Server>({ url: server.url, retry: soon })
      const peer = await server.acceptExtended()
      await until(client, 'connected')
      if (code === 1005) peer.socket.close()
      else peer.socket.close(code, 'Because')
      await server.acceptExtended()
      await until(client, 'connected')
    },
  )

  test.each([
    [4400, 'failed'],
    [4403, 'failed'],
    [4409, 'failed'],
    [4401, 'unauthorized'],
  ] as const)('stops when the server closes with %i', async (code, status) => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: server.url, retry: soon })
    const peer = await server.acceptExtended()
    await until(client, 'connected')
    const cut = rejection(client.other.hang())
    await peer.next()
    peer.socket.close(code, 'Because')
    expect(await cut).toMatchObject({ outcome: 'maybe-executed', closeCode: code })
    const state = await until(client, status)
    expect(state).toMatchObject({ retryAt: null, lastError: { closeCode: code } })
    const refused = await rejection(client.other.hang())
    expect(refused).toBeInstanceOf(RpcDisconnectedError)
    expect(refused).toMatchObject({ outcome: 'not-sent', closeCode: code })
    expect(server.ever).toBe(1)
    void client.connect()
    await server.acceptExtended()
    await until(client, 'connected')
  })
})

describe('attempts that fail', () => {
  test.each([
    'http://127.0.0.1/',
    'https://example.com',
    'garbage',
    '',
    '/ws',
    'ws://',
    'ws://127.0.0.1/#fragment',
    undefined as unknown as string,
    42 as unknown as string,
  ])('refuses the address %j at once', (url) => {
    expect(() => createClient({ url })).toThrow(RpcConfigError)
  })

  test('refuses options that make no sense, by name', () => {
    const url = 'ws://127.0.0.1'
    const transport = () => memoryTransportPair()[0]
    const refused: [object, RegExp][] = [
      [{}, /url/],
      [{ url, transport }, /not both/],
      [{ transport: 1 }, /transport/],
      [{ url, connectTimeoutMs: 0 }, /connectTimeoutMs/],
      [{ url, timeout: Number.NaN }, /timeout/],
      [{ url, timeout: -1 }, /timeout/],
      [{ url, retry: { minDelayMs: -1 } }, /retry\.minDelayMs/],
      [{ url, retry: { maxAttempts: '3' } }, /retry\.maxAttempts/],
      [{ url, limits: { message: 0 } }, /limits\.message/],
      [{ url, heartbeat: { intervalMs: 0.5 } }, /heartbeat\.intervalMs/],
      [{ url, methods: { add: 1 } }, /"add"/],
      [{ url, methods: { _add: () => 1 } }, /"_add"/],
    ]
    for (const [options, name] of refused) {
      const create = () => createClient(options as { url: string })
      expect(create).toThrow(RpcConfigError)
      expect(create).toThrow(name)
    }
  })

  test('a refused connection names the address and the cause', async () => {
    const url = `ws://127.0.0.1:${await freePort()}`
    await using client = createClient<Server>({ url, retry: soon })
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toContain(url)
    expect(lastError?.message).toContain('ECONNREFUSED')
  })

  test('an upgrade that is never answered is given up', async () => {
    await using server = await httpServer(() => {})
    const { url } = server
    await using client = createClient<Server>({ url, retry: soon, connectTimeoutMs: 30 })
    await eventually(() => expect(server.upgrades).toBeGreaterThan(2))
    await until(client, 'reconnecting')
    expect(client.state.lastError?.message).toContain('no connection within 30 ms')
    await client.close()
    await polled(() => server.open).toBe(0)
  })

  describe('an attempt that is left in any turn of its beginning, at a server that never answers', () => {
    /** Makes clients of each kind of address, and leaves each some microtasks after it was made. */
    async function leftClients(url: string, leave: (client: AnyClient) => unknown) {
      const options = { retry: { minDelayMs: 600_000 }, connectTimeoutMs: 50 }
      const targets = [{ url }, { url: async () => url }, { url, headers: async () => ({}) }]
      const turns = Array.from({ length: 25 }, (_, turn) => turn)
      const clients = turns.flatMap((turn) =>
        targets.map(async (target) => {
          const client: AnyClient = createClient<Server>({ ...target, ...options })
          for (let n = 0; n < turn; n++) await undefined
          await leave(client)
          return client
        }),
      )
      return Promise.all(clients)
    }

    test('is replaced by reconnect()', async () => {
      await using server = await httpServer(() => {})
      const clients = await leftClients(server.url, (client) => client.reconnect())
      // Only the attempt that replaces it fails.
      for (const client of clients) {
        await polled(() => client.state.lastError?.message).toContain('no connection within 50 ms')
      }
      await Promise.all(clients.map((client) => client.close()))
      await polled(() => server.open).toBe(0)
    })

    test('leaves no socket after close()', async () => {
      const asked = new Set<string | undefined>()
      await using server = await httpServer((_, request) => asked.add(request.url))
      await leftClients(server.url, (client) => client.close())
      // Connections are accepted in their order: this one comes after those of the clients that were left.
      const last = createClient<Server>({ url: `${server.url}/last` })
      await polled(() => [...asked]).toContain('/last')
      await last.close()
      await polled(() => server.open).toBe(0)
    })
  })

  test.each(['403 Forbidden', '404 Not Found', '426 Upgrade Required', '407 Proxy'])(
    'stops at HTTP %s',
    async (status) => {
      await using server = await httpServer(refuse(status))
      await using client = createClient<Server>({ url: server.url, retry: soon })
      const waiting = rejection(client.other.hang())
      expect(await rejection(client.connect())).toBeInstanceOf(RpcDisconnectedError)
      expect(client.state.status).toBe('failed')
      expect(client.state.lastError?.message).toContain(`HTTP ${status}`)
      expect(await waiting).toMatchObject({ outcome: 'not-sent' })
      expect(server.upgrades).toBe(1)
    },
  )

  test('stops at HTTP 401 where the address is always the same', async () => {
    await using server = await httpServer(refuse('401 Unauthorized'))
    await using client = createClient<Server>({ url: server.url, retry: soon })
    await until(client, 'unauthorized')
    expect(server.upgrades).toBe(1)
  })

  test('asks for another address once after HTTP 401, then stops', async () => {
    await using server = await httpServer(refuse('401 Unauthorized'))
    const url = vi.fn(() => server.url)
    await using client = createClient<Server>({ url, retry: soon })
    await until(client, 'unauthorized')
    expect(server.upgrades).toBe(2)
    expect(url).toHaveBeenCalledTimes(2)
    // Being told to connect, it may ask once more.
    await rejection(client.connect())
    expect(server.upgrades).toBe(4)
  })

  test('waits at least as long as a server that is unavailable asks for', async () => {
    await using server = await httpServer(refuse('503 Service Unavailable', 'Retry-After: 7'))
    const before = Date.now()
    await using client = createClient<Server>({ url: server.url, retry: soon })
    const { retryAt } = await until(client, 'reconnecting')
    expect(retryAt).toBeGreaterThanOrEqual(before + 7_000)
    expect(server.upgrades).toBe(1)
  })

  test('waits a month, if told to, without a timer that overflows and fires over and over', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const month = 31 * 24 * 60 * 60
    await using server = await httpServer(refuse('503 Unavailable', `Retry-After: ${month}`))
    await using client = createClient<Server>({ url: server.url, retry: soon })
    const { retryAt } = await until(client, 'reconnecting')
    expect(retryAt).toBeGreaterThan(Date.now() + month * 999)
    await polled(() => timers.mock.calls.some(([, delay]) => Number(delay) > 2 ** 30)).toBe(true)
    expect(timers.mock.calls.every(([, delay = 0]) => delay < 2 ** 31)).toBe(true)
    expect(server.upgrades).toBe(1)
  })

  test.each(['500 Internal Server Error', '502 Bad Gateway', '302 Found'])(
    'tries again after HTTP %s',
    async (status) => {
      await using server = await httpServer(refuse(status))
      await using client = createClient<Server>({ url: server.url, retry: soon })
      await eventually(() => expect(server.upgrades).toBeGreaterThan(1))
      expect(client.state.status).toMatch(/connecting/)
    },
  )

  test('stops after as many failures in a row as are allowed', async () => {
    await using server = await httpServer((socket) => socket.destroy())
    const retry = { ...soon, maxAttempts: 3 }
    await using client = createClient<Server>({ url: server.url, retry })
    await until(client, 'failed')
    expect(server.upgrades).toBe(3)
  })

  test('connections that the server ends before it greets count as failures', async () => {
    await using server = await RawServer.listen()
    const retry = { ...soon, maxAttempts: 3 }
    await using client = createClient<Server>({ url: server.url, retry })
    const statuses = statusesOf(client)
    const attempts: number[] = []
    client.subscribe(({ attempt }) => attempts.push(attempt))
    for (let n = 0; n < 3; n++) (await server.accept()).socket.close(1011)
    await until(client, 'failed')
    expect(statuses).toStrictEqual(['connecting', 'reconnecting', 'failed'])
    expect(Math.max(...attempts)).toBe(3)
  })
})

describe('an address that a function tells', () => {
  test.each([
    ['at once', (url: string) => url],
    ['later', async (url: string) => url],
  ])('is asked for before every attempt, and may come %s', async (_, answer) => {
    await using server = await RawServer.listen()
    let asked = 0
    await using client = createClient<Server>({
      url: () => answer(`${server.url}/?n=${++asked}`),
      retry: soon,
    })
    const first = await server.acceptPlain()
    await until(client, 'connected')
    first.socket.terminate()
    await server.acceptPlain()
    expect(asked).toBe(2)
  })

  test.each<[string, () => string | Promise<string>]>([
    [
      'throws',
      () => {
        throw new Error('No token')
      },
    ],
    ['rejects', () => Promise.reject(new Error('No token'))],
    ['tells no address', () => 'No token'],
    ['tells nothing', () => undefined as unknown as string],
    ['hangs', () => new Promise(() => {})],
  ])('may fail: one that %s counts as a failed attempt', async (_, fail) => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    let asked = 0
    await using client = createClient<Server>({
      url: () => (++asked < 3 ? fail() : url),
      retry: soon,
      connectTimeoutMs: 200,
    })
    expect((await until(client, 'reconnecting')).lastError?.message).toContain('asking for the url')
    await until(client, 'connected')
    expect(asked).toBe(3)
  })
})

test('an attempt that is given up at any moment after its address was told does not hold the next one', async () => {
  const endpoint = serve()
  const { url } = await endpoint.listen()
  try {
    for (let turns = 0; turns < 16; turns++) {
      let asked = 0
      const client = createClient<Server>({
        url: async () => {
          if (++asked === 1) {
            void (async () => {
              for (let turn = 0; turn < turns; turn++) await undefined
              client.reconnect()
            })()
          }
          return url
        },
        retry: soon,
      })
      expect(await client.other.add({ a: turns, b: 1 }, { timeout: 5_000 })).toBe(turns + 1)
      await client.close()
    }
  } finally {
    await endpoint.close()
  }
})

describe('close', () => {
  const target = { retry: soon, connectTimeoutMs: 60_000 }
  const states: [ClientStatus, (url: string) => Client<object, Server>][] = [
    ['idle', (url) => createClient<Server>({ url, autoConnect: false })],
    ['connected', (url) => createClient<Server>({ url, ...target })],
  ]

  async function closes(client: AnyClient): Promise<void> {
    const calling = rejection(client.call('hang'))
    const connecting = client.connect().catch(() => {})
    const closing = client.close()
    expect(client.state).toMatchObject({ status: 'closed', retryAt: null })
    expect(client.close()).toBe(closing)
    await closing
    expect(await calling).toBeInstanceOf(RpcDisconnectedError)
    await connecting
    expect(await rejection(client.call('hang'))).toMatchObject({ outcome: 'not-sent' })
    client.reconnect()
    expect(await rejection(client.connect())).toBeInstanceOf(RpcDisconnectedError)
    expect(client.state.status).toBe('closed')
  }

  test.each(states)('ends a client that is %s', async (status, create) => {
    await using endpoint = serve()
    const client = create((await endpoint.listen()).url)
    await until(client, status)
    await closes(client)
    await polled(() => endpoint.channels.size).toBe(0)
  })

  test('ends a client whose upgrade is not answered', async () => {
    await using server = await httpServer(() => {})
    const client = createClient<Server>({ url: server.url, ...target })
    await eventually(() => expect(server.upgrades).toBe(1))
    await closes(client)
    await polled(() => server.open).toBe(0)
  })

  test('ends a client whose hello is not answered', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({ url: server.url, ...target })
    const peer = await server.accept()
    await peer.next()
    await closes(client)
    expect((await peer.closed).code).toBe(1000)
  })

  test('ends a client that waits for its next attempt', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99)
    const url = `ws://127.0.0.1:${await freePort()}`
    const client = createClient<Server>({ url, retry: { minDelayMs: 60_000 } })
    await until(client, 'reconnecting')
    await closes(client)
  })

  test.each([
    ['failed', '403 Forbidden'],
    ['unauthorized', '401 Unauthorized'],
  ] as const)('ends a client that is %s', async (status, answer) => {
    await using server = await httpServer(refuse(answer))
    const client = createClient<Server>({ url: server.url, ...target })
    await until(client, status)
    await client.close()
    expect(client.state.status).toBe('closed')
    expect(server.upgrades).toBe(1)
  })

  test('ends a client that waits to be told its address, and leaves no timer', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout')
    const cleared = vi.spyOn(globalThis, 'clearTimeout')
    let asked = false
    const client = createClient<Server>({
      url: () => {
        asked = true
        return new Promise<string>(() => {})
      },
      connectTimeoutMs: 54_321,
    })
    await eventually(() => expect(asked).toBe(true))
    await closes(client)
    const timers = set.mock.results.filter((_, n) => set.mock.calls[n]?.[1] === 54_321)
    expect(timers).toHaveLength(1)
    await eventually(() => expect(cleared).toHaveBeenCalledWith(timers[0]?.value))
  })

  test('waits until the socket is closed, and not for ever', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({ url: server.url, retry: soon })
    const peer = await server.acceptExtended()
    await until(client, 'connected')
    // A peer that reads no more does not answer the goodbye either.
    peer.socket.pause()
    await client.close()
    peer.socket.resume()
    await peer.closed
  })

  test('`await using` closes', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    {
      await using client = createClient<Server>({ url })
      expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    }
    await polled(() => endpoint.channels.size).toBe(0)
  })

  test('200 clients opened and closed at every moment leave no socket', async () => {
    await using server = await RawServer.listen()
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const client = createClient<Server>({ url: server.url, retry: soon })
        for (let turn = 0; turn < n % 20; turn++) await new Promise((next) => setImmediate(next))
        await client.close()
      }),
    )
    await polled(() => server.open).toBe(0)
  })

  test('200 losses and calls to reconnect leave one socket', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const client = createClient<Server>({ url, retry: { minDelayMs: 0, maxDelayMs: 0 } })
    for (let n = 0; n < 200; n++) {
      for (const channel of endpoint.channels) void channel.close(4000)
      client.reconnect()
      if (n % 3 === 0) await new Promise((next) => setImmediate(next))
      if (n % 10 === 0) await client.other.add({ a: n, b: 1 }).catch(() => {})
    }
    await eventually(async () => expect(await client.other.add({ a: 1, b: 1 })).toBe(2))
    await polled(() => endpoint.channels.size).toBe(1)
    await client.close()
    await polled(() => endpoint.channels.size).toBe(0)
  })
})

describe('hooks', () => {
  test('onConnect and onDisconnect are told of every connection, in pairs', async () => {
    await using server = await RawServer.listen()
    const told: unknown[] = []
    await using client = createClient<Server>({
      url: server.url,
      retry: soon,
      onConnect: [() => told.push('connect')],
      onDisconnect: [(_, { code }) => told.push(code)],
    })
    for (const code of [1001, 1013]) {
      // One that ends before it greets is no connection yet.
      const early = await server.accept()
      early.socket.close(1011)
      const peer = await server.acceptExtended()
      await until(client, 'connected')
      peer.socket.close(code)
      await until(client, 'reconnecting')
    }
    expect(told).toStrictEqual(['connect', 1001, 'connect', 1013])
  })

  test('a hook that fails ends its connection, and the client tries again', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const errors: unknown[] = []
    let runs = 0
    await using client = createClient<Server>({
      url,
      retry: soon,
      onConnect: [
        async ({ other }) => {
          await other.add({ a: 1, b: 1 })
          if (++runs === 1) throw new Error('Not yet')
        },
      ],
      onError: [(_, error) => errors.push(error)],
    })
    await eventually(() => expect(runs).toBe(2))
    await until(client, 'connected')
    expect(errors).toStrictEqual([new Error('Not yet')])
  })

  test('a hook that fails late does not end the connection after its own', async () => {
    await using server = await RawServer.listen()
    const errors: unknown[] = []
    let fail: (error: Error) => void = () => {}
    await using client = createClient<Server>({
      url: server.url,
      retry: soon,
      onConnect: [
        () =>
          new Promise((_, reject) => {
            fail = reject
          }),
      ],
      onError: [(_, error) => errors.push(error)],
    })
    const first = await server.acceptExtended()
    await until(client, 'connected')
    const failFirst = fail
    first.socket.terminate()
    await until(client, 'reconnecting')
    const second = await server.acceptExtended()
    await until(client, 'connected')
    failFirst(new Error('Too late'))
    await eventually(() => expect(errors).toStrictEqual([new Error('Too late')]))
    const calling = client.other.add({ a: 1, b: 1 })
    const { id } = await second.nextJson()
    second.send({ jsonrpc: '2.0', id, result: 2 })
    expect(await calling).toBe(2)
    expect(server.ever).toBe(2)
  })
})

describe('a client with transports of its own', () => {
  /** Serves each connection in this process. */
  function connect(opened: Transport[]): () => Transport {
    return () => {
      const [ours, theirs] = memoryTransportPair()
      createChannel<Server, Record<never, never>>({ side: 'server', transport: theirs, methods })
      opened.push(theirs)
      return ours
    }
  }

  test('connects, and comes back after a loss', async () => {
    const opened: Transport[] = []
    await using client = createClient<Server>({ transport: connect(opened), retry: soon })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    const cut = rejection(client.other.hang())
    opened[0]?.close(1001)
    expect(await cut).toMatchObject({ outcome: 'maybe-executed' })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    expect(opened).toHaveLength(2)
  })

  test('counts a function that throws, rejects or hangs as a failed attempt', async () => {
    const opened: Transport[] = []
    const failures = [
      () => {
        throw new Error('No port yet')
      },
      () => Promise.reject(new Error('No port yet')),
      () => new Promise<Transport>(() => {}),
    ]
    await using client = createClient<Server>({
      transport: () => (failures.shift() ?? connect(opened))(),
      retry: soon,
      connectTimeoutMs: 50,
    })
    const errors: (string | undefined)[] = []
    client.subscribe(({ lastError }) => errors.push(lastError?.message))
    await until(client, 'connected')
    expect(errors).toContain('No port yet')
    expect(errors).toContain('no connection within 50 ms')
  })

  test.each([
    ['nothing', undefined, 'start'],
    ['null', null, 'start'],
    ['an object', {}, 'start'],
    ['a port', { postMessage() {}, close() {}, start() {} }, 'send'],
    ['no function that closes', { start() {}, send: () => true }, 'close'],
  ])('says of a function that returns %s what it must return', async (_, returned, missing) => {
    await using client = createClient<Server>({
      transport: () => returned as never,
      retry: soon,
      autoConnect: false,
      logger: false,
    })
    void client.connect()
    await until(client, 'reconnecting')
    expect(client.state.lastError?.message).toBe(
      `transport must return an open connection, such as messagePortTransport(port). It has no ${missing}()`,
    )
  })

  test('closes a transport that comes after the client was closed', async () => {
    let answer: (transport: Transport) => void = () => {}
    let signal: AbortSignal | undefined
    const client = createClient<Server>({
      transport: (attempt) => {
        signal = attempt.signal
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    })
    await eventually(() => expect(signal).toBeDefined())
    await client.close()
    expect(signal?.aborted).toBe(true)
    const [late, other] = memoryTransportPair()
    const closed = new Promise((resolve) => other.start({ frame: () => {}, close: resolve }))
    answer(late)
    expect(await closed).toMatchObject({ code: 1000 })
  })
})
