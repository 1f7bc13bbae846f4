import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import {
  type AnyChannel,
  createClient,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions, RpcListenError } from '@flashrpc/core/server'
import express from 'express'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually, polled } from './support/eventually.js'
import { RawPeer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Server {
  add(params: { a: number; b: number }): number
  slow(params: { ms: number }): string
  hang(): void
}

interface Page {
  ask(params: { text: string }): string
}

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  slow: async ({ ms }: { ms: number }) => {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return 'done'
  },
  hang: () => new Promise<void>(() => {}),
}

const retry = { minDelayMs: 5, maxDelayMs: 20 }

function serve(options: Partial<EndpointOptions<Server, Page>> = {}) {
  return createEndpoint<Server, Page>({ methods, ...options })
}

/** What is to be closed when a test is over. */
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function listening(server: HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(async () => {
    server.close()
    server.closeAllConnections()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The status of an HTTP answer to an upgrade; 101 where it is accepted. */
async function upgradeStatus(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, { headers })
  const peer = new RawPeer(socket)
  const status = await new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      resolve(response.statusCode as number)
    })
  })
  socket.terminate()
  await peer.closed
  return status
}

describe('beside other servers on one port', () => {
  async function works(address: string, path: string, route: string): Promise<void> {
    await using client = createClient<Server, Page>({ url: `ws://${address}${path}?token=x` })
    expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
    const page = await fetch(`http://${address}${route}`)
    expect(await page.json()).toStrictEqual({ hello: 'world' })
    expect((await fetch(`http://${address}/nothing`)).status).toBe(404)
    expect(await upgradeStatus(`ws://${address}/nothing`)).toBe(404)
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
  }

  test('serves beside the routes of Express', async () => {
    const app = express()
    app.get('/hello', (_, response) => void response.json({ hello: 'world' }))
    const server = createServer(app)
    await using endpoint = serve()
    endpoint.attach(server, { path: '/ws' })
    await works(await listening(server), '/ws', '/hello')
  })

  test('serves beside the routes of Fastify', async () => {
    const app = fastify()
    app.get('/hello', async () => ({ hello: 'world' }))
    await using endpoint = serve()
    endpoint.attach(app.server, { path: '/ws' })
    await app.listen({ port: 0, host: '127.0.0.1' })
    opened.push(() => app.close())
    const { port } = app.server.address() as AddressInfo
    await works(`127.0.0.1:${port}`, '/ws', '/hello')
    await endpoint.close()
  })

  test('leaves upgrades to other paths to others', async () => {
    const server = createServer()
    const others = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/hmr')
        others.handleUpgrade(request, socket, head, (peer) => peer.close())
    })
    await using endpoint = serve()
    endpoint.attach(server, { path: '/ws' })
    const address = await listening(server)
    expect(await upgradeStatus(`ws://${address}/hmr`)).toBe(101)
    expect(await upgradeStatus(`ws://${address}/ws`)).toBe(101)
  })

  test('two endpoints share a server, and refuse what neither serves', async () => {
    const server = createServer()
    await using first = serve()
    await using second = serve({ methods: { ...methods, add: () => 0 } })
    first.attach(server, { path: '/first' })
    second.attach(server, { path: '/second' })
    const address = await listening(server)
    await using a = createClient<Server, Page>({ url: `ws://${address}/first` })
    await using b = createClient<Server, Page>({ url: `ws://${address}/second` })
    expect(await a.other.add({ a: 1, b: 1 })).toBe(2)
    expect(await b.other.add({ a: 1, b: 1 })).toBe(0)
    expect(await upgradeStatus(`ws://${address}/third`)).toBe(404)
  })

  test('refuses to serve a path twice, or what is no path', async () => {
    const server = createServer()
    await using endpoint = serve()
    const detach = endpoint.attach(server, { path: '/ws' })
    expect(() => endpoint.attach(server, { path: '/ws' })).toThrow(RpcConfigError)
    expect(() => serve().attach(server, { path: '/ws' })).toThrow('/ws')
    expect(() => endpoint.attach(server, { path: 'ws' })).toThrow(RpcConfigError)
    detach()
    endpoint.attach(server, { path: '/ws' })
    expect(server.listenerCount('upgrade')).toBe(1)
  })

  test('accepts no more once it is detached; open channels stay', async () => {
    const server = createServer()
    await using endpoint = serve()
    const detach = endpoint.attach(server, { path: '/ws' })
    const address = await listening(server)
    await using client = createClient<Server, Page>({ url: `ws://${address}/ws` })
    await client.connect()
    detach()
    detach()
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
  })
})

