import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createClient } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { polled } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'
import { RawPeer } from './support/raw-peer.js'

/** Whose an upgrade is, where an HTTP server has more listeners than an endpoint: docs/guide/servers.md. */

interface Methods {
  ping(): string
}
const methods = { ping: () => 'pong' }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function serve(options: Partial<EndpointOptions<Methods, Record<never, never>>> = {}) {
  const endpoint = createEndpoint<Methods>({ methods, ...options })
  opened.push(() => endpoint.close())
  return endpoint
}

async function listening(server: HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The status of the answer to an upgrade, and the first message where it is accepted. */
async function ask(url: string): Promise<{ status: number | undefined; said?: string }> {
  const socket = new WebSocket(url)
  const peer = new RawPeer(socket)
  opened.push(() => peer[Symbol.asyncDispose]())
  const status = await new Promise<number | undefined>((resolve) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      resolve(response.statusCode)
    })
    socket.on('error', () => resolve(undefined))
  })
  return status === 101 ? { status, said: await peer.next() } : { status }
}

async function works(url: string): Promise<void> {
  const client = createClient<Methods>({ url, retry: { maxAttempts: 1 } })
  opened.push(() => client.close())
  expect(await client.other.ping()).toBe('pong')
}

const slowly = () => new Promise((resolve) => setTimeout(resolve, 300))

