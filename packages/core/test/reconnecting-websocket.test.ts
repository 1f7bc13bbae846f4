import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AnyClient,
  type ClientSettings,
  createClient,
  defineContract,
  method,
  RpcConfigError,
  stream,
} from '@flashrpc/core'
import {
  fromReconnectingWebSocket,
  type ReconnectingWebSocketLike,
} from '@flashrpc/core/reconnecting-websocket'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { freePort } from '../../../scripts/free-port.js'
import { polled } from './support/eventually.js'
import { httpServer } from './support/http-server.js'
import { RawServer } from './support/raw-peer.js'
import { libraries, libraryNames, partySocket } from './support/reconnecting-sockets.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: {
    echo: method({ params: z.object({ value: z.unknown() }), result: z.unknown() }),
    slow: method({ params: z.object({ ms: z.number() }), result: z.string() }),
    count: stream({ params: z.object({ to: z.number() }), item: z.number() }),
  },
})

/** Delays that nobody waits for. */
const soon = { WebSocket, minReconnectionDelay: 5, maxReconnectionDelay: 20 }
const never = { WebSocket, minReconnectionDelay: 600_000, maxReconnectionDelay: 600_000 }

function serve(options: { authenticate?: (token: string | null) => void } = {}) {
  const started = { slow: 0 }
  const endpoint = createEndpoint(contract, {
    resume: {},
    logger: false,
    methods: {
      echo: ({ value }) => value,
      slow: async ({ ms }) => {
        started.slow++
        await sleep(ms)
        return 'done'
      },
      async *count({ to }) {
        for (let n = 1; n <= to; n++) yield n
      },
    },
    ...(options.authenticate && {
      authenticate: ({ url }) =>
        options.authenticate?.(new URL(url ?? '', 'ws://localhost').searchParams.get('token')),
    }),
  })
  return Object.assign(endpoint, { started })
}

function connect(
  socket: Parameters<typeof fromReconnectingWebSocket>[0],
  options: Partial<ClientSettings> = {},
) {
  return createClient(contract, {
    logger: false,
    ...options,
    socket: fromReconnectingWebSocket(socket),
  })
}

function refuse(status: 401 | 403): void {
  throw new RejectUpgrade(status, 'no')
}

test('a PartySocket carries calls, streams and bytes, and goes on after a cut', async () => {
  await using endpoint = serve()
  await using proxy = await createFaultProxy(await endpoint.listen({ path: '/room' }))
  const socket = partySocket(proxy.url('ws', '/room'), soon)
  await using client = connect(socket)
  const bytes = new Uint8Array([1, 2])
  expect(await client.other.echo({ value: bytes })).toStrictEqual(bytes)
  const slow = client.other.slow({ ms: 200 })
  await polled(() => endpoint.started.slow).toBe(1)
  proxy.cut()
  expect(await slow).toBe('done')
  expect(client.state.resumed).toBe(true)
})