describe('a server of its own', () => {
  test('listens on this machine, on any free port, and says where', async () => {
    await using endpoint = serve()
    const { port, host, url } = await endpoint.listen({ path: '/ws' })
    expect(port).toBeGreaterThan(0)
    expect(host).toBe('127.0.0.1')
    expect(url).toBe(`ws://127.0.0.1:${port}/ws`)
    expect(await upgradeStatus(url)).toBe(101)
    expect(await upgradeStatus(`ws://127.0.0.1:${port}/`)).toBe(404)
    const page = await fetch(`http://127.0.0.1:${port}/ws`)
    expect(page.status).toBe(426)
    expect(await page.text()).toContain('WebSocket')
  })

  test('fails clearly where the port is in use', async () => {
    await using first = serve()
    const { port } = await first.listen()
    await using second = serve()
    const thrown = await rejection(second.listen({ port }))
    expect(thrown).toBeInstanceOf(RpcListenError)
    expect(thrown).toBeInstanceOf(RpcError)
    expect(thrown).toMatchObject({
      code: -32009,
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*in use`)),
      cause: { code: 'EADDRINUSE' },
    })
    // It can be told to listen elsewhere.
    const { url } = await second.listen()
    expect(await upgradeStatus(url)).toBe(101)
  })

  test.each([
    [{ port: 70_000 }, 'from 0 to 65535'],
    [{ host: '203.0.113.1' }, 'no such address'],
    [{ host: 'no such host.invalid' }, 'no such host'],
  ])('fails clearly at %j', async (options, why) => {
    await using endpoint = serve()
    const thrown = await rejection(endpoint.listen(options))
    expect(thrown).toBeInstanceOf(RpcListenError)
    expect(thrown).toMatchObject({ message: expect.stringContaining(why) })
  })

  test('does not go on listening when it is closed meanwhile', async () => {
    const endpoint = serve()
    const beginning = rejection(endpoint.listen())
    await endpoint.close()
    expect(await beginning).toBeInstanceOf(RpcConfigError)
    expect(await rejection(endpoint.listen())).toBeInstanceOf(RpcConfigError)
    expect(() => endpoint.attach(createServer())).toThrow(RpcConfigError)
  })
})

describe('who may connect', () => {
  test.each([
    [undefined, 101],
    ['http://HOST', 101],
    ['https://HOST', 101],
    ['http://evil.example', 403],
    ['null', 403],
    ['', 403],
    ['http://HOST.evil.example', 403],
    ['http://evil.example/HOST', 403],
    ['http://evil.example#HOST', 403],
    ['http://127.0.0.1', 403],
    ['http://HOST/', 403],
    ['ws://HOST', 403],
    ['HOST', 403],
  ])('answers a page of the origin %s with %i', async (origin, status) => {
    await using endpoint = serve()
    const { port, url } = await endpoint.listen()
    const headers = origin !== undefined && { Origin: origin.replace('HOST', `127.0.0.1:${port}`) }
    expect(await upgradeStatus(url, headers || {})).toBe(status)
  })

  test('lets in the origins that are named, letter by letter, and its own', async () => {
    await using endpoint = serve({ allowedOrigins: ['https://app.example.com'] })
    const { port, url } = await endpoint.listen()
    expect(await upgradeStatus(url, { Origin: 'https://app.example.com' })).toBe(101)
    expect(await upgradeStatus(url, { Origin: `http://127.0.0.1:${port}` })).toBe(101)
    for (const Origin of [
      'http://app.example.com',
      'https://app.example.com.evil.example',
      'https://evil-app.example.com',
      'https://app.example.com:8443',
      'null',
    ]) {
      expect(await upgradeStatus(url, { Origin })).toBe(403)
    }
  })

  test("lets all in where '*' says so", async () => {
    await using endpoint = serve({ allowedOrigins: '*' })
    const { url } = await endpoint.listen()
    for (const Origin of ['https://evil.example', 'null']) {
      expect(await upgradeStatus(url, { Origin })).toBe(101)
    }
  })
})

describe('hooks', () => {
  test('onConnect may call the client, and each waits for the one before it', async () => {
    const told: unknown[] = []
    await using endpoint = serve({
      onConnect: [
        async ({ other }) => told.push(await other.ask({ text: 'first' })),
        async ({ other }) => told.push(await other.ask({ text: 'second' })),
      ],
    })
    const { url } = await endpoint.listen()
    await using client = createClient<Server, Page>({
      url,
      methods: { ask: ({ text }) => text.toUpperCase() },
    })
    // Calls are served meanwhile.
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    await polled(() => told).toStrictEqual(['FIRST', 'SECOND'])
  })

  test('onConnect that throws ends its connection, and no other', async () => {
    const errors: unknown[] = []
    const after: unknown[] = []
    let connections = 0
    await using endpoint = serve({
      onConnect: [
        () => {
          if (++connections === 2) throw new Error('Not you')
        },
        (channel) => after.push(channel),
      ],
      onError: [(_, error) => errors.push(error)],
    })
    const { url } = await endpoint.listen()
    await using client = createClient<Server, Page>({ url })
    await client.connect()
    await using peer = await rawClient(url)
    peer.send({ jsonrpc: '2.0', method: 'anything' })
    expect((await peer.closed).code).toBe(1011)
    expect(errors).toContainEqual(new Error('Not you'))
    expect(after).toHaveLength(1)
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    expect(endpoint.channels.size).toBe(1)
  })

  test('onDisconnect is told why, once, and the calls are rejected', async () => {
    const told: string[] = []
    const reasons: unknown[] = []
    await using endpoint = serve({
      onConnect: [({ other }) => void other.ask({ text: '' }).catch(() => told.push('rejected'))],
      onDisconnect: [
        () => {
          throw new Error('A hook of its own failure')
        },
        async (channel, reason) => {
          await Promise.resolve()
          told.push('disconnected')
          reasons.push([channel.isConnected, reason])
        },
      ],
    })
    const { url } = await endpoint.listen()
    const client = createClient<Server, Page>({
      url,
      methods: { ask: () => new Promise<string>(() => {}) },
    })
    await client.connect()
    await client.close()
    await polled(() => [...told].sort()).toStrictEqual(['disconnected', 'rejected'])
    expect(reasons).toMatchObject([[false, { code: 1000 }]])
  })

  test('a connection that ends before it says anything is told to no hook', async () => {
    const told: string[] = []
    await using endpoint = serve({
      onConnect: [() => told.push('connect')],
      onDisconnect: [() => told.push('disconnect')],
    })
    const { url } = await endpoint.listen()
    const peer = await rawClient(url)
    await peer[Symbol.asyncDispose]()
    // Longer than a server waits for a first word.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(told).toStrictEqual([])
    expect(endpoint.channels.size).toBe(0)
  })

  test('channels that are open are listed, and each can be called', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const names = ['one', 'two', 'three']
    const clients = names.map((name) =>
      createClient<Server, Page>({ url, methods: { ask: () => name } }),
    )
    await Promise.all(clients.map((client) => client.connect()))
    const answers = [...endpoint.channels].map(({ other }) => other.ask({ text: '?' }))
    expect((await Promise.all(answers)).sort()).toStrictEqual([...names].sort())
    await clients[0]?.close()
    await polled(() => endpoint.channels.size).toBe(2)
    await Promise.all(clients.map((client) => client.close()))
  })

  test('a channel can be closed with a code of the application, and with no other', async () => {
    await using endpoint = serve({ plain: true })
    await using peer = await rawClient((await endpoint.listen()).url)
    await polled(() => endpoint.channels.size).toBe(1)
    const channel = [...endpoint.channels][0] as AnyChannel
    for (const code of [0, 999, 1001, 1005, 1006, 2999, 5000, 4000.5, Number.NaN]) {
      expect(await rejection(channel.close(code))).toBeInstanceOf(RpcConfigError)
    }
    await channel.close(4123, 'ü'.repeat(100))
    const { code, reason } = await peer.closed
    expect(code).toBe(4123)
    expect(reason).toMatch(/^ü+$/)
  })
})

describe('options', () => {
  test.each([null, 1, 'x', {}])('a handler that is %j is refused at once', (handler) => {
    const create = () => createEndpoint<Server>({ methods: { ...methods, add: handler as never } })
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow('The handler of "add" must be a function')
  })

  test.each<[object, RegExp]>([
    [{ methods: null }, /methods/],
    [{ methods: { add: 1 } }, /"add"/],
    [{ methods: { _add: () => 1 } }, /"_add"/],
    [{ methods: { 'rpc.add': () => 1 } }, /"rpc\.add"/],
    [{ methods: { toJSON: () => 1 } }, /"toJSON"/],
    [{ methods: {}, limits: { message: -1 } }, /limits\.message/],
    [{ methods: {}, timeout: 'soon' }, /timeout/],
    [{ methods: {}, heartbeat: { timeoutMs: 0 } }, /heartbeat\.timeoutMs/],
  ])('that make no sense are refused at once: %j', (options, name) => {
    const create = () => createEndpoint(options as { methods: object })
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(name)
  })
})

describe('connections that go wrong', () => {
  /** Opens a bare TCP connection and writes. */
  async function tcp(url: string, text: string): Promise<Socket> {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(text)
    opened.push(() => socket.destroy())
    return socket
  }

  const upgrade = (path: string, ...headers: string[]) =>
    [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
      '\r\n',
    ].join('\r\n')

  test.each([
    ['accepted', upgrade('/')],
    ['refused for its origin', upgrade('/', 'Origin: http://evil.example')],
    ['refused for its path', upgrade('/nothing')],
    ['refused for its key', upgrade('/').replace('dGhl', '')],
    ['half sent', upgrade('/').slice(0, 60)],
  ])('a reset while an upgrade is %s harms nobody', async (_, text) => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    await using client = createClient<Server, Page>({ url })
    await client.connect()
    for (let n = 0; n < 20; n++) {
      const socket = await tcp(url, text)
      if (n % 2 === 0) await new Promise((next) => setImmediate(next))
      socket.resetAndDestroy()
    }
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    await polled(() => endpoint.channels.size).toBe(1)
  })

  test('a client that is refused and never hangs up does not keep the server', async () => {
    const endpoint = serve()
    const { url } = await endpoint.listen()
    const texts = [upgrade('/', 'Origin: null'), upgrade('/nothing')]
    const sockets = await Promise.all(
      texts.map(async (text) => {
        const { port } = new URL(url)
        const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
        opened.push(() => socket.destroy())
        socket.on('error', () => {})
        socket.write(text)
        await once(socket, 'data')
        return socket
      }),
    )
    await endpoint.close()
    expect(sockets.every((socket) => !socket.destroyed)).toBe(true)
  })

  test('a connection that is cut ends its channel; its calls may have run', async () => {
    await using endpoint = serve()
    const { url } = await endpoint.listen()
    const peer = await rawClient(url)
    peer.send({ jsonrpc: '2.0', method: 'anything' })
    await eventually(() => expect([...endpoint.channels][0]?.isConnected).toBe(true))
    const channel = [...endpoint.channels][0] as AnyChannel
    const asking = rejection(channel.call('ask'))
    await peer.next()
    peer.socket.terminate()
    const thrown = await asking
    expect(thrown).toBeInstanceOf(RpcDisconnectedError)
    expect(thrown).toMatchObject({ outcome: 'maybe-executed', closeCode: 1006 })
    expect(endpoint.channels.size).toBe(0)
  })
})