describe.each(['before', 'after'])('attached %s another library', (when) => {
  test.each([
    ['ws', '/other', 400],
    ['fastify', '/other', 404],
    // It ends what it does not know, after a second.
    ['engine.io', '/other/?EIO=4&transport=websocket', undefined],
  ])(
    'an endpoint serves its path, and %s its own',
    async (library, path, status) => {
      const child = forkProgram(new URL('./support/shared-server-process.ts', import.meta.url), {
        args: [library, when],
      })
      opened.push(async () => {
        child.kill()
        await once(child, 'exit')
      })
      const [{ url }] = (await once(child, 'message')) as [{ url: string }]
      const other = await ask(`${url}${path}`)
      expect(other.status).toBe(101)
      // engine.io begins with its handshake.
      expect(other.said).toMatch(library === 'engine.io' ? /^0\{"sid"/ : `I am ${library}`)
      await works(`${url}/rpc`)
      // And what neither serves is the other's to refuse, as without an endpoint.
      expect(await ask(`${url}/nothing`)).toStrictEqual({ status })
    },
    30_000,
  )
})

describe('an upgrade that nobody listens for', () => {
  test('waits for a listener that is added a little later', async () => {
    const server = createServer()
    serve().attach(server, { path: '/rpc' })
    const url = await listening(server)
    const asked = ask(`${url}/hmr`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const hmr = new WebSocketServer({ server, path: '/hmr' })
    hmr.on('connection', (socket) => socket.send('reload'))
    expect(await asked).toStrictEqual({ status: 101, said: 'reload' })
    await works(`${url}/rpc`)
  })

  test('waits for an endpoint that is attached a little later', async () => {
    const server = createServer()
    serve().attach(server, { path: '/rpc' })
    const url = await listening(server)
    const client = createClient<Methods>({ url: `${url}/later`, retry: { maxAttempts: 1 } })
    opened.push(() => client.close())
    await new Promise((resolve) => setTimeout(resolve, 200))
    serve().attach(server, { path: '/later' })
    expect(await client.other.ping()).toBe('pong')
  })

  test('is answered 404 after three seconds, and at once on a server of the endpoint’s own', async () => {
    const server = createServer()
    serve().attach(server, { path: '/rpc' })
    const url = await listening(server)
    const begin = performance.now()
    expect(await ask(`${url}/nothing`)).toStrictEqual({ status: 404 })
    expect(performance.now() - begin).toBeGreaterThan(2_900)
    const own = await serve().listen({ path: '/rpc' })
    const later = performance.now()
    expect(await ask(`ws://127.0.0.1:${own.port}/nothing`)).toStrictEqual({ status: 404 })
    expect(performance.now() - later).toBeLessThan(2_900)
  }, 10_000)

  test('is answered 404 at once where a hundred wait already', async () => {
    const server = createServer()
    serve().attach(server, { path: '/rpc' })
    const url = await listening(server)
    const waiting = Array.from({ length: 100 }, () => new WebSocket(`${url}/nothing`))
    for (const socket of waiting) socket.on('error', () => {})
    await polled(() => server.listenerCount('upgrade')).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const begin = performance.now()
    expect(await ask(`${url}/nothing`)).toStrictEqual({ status: 404 })
    expect(performance.now() - begin).toBeLessThan(2_000)
    for (const socket of waiting) socket.terminate()
  })
})

describe('an endpoint that is detached', () => {
  test('leaves its server as it was', async () => {
    const server = createServer()
    const detach = serve().attach(server, { path: '/rpc' })
    expect(server.listenerCount('upgrade')).toBe(1)
    detach()
    detach()
    expect(server.listenerCount('upgrade')).toBe(0)
    expect(server.listenerCount('newListener')).toBe(0)
    expect(Object.hasOwn(server, 'emit')).toBe(false)
  })

  test('leaves what others have put around its server, and can be attached again', async () => {
    const server = createServer()
    const endpoint = serve()
    const seen: string[] = []
    const around = () => {
      const { emit } = server
      server.emit = ((event: string, ...args: unknown[]) => {
        seen.push(event)
        return Reflect.apply(emit, server, [event, ...args])
      }) as typeof server.emit
      return server.emit
    }
    around()
    const detach = endpoint.attach(server, { path: '/rpc' })
    const outer = around()
    const url = await listening(server)
    await works(`${url}/rpc`)
    detach()
    expect(server.emit).toBe(outer)
    const others = new WebSocketServer({ server, path: '/rpc' })
    others.on('connection', (socket) => socket.send('I am ws'))
    expect(await ask(`${url}/rpc`)).toStrictEqual({ status: 101, said: 'I am ws' })
    others.close()
    endpoint.attach(server, { path: '/rpc' })
    await works(`${url}/rpc`)
    expect(seen).toContain('upgrade')
  })
})

describe('an upgrade that somebody else answers while it is authenticated', () => {
  test.each<[string, (socket: Duplex) => void]>([
    ['refuses', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
    [
      'accepts',
      (socket) => {
        socket.on('end', () => socket.end())
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      },
    ],
    ['ends', (socket) => socket.end()],
    ['destroys', (socket) => socket.destroy()],
  ])('is told to onReject and the logger: somebody %s it', async (_, answer) => {
    const onReject = vi.fn()
    const lines: string[] = []
    const line = (text: string) => lines.push(text)
    const endpoint = serve({
      authenticate: async ({ socket }: IncomingMessage) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        answer(socket)
      },
      onReject: [onReject],
      logger: { debug: () => {}, warn: line, error: line },
    })
    const { url } = await endpoint.listen()
    const socket = new WebSocket(url)
    socket.on('error', () => {})
    opened.push(() => socket.terminate())
    await polled(() => onReject.mock.calls.length).toBe(1)
    expect(onReject).toHaveBeenCalledWith(
      expect.objectContaining({ url: '/' }),
      expect.objectContaining({
        status: 500,
        message: expect.stringContaining('another listener'),
      }),
    )
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('another listener')
    expect(endpoint.channels.size).toBe(0)
  })

  test('is told to nobody where it is the client that leaves', async () => {
    const onReject = vi.fn()
    const endpoint = serve({ authenticate: slowly, onReject: [onReject] })
    const { url } = await endpoint.listen()
    const socket = new WebSocket(url)
    socket.on('error', () => {})
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.terminate()
    await slowly()
    expect(onReject).not.toHaveBeenCalled()
  })
})