describe.each(libraryNames)('a socket of %s', (name) => {
  const create = libraries[name]

  test('carries calls, streams and bytes', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    await using client = connect(create(url, soon))
    expect(await client.other.echo({ value: { a: [1, 'two'] } })).toStrictEqual({ a: [1, 'two'] })
    const bytes = new Uint8Array(100_000).fill(7)
    expect(await client.other.echo({ value: bytes })).toStrictEqual(bytes)
    const items: number[] = []
    for await (const item of client.other.count({ to: 3 })) items.push(item)
    expect(items).toStrictEqual([1, 2, 3])
  })

  test('is taken as it is when it is open already', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await polled(() => socket.readyState).toBe(1)
    await using client = connect(socket)
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test('goes on with the session after a cut: a call that runs is neither lost nor run twice', async () => {
    await using endpoint = serve()
    await using proxy = await createFaultProxy(await endpoint.listen())
    await using client = connect(create(proxy.url(), soon))
    await client.connect()
    const { sessionId } = client.state
    for (let cuts = 1; cuts <= 3; cuts++) {
      const slow = client.other.slow({ ms: 100 })
      await polled(() => endpoint.started.slow).toBe(cuts)
      proxy.cut()
      const { attempt, retryAt, lastError } = await until(client, 'reconnecting')
      expect({ retryAt, name: lastError?.name }).toStrictEqual({
        retryAt: null,
        name: 'RpcDisconnectedError',
      })
      expect(attempt).toBeLessThan(2)
      expect(await slow).toBe('done')
      expect(client.state).toMatchObject({ status: 'connected', sessionId, resumed: true })
    }
    expect(endpoint.started.slow).toBe(3)
    expect(endpoint.channels.size).toBe(1)
  })

  test('finds a server that was restarted', async () => {
    const port = await freePort()
    const first = serve()
    const { url } = await first.listen({ port })
    await using client = connect(create(url, soon))
    await client.connect()
    await first.close()
    await until(client, 'reconnecting')
    const waiting = client.other.echo({ value: 'later' })
    await polled(() => client.state.attempt).toBeGreaterThan(2)
    expect(client.state.lastError?.message).toContain(
      `ws://127.0.0.1:${port}/: connect ECONNREFUSED`,
    )
    await using second = serve()
    await second.listen({ port })
    expect(await waiting).toBe('later')
    expect(client.state.resumed).toBe(false)
  })

  test('sends nothing but what the client sends, first of all its hello', async () => {
    await using server = await RawServer.listen()
    const socket = create(server.url, soon)
    await using client = connect(socket)
    void client.other.echo({ value: 'waits' }).catch(() => {})
    expect(socket.bufferedAmount).toBe(0)
    const peer = await server.accept()
    expect(await peer.nextJson()).toMatchObject({ method: 'rpc.hello' })
    await sleep(20)
    expect(peer.unread).toStrictEqual([])
    expect(socket.bufferedAmount).toBe(0)
  })

  test('whose queue has messages is refused', async () => {
    const socket = create('ws://127.0.0.1:9', { ...soon, startClosed: true })
    socket.send('mine')
    expect(() => fromReconnectingWebSocket(socket)).toThrow(RpcConfigError)
    expect(() => fromReconnectingWebSocket(socket)).toThrow(
      'Hand it over as soon as it is made, and send nothing through it',
    )
    socket.close()
  })

  test('refuses what the application sends beside the client, before and after it is open', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await using client = connect(socket)
    expect(() => socket.send('mine')).toThrow(RpcConfigError)
    await client.connect()
    expect(() => socket.send('mine')).toThrow('Call the methods of the client')
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test('that the application closes stops the client, which says so and can connect again', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await using client = connect(socket)
    await client.connect()
    const slow = rejection(client.other.slow({ ms: 60_000 }))
    await polled(() => endpoint.started.slow).toBe(1)
    socket.close()
    const { lastError } = await until(client, 'failed')
    expect(lastError?.message).toContain('the application closed the ReconnectingWebSocket')
    expect(await slow).toMatchObject({ outcome: 'maybe-executed' })
    expect(await rejection(client.other.echo({ value: 1 }))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('connect() tries again'),
    })
    await polled(() => endpoint.channels.size).toBe(0)
    await client.connect()
    expect(await client.other.echo({ value: 2 })).toBe(2)
  })

  test('that the application closes between two attempts stops the client', async () => {
    const socket = create(`ws://127.0.0.1:${await freePort()}`, never)
    await using client = connect(socket)
    await until(client, 'reconnecting')
    socket.close()
    expect((await until(client, 'failed')).lastError?.message).toContain('the application closed')
  })

  test('that the application reconnects goes on with the session', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await using client = connect(socket)
    await client.connect()
    const slow = client.other.slow({ ms: 100 })
    await polled(() => endpoint.started.slow).toBe(1)
    socket.reconnect()
    expect(await slow).toBe('done')
    expect(client.state.resumed).toBe(true)
  })

  test('is closed with the client', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    const client = connect(socket)
    await client.connect()
    await client.close()
    expect(socket.readyState).toBe(3)
    await polled(() => endpoint.channels.size).toBe(0)
    await sleep(50)
    expect(endpoint.channels.size).toBe(0)
  })

  test('that is open is closed with a client that is closed in the turn in which it was made', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    await connect(socket).close()
    expect(socket.readyState).toBe(3)
  })

  test('that is open is closed with a client that never used it', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await polled(() => socket.readyState).toBe(1)
    await connect(socket, { autoConnect: false }).close()
    expect(socket.readyState).toBe(3)
    await using next = connect(socket, { autoConnect: false })
    await next.connect()
    expect(await next.other.echo({ value: 1 })).toBe(1)
    expect(endpoint.channels.size).toBe(1)
  })

  test('that has begun to connect does not open after a client that never used it was closed', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const socket = create(url, soon)
    let opened = 0
    socket.addEventListener('open', () => {
      opened++
    })
    await connect(socket, { autoConnect: false }).close()
    // This one begins after it.
    const later = create(url, soon)
    await polled(() => later.readyState).toBe(1)
    later.close()
    expect(opened).toBe(0)
    await using next = connect(socket)
    expect(await next.other.echo({ value: 1 })).toBe(1)
    expect(opened).toBe(1)
  })

  test('that its application opens again is closed with a client that had stopped', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    const client = connect(socket)
    await client.connect()
    socket.close()
    await until(client, 'failed')
    socket.reconnect()
    await polled(() => socket.readyState).toBe(1)
    await client.close()
    expect(socket.readyState).toBe(3)
  })

  test('is left alone by a client that never used it, if another one does', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await using client = connect(socket)
    await client.connect()
    const { sessionId } = client.state
    await connect(socket, { autoConnect: false }).close()
    expect(await client.other.echo({ value: 0 })).toBe(0)
    expect(client.state.sessionId).toBe(sessionId)
    // One that is made in the same turn, too.
    await client.close()
    const closing = connect(socket, { autoConnect: false }).close()
    await using last = connect(socket)
    await closing
    expect(await last.other.echo({ value: 1 })).toBe(1)
    expect(last.state.sessionId).not.toBe(sessionId)
    expect(endpoint.channels.size).toBe(1)
  })

  test('goes on if another client takes it over in the turn in which the first was made and closed', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    let closed = 0
    socket.addEventListener('close', () => {
      closed++
    })
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const closing = connect(socket).close()
    await using client = connect(socket)
    await closing
    expect(await client.other.echo({ value: 1 })).toBe(1)
    expect(closed).toBe(0)
  })

  test('is opened again by the next client, wherever the first was closed', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    let asked = 0
    let go: () => void = () => {}
    const provider = () => {
      asked++
      return new Promise<string>((resolve) => (go = () => resolve(url)))
    }
    const socket = create(provider, soon)
    // While it waits to ask, while it asks, and while it is open.
    await connect(socket).close()
    await using asking = connect(socket)
    await polled(() => asked).toBe(1)
    await asking.close()
    go()
    await sleep(20)
    const open = connect(socket)
    await polled(() => asked).toBe(2)
    go()
    expect(await open.other.echo({ value: 1 })).toBe(1)
    await open.close()
    await using last = connect(socket)
    await polled(() => asked).toBe(3)
    go()
    expect(await last.other.echo({ value: 2 })).toBe(2)
    expect(endpoint.channels.size).toBe(1)
  })

  test('has one client at a time', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, soon)
    await using first = connect(socket)
    await using second = connect(socket)
    const { lastError } = await until(second, 'failed')
    expect(lastError?.message).toContain('is used by another client')
    expect(await first.other.echo({ value: 1 })).toBe(1)
    await second.close()
    expect(await first.other.echo({ value: 2 })).toBe(2)
  })

  test('is stopped by an upgrade that is refused for good, with credentials of its provider asked for once more', async () => {
    const tokens: (string | null)[] = []
    await using endpoint = serve({
      authenticate: (token) => {
        tokens.push(token)
        if (token !== 'good') refuse(token === 'forbidden' ? 403 : 401)
      },
    })
    const { url } = await endpoint.listen()
    const given = ['old', 'good']
    await using client = connect(create(() => `${url}?token=${given.shift()}`, soon))
    expect(await client.other.echo({ value: 1 })).toBe(1)
    await using unknown = connect(create(() => `${url}?token=bad`, soon))
    const { lastError } = await until(unknown, 'unauthorized')
    expect(lastError).toMatchObject({ httpStatus: 401 })
    await using forbidden = connect(create(`${url}?token=forbidden`, soon))
    expect((await until(forbidden, 'failed')).lastError).toMatchObject({ httpStatus: 403 })
    const asked = tokens.length
    await sleep(100)
    expect(tokens).toHaveLength(asked)
    expect(tokens).toStrictEqual(['old', 'good', 'bad', 'bad', 'forbidden'])
  })

  test.each([
    [4400, 'failed'],
    [4401, 'unauthorized'],
    [4403, 'failed'],
    [4409, 'failed'],
  ] as const)('is stopped by the close code %i', async (code, status) => {
    await using server = await RawServer.listen()
    await using client = connect(create(server.url, soon))
    const peer = await server.acceptPlain()
    await client.connect()
    peer.socket.close(code, 'no')
    expect((await until(client, status)).lastError).toMatchObject({ closeCode: code })
    await sleep(100)
    expect(server.ever).toBe(1)
  })

  test('comes back after the time that the server asked for, and not sooner', async () => {
    await using server = await RawServer.listen()
    await using client = connect(create(server.url, soon))
    const peer = await server.acceptPlain()
    await client.connect()
    const begin = performance.now()
    peer.socket.close(1013, 'retry-after=1; busy')
    const { retryAt } = await until(client, 'reconnecting')
    expect(retryAt).toBeGreaterThan(Date.now())
    await server.acceptPlain()
    expect(performance.now() - begin).toBeGreaterThan(990)
    await client.connect()
  })

  test('that gets no answer to the hello tries again, by delays that grow', async () => {
    await using server = await RawServer.listen()
    await using client = connect(create(server.url, soon), { connectTimeoutMs: 20 })
    expect((await until(client, 'reconnecting')).lastError).toMatchObject({ closeCode: 4408 })
    await polled(() => client.state.retryAt).not.toBeNull()
    await polled(() => server.ever).toBe(2)
  })

  test('connects at once when the client is told to, in place of its delay', async () => {
    const port = await freePort()
    await using client = connect(create(`ws://127.0.0.1:${port}`, never))
    await until(client, 'reconnecting')
    await polled(() => client.state.attempt).toBe(1)
    client.reconnect()
    // The first delay of the library is none; it waits for the next.
    await polled(() => client.state.attempt).toBe(2)
    await until(client, 'reconnecting')
    await using endpoint = serve()
    await endpoint.listen({ port })
    client.reconnect()
    await client.connect()
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test('leaves an attempt that hangs when the client is told to', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    let asked = 0
    const provider = () => (++asked === 1 ? new Promise<string>(() => {}) : Promise.resolve(url))
    await using client = connect(create(provider, never))
    await polled(() => asked).toBe(1)
    client.reconnect()
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test.each<[string, () => Promise<string>, string]>([
    ['rejects', () => Promise.reject(new Error('no token')), 'no token'],
    [
      'throws',
      () => {
        throw new Error('no token')
      },
      'no token',
    ],
    ['hangs', () => new Promise(() => {}), 'no answer within'],
    [
      'gives no address',
      () => Promise.resolve('no address'),
      '"no address" is not a valid address',
    ],
    ['gives nothing', () => Promise.resolve(undefined as never), 'is not a valid address'],
  ])('whose provider %s once makes its next attempt', async (_, fail, message) => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    let asked = 0
    const provider = () => (++asked === 1 ? fail() : Promise.resolve(url))
    await using client = connect(
      create(provider, { ...soon, minReconnectionDelay: 100, maxReconnectionDelay: 100 }),
      { connectTimeoutMs: 200 },
    )
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toContain(`asking for the url failed: `)
    expect(lastError?.message).toContain(message)
    expect(await client.other.echo({ value: 1 })).toBe(1)
    expect(asked).toBe(2)
  })

  test.each([0, 1, 2])(
    'that makes no attempt after %i more stops the client',
    async (maxRetries) => {
      const port = await freePort()
      const socket = create(`ws://127.0.0.1:${port}`, { ...soon, maxRetries })
      await using client = connect(socket)
      const { attempt, lastError } = await until(client, 'failed')
      expect(attempt).toBe(maxRetries + 1)
      expect(lastError?.message).toContain('maxRetries')
      await using endpoint = serve()
      await endpoint.listen({ port })
      await client.connect()
      expect(await client.other.echo({ value: 1 })).toBe(1)
    },
  )

  test('that had made all its attempts before is opened by the client', async () => {
    const port = await freePort()
    const socket = create(`ws://127.0.0.1:${port}`, { ...soon, maxRetries: 0 })
    await polled(() => socket.readyState).toBe(3)
    await using endpoint = serve()
    await endpoint.listen({ port })
    await using client = connect(socket)
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test('that waits for its next attempt is waited for', async () => {
    const port = await freePort()
    const socket = create(`ws://127.0.0.1:${port}`, {
      WebSocket,
      minReconnectionDelay: 300,
      maxReconnectionDelay: 300,
    })
    await polled(() => socket.readyState).toBe(3)
    await using endpoint = serve()
    await endpoint.listen({ port })
    await using client = connect(socket)
    expect(await client.other.echo({ value: 1 })).toBe(1)
    await sleep(350)
    expect(endpoint.channels.size).toBe(1)
  })

  test('that its application reconnects while the client waits is used at once', async () => {
    await using server = await RawServer.listen()
    const socket = create(server.url, soon)
    await using client = connect(socket)
    const peer = await server.acceptPlain()
    await client.connect()
    peer.socket.close(1013, 'retry-after=1; busy')
    await until(client, 'reconnecting')
    socket.reconnect()
    await server.acceptPlain()
    await client.connect()
    await sleep(1_500)
    expect(server.ever).toBe(2)
    expect(client.state.status).toBe('connected')
  })

  test('works without its private members, which another version may not have', async () => {
    await using endpoint = serve()
    await using proxy = await createFaultProxy(await endpoint.listen())
    const inner = create(proxy.url(), soon)
    const socket: ReconnectingWebSocketLike = {
      get readyState() {
        return inner.readyState
      },
      get retryCount() {
        return inner.retryCount
      },
      get bufferedAmount() {
        return inner.bufferedAmount
      },
      get url() {
        return inner.url
      },
      get binaryType() {
        return inner.binaryType
      },
      set binaryType(type) {
        inner.binaryType = type as BinaryType
      },
      send: (data) => inner.send(data),
      close: (...end) => inner.close(...end),
      reconnect: (...end) => inner.reconnect(...end),
      addEventListener: (type: 'open', listener) => inner.addEventListener(type, listener),
    }
    await using client = connect(socket)
    const slow = client.other.slow({ ms: 200 })
    await polled(() => endpoint.started.slow).toBe(1)
    proxy.cut()
    expect(await slow).toBe('done')
    expect(client.state.resumed).toBe(true)
    socket.close()
    await until(client, 'failed')
    await client.connect()
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })

  test('that its application had closed, or never opened, is opened by the client', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    await using fromClosed = connect(create(url, { ...soon, startClosed: true }))
    expect(await fromClosed.other.echo({ value: 1 })).toBe(1)
    const socket = create(url, soon)
    await polled(() => socket.readyState).toBe(1)
    socket.close()
    await using client = connect(socket)
    expect(await client.other.echo({ value: 2 })).toBe(2)
  })

  test('that loses connections until it makes no attempt stops the client', async () => {
    await using endpoint = serve()
    await using proxy = await createFaultProxy(await endpoint.listen())
    await using client = connect(create(proxy.url(), { ...soon, maxRetries: 1 }))
    await client.connect()
    proxy.cut()
    await polled(() => client.state.resumed).toBe(true)
    // Not long enough for the library to count anew.
    proxy.cut()
    expect((await until(client, 'failed')).lastError?.message).toContain('maxRetries')
  })

  test('whose server never answers is given up after its own time, and tried again', async () => {
    await using silent = await httpServer(() => {})
    await using client = connect(create(silent.url, { ...soon, connectionTimeout: 30 }))
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toContain('no connection within its connectionTimeout')
    await polled(() => silent.upgrades).toBeGreaterThan(1)
    await client.close()
    await polled(() => silent.open).toBe(0)
  })

  test('handed over twice is handed over once', async () => {
    const socket = create('ws://127.0.0.1:9', { ...soon, startClosed: true })
    expect(fromReconnectingWebSocket(socket)).toBe(fromReconnectingWebSocket(socket))
  })

  test('connects when the client is told to, where it is not at once', async () => {
    await using endpoint = serve()
    const socket = create((await endpoint.listen()).url, { ...soon, startClosed: true })
    await using client = connect(socket, { autoConnect: false })
    await sleep(30)
    expect(endpoint.channels.size).toBe(0)
    await client.connect()
    expect(await client.other.echo({ value: 1 })).toBe(1)
  })
})

describe('options', () => {
  const socket = fromReconnectingWebSocket(
    libraries['partysocket/ws']('ws://x', { startClosed: true, WebSocket }),
  )

  test.each([
    [
      'url',
      'ws://localhost',
      'A client needs one of url, transport and socket, and not both url and socket',
    ],
    ['transport', () => {}, 'and not both transport and socket'],
    ['headers', {}, 'headers is only for a client with a url. With a socket, leave it out'],
    ['proxy', false, 'proxy is only for a client with a url. With a socket, leave it out'],
    ['tls', {}, 'tls is only for a client with a url. With a socket, leave it out'],
    ['fastPath', false, 'fastPath is only for a client with a url. With a socket, leave it out'],
    ['share', { createConnector() {} }, 'share is only for a client with a url'],
    [
      'retry',
      {},
      'retry is only for a client with a url or a transport. A socket connects again by itself',
    ],
    ['socket', {}, 'socket must be made by fromReconnectingWebSocket() of'],
    ['socket', null, 'socket must be made by fromReconnectingWebSocket() of'],
  ])('%s: %o is refused with a socket', (name, value, message) => {
    const create = () =>
      createClient({ socket, autoConnect: false, [name]: value } as never) as AnyClient
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(message)
  })

  test.each([undefined, null, 5, {}, 'ws://localhost', new EventTarget()])(
    '%o is no socket',
    (value) => {
      expect(() => fromReconnectingWebSocket(value as never)).toThrow(
        'fromReconnectingWebSocket takes a ReconnectingWebSocket',
      )
    },
  )
})