describe('close', () => {
  test('ends every channel with 1001 and stops listening', async () => {
    const endpoint = serve({ plain: true })
    const { port, url } = await endpoint.listen()
    const peers = await Promise.all([rawClient(url), rawClient(url)])
    const channels = await eventually(() => {
      expect(endpoint.channels.size).toBe(2)
      return [...endpoint.channels]
    })
    await endpoint.close()
    for (const peer of peers) expect((await peer.closed).code).toBe(1001)
    expect(endpoint.channels.size).toBe(0)
    expect(channels.every((channel) => !channel.isConnected)).toBe(true)
    await rejection(fetch(`http://127.0.0.1:${port}`))
    await using second = serve()
    await second.listen({ port })
  })

  test('is safe to call twice', async () => {
    const endpoint = serve()
    await endpoint.listen()
    expect(endpoint.close()).toBe(endpoint.close({ drain: 1_000 }))
    await endpoint.close()
    await serve().close()
  })

  test('leaves the server of others as it was', async () => {
    const server = createServer((_, response) => response.end('still here'))
    const endpoint = serve()
    endpoint.attach(server, { path: '/ws' })
    const address = await listening(server)
    await using client = createClient<Server, Page>({ url: `ws://${address}/ws`, retry })
    await client.connect()
    await endpoint.close()
    await polled(() => client.state.status).toBe('reconnecting')
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(await (await fetch(`http://${address}/`)).text()).toBe('still here')
  })

  test('cuts running calls where nothing is said of draining', async () => {
    const endpoint = serve()
    await using client = createClient<Server, Page>({ url: (await endpoint.listen()).url, retry })
    const cut = rejection(client.other.hang())
    await polled(() => client.state.inFlight).toBe(1)
    await endpoint.close()
    expect(await cut).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001 })
  })

  test('lets running calls finish where it is told to', async () => {
    const endpoint = serve()
    const { url } = await endpoint.listen()
    await using client = createClient<Server, Page>({ url, retry })
    await client.connect()
    const calling = client.other.slow({ ms: 50 })
    await polled(() => client.state.inFlight).toBe(1)
    // The server has the call once it has answered a later one.
    await client.other.add({ a: 1, b: 1 })
    await endpoint.close({ drain: 60_000 })
    expect(await calling).toBe('done')
  })

  test('does not wait for calls longer than it is told to', async () => {
    const endpoint = serve()
    await using client = createClient<Server, Page>({ url: (await endpoint.listen()).url, retry })
    const cut = rejection(client.other.hang())
    await client.other.add({ a: 1, b: 1 })
    await endpoint.close({ drain: 20 })
    expect(await cut).toMatchObject({ outcome: 'maybe-executed' })
  })

  test('does not wait for peers that do not say goodbye', async () => {
    const endpoint = serve({ plain: true })
    const peer = await rawClient((await endpoint.listen()).url)
    await polled(() => endpoint.channels.size).toBe(1)
    peer.socket.pause()
    await endpoint.close()
    peer.socket.resume()
    await peer.closed
  })

  test('leaves nothing that would keep the process', async () => {
    const active = () =>
      process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout)/.test(name)).length
    const before = active()
    {
      await using endpoint = serve()
      const { url } = await endpoint.listen()
      await using client = createClient<Server, Page>({ url })
      await client.other.add({ a: 1, b: 1 })
    }
    await polled(active).toBeLessThanOrEqual(before)
  })
})
