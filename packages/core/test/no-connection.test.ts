import { createClient, RpcDisconnectedError, RpcTimeoutError, type Transport } from '@flashrpc/core'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../scripts/free-port.js'
import { eventually, polled } from './support/eventually.js'
import { httpServer, refuse } from './support/http-server.js'
import { RawServer } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** What a caller, and the log, learn of a connection that is not there. */

interface Server {
  add(params: { a: number; b: number }): number
  hang(): void
}

interface Page {
  ask(): string
}

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  hang: () => new Promise<void>(() => {}),
}
const sum = { a: 1, b: 2 }
/** Never tries again while a test lasts. */
const later = { minDelayMs: 600_000, maxDelayMs: 600_000 }
const soon = { minDelayMs: 5, maxDelayMs: 20 }

/** Logs as `level message`. */
function createLog() {
  const lines: string[] = []
  const at = (level: string) => (text: string) => lines.push(`${level} ${text}`)
  return { lines, logger: { debug: at('debug'), warn: at('warn'), error: at('error') } }
}

describe('a call that waits in vain', () => {
  test('for a server that is down says so', async () => {
    const port = await freePort()
    const options = { url: `ws://127.0.0.1:${port}`, retry: soon, timeout: 1_000 }
    await using client = createClient<Server>(options)
    const thrown = await rejection(client.other.add(sum))
    expect(thrown).toBeInstanceOf(RpcTimeoutError)
    expect(thrown).toMatchObject({
      message: `"add" timed out after 1 s: never connected (ECONNREFUSED 127.0.0.1:${port}). Is the server running?`,
      outcome: 'not-sent',
      method: 'add',
      cause: expect.any(RpcDisconnectedError),
    })
    expect((thrown as Error).cause).toMatchObject({
      message: `ws://127.0.0.1:${port}/: ECONNREFUSED 127.0.0.1:${port}. Is the server running?`,
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('names each address of a host that has several', async () => {
    const port = await freePort()
    await using client = createClient<Server>({ url: `ws://localhost:${port}`, retry: later })
    await until(client, 'reconnecting')
    const thrown = (await rejection(client.other.add(sum, { timeout: 1 }))) as Error
    expect(thrown.message).toMatch(
      /never connected \((ECONNREFUSED \S+:\d+(, )?)+\)\. Is the server running\?$/,
    )
    expect(thrown.message).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
  })

  test('for a name that no host has', async () => {
    // The system's resolver may take long to give up.
    const options = { retry: later, connectTimeoutMs: 50_000 }
    await using client = createClient<Server>({ url: 'ws://nobody.invalid', ...options })
    await expect.poll(() => client.state.status, { timeout: 55_000 }).toBe('reconnecting')
    expect(await rejection(client.other.add(sum, { timeout: 1 }))).toMatchObject({
      message: expect.stringMatching(
        /never connected \(getaddrinfo \w+ nobody\.invalid\)\. Check the host of the url: /,
      ),
    })
  })

  test('for a server that is not one of WebSockets', async () => {
    await using busy = await httpServer(refuse('503 Service Unavailable'))
    await using client = createClient<Server>({ url: busy.url, retry: later })
    await until(client, 'reconnecting')
    expect(await rejection(client.other.add(sum, { timeout: 1 }))).toMatchObject({
      message: `"add" timed out after 1 ms: never connected (${busy.url}/: the server answered HTTP 503 Service Unavailable)`,
    })

    await using different = await httpServer(refuse('200 OK'))
    await using mistaken = createClient<Server>({ url: different.url, retry: later })
    await until(mistaken, 'reconnecting')
    expect(await rejection(mistaken.other.add(sum, { timeout: 1 }))).toMatchObject({
      message: `"add" timed out after 1 ms: never connected (${different.url}/: the server answered HTTP 200 OK). No WebSocket is served there: check the host, the port and the path of the url`,
    })

    await using silent = await httpServer((socket) => socket.destroy())
    await using other = createClient<Server>({ url: silent.url, retry: later })
    await until(other, 'reconnecting')
    expect(await rejection(other.other.add(sum, { timeout: 1 }))).toMatchObject({
      message: `"add" timed out after 1 ms: never connected (${silent.url}/: socket hang up). Is it a WebSocket server? If it speaks TLS, begin the url with wss:`,
    })

    await using insecure = createClient<Server>({
      url: silent.url.replace('ws:', 'wss:'),
      retry: later,
    })
    await until(insecure, 'reconnecting')
    expect(insecure.state.lastError?.message).toMatch(
      /\. (Does the server speak TLS\? If not, begin the url with ws:|Is it a WebSocket server\?.*)$/,
    )
  })

  test('while the first attempt goes on, and before connect() is called', async () => {
    await using server = await RawServer.listen()
    await using client = createClient<Server>({ url: `${server.url}/path?token=secret` })
    expect(await rejection(client.other.add(sum, { timeout: 50 }))).toMatchObject({
      message: expect.stringMatching(
        /^"add" timed out after 50 ms: never connected: the first attempt goes on \(ws:\/\/127\.0\.0\.1:\d+\/path\?…\)$/,
      ),
    })
    await using idle = createClient<Server>({ url: server.url, autoConnect: false })
    expect(await rejection(idle.other.add(sum, { timeout: 1 }))).toMatchObject({
      message:
        '"add" timed out after 1 ms: never connected: call connect(), as autoConnect is false',
    })
  })

  test('for another connection than the one that was lost', async () => {
    const endpoint = createEndpoint<Server>({ methods })
    const { url, port } = await endpoint.listen()
    await using client = createClient<Server>({ url, retry: soon })
    await client.connect()
    await endpoint.close()
    await polled(() => client.state.lastError?.message).toMatch(/ECONNREFUSED/)
    const thrown = (await rejection(client.other.add(sum, { timeout: 20 }))) as Error
    expect(thrown.message).toMatch(
      /^"add" timed out after 20 ms: it was not sent; the connection was lost \(1001: .*\) \d+ m?s ago, and the last attempt failed \(ECONNREFUSED 127\.0\.0\.1:\d+\)\. Is the server running\?$/,
    )
    expect(thrown.message).toContain(`:${port})`)
    expect(thrown.cause).toBe(client.state.lastError)
  })

  test('in a session whose connection is lost, on both sides', async () => {
    await using endpoint = createEndpoint<Server, Page>({ methods, resume: {} })
    const { port } = await endpoint.listen()
    await using proxy = await createFaultProxy({ port })
    const options = { methods: { ask: () => 'yes' }, retry: later }
    await using client = createClient<Server, Page>({ url: proxy.url(), ...options })
    await client.connect()
    const sent = rejection(client.other.hang(undefined, { timeout: 300 }))
    await polled(() => client.state.inFlight).toBe(1)
    const [channel] = endpoint.channels
    const down = until(client, 'reconnecting')
    proxy.cut()
    await down
    expect(await sent).toMatchObject({
      message: expect.stringMatching(
        /^"hang" timed out after 300 ms: it was sent and may have run; the connection was lost \(1006\) \d+ ms ago$/,
      ),
    })
    expect(await rejection(channel?.other.ask(undefined, { timeout: 1 }) as never)).toMatchObject({
      message:
        '"ask" timed out after 1 ms: it was not sent; the connection was lost, and the session waits for the next one',
    })
  })

  test('for a transport that a function makes', async () => {
    const transport = (): Promise<Transport> => Promise.reject(new Error('no worker'))
    await using client = createClient<Server>({ transport, retry: later })
    await until(client, 'reconnecting')
    expect(await rejection(client.other.add(sum, { timeout: 1 }))).toMatchObject({
      message: '"add" timed out after 1 ms: never connected (no worker)',
      cause: { cause: { message: 'no worker' } },
    })
  })

  test('is told how far it came where there is a connection', async () => {
    await using endpoint = createEndpoint<Server>({ methods })
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    await client.connect()
    const thrown = await rejection(client.other.hang(undefined, { timeout: 20 }))
    expect(thrown).toMatchObject({
      message: '"hang" timed out after 20 ms: it was sent and may have run',
    })
    expect(thrown).not.toHaveProperty('cause')
  })
})

describe('a server that lets nobody in', () => {
  test.each([
    [404, 'Not Found', 'Check the path of the url'],
    [426, 'Upgrade Required', 'Check the path of the url: no WebSocket is served there'],
    [403, 'Forbidden', 'The server does not let this client in: check its rights'],
    [401, 'Unauthorized', 'The server does not know who this is: check the credentials'],
  ])('is told of to who connects and who calls: HTTP %d', async (status, text, remedy) => {
    await using server = await httpServer(refuse(`${status} ${text}`))
    await using client = createClient<Server>({ url: server.url })
    const calling = rejection(client.other.add(sum))
    const why = `${server.url}/: the server answered HTTP ${status} ${text}. ${remedy}`
    const refused = (await rejection(client.connect())) as RpcDisconnectedError
    expect(refused).toBeInstanceOf(RpcDisconnectedError)
    expect(refused.message.slice(0, why.length)).toBe(why)
    const called = (await calling) as RpcDisconnectedError
    const told = `"add" was not sent: the client has stopped (${client.state.status}): ${refused.message}`
    expect(called.message).toBe(`${told}. connect() tries again`)
    expect(called.cause).toBe(client.state.lastError)
  })

  test('and an attempt that was the last one', async () => {
    const port = await freePort()
    const retry = { maxAttempts: 1 }
    await using client = createClient<Server>({ url: `ws://127.0.0.1:${port}`, retry })
    const why = `ws://127.0.0.1:${port}/: ECONNREFUSED 127.0.0.1:${port}. Is the server running?`
    expect(await rejection(client.connect())).toMatchObject({ message: why })
    expect(await rejection(client.other.add(sum))).toMatchObject({
      message: `"add" was not sent: the client has stopped (failed): ${why} connect() tries again`,
    })
  })

  test('says why, where it is an endpoint', async () => {
    const authenticate = () => {
      throw new RejectUpgrade(403, 'The office is closed')
    }
    await using endpoint = createEndpoint<Server>({ authenticate, methods })
    await using client = createClient<Server>({ url: (await endpoint.listen()).url })
    expect(await rejection(client.other.add(sum))).toMatchObject({
      message: expect.stringContaining(
        'HTTP 403 Forbidden: The office is closed. The server does not let this client in',
      ),
    })
  })
})

describe('the log', () => {
  test('warns of the first attempt that fails, and not of each', async () => {
    const port = await freePort()
    const { lines, logger } = createLog()
    await using client = createClient<Server>({
      url: `ws://127.0.0.1:${port}`,
      retry: soon,
      logger,
    })
    await eventually(() => expect(client.state.attempt).toBeGreaterThan(4))
    const [first, ...others] = lines
    expect(first).toMatch(
      new RegExp(
        `^warn flashrpc: ws://127\\.0\\.0\\.1:${port}/: ECONNREFUSED 127\\.0\\.0\\.1:${port}\\. Is the server running\\? \\(the next attempt is in \\d+ ms\\)$`,
      ),
    )
    expect(others.length).toBeGreaterThan(2)
    for (const line of others) expect(line).toMatch(/^debug flashrpc: .*ECONNREFUSED/)
  })

  test('warns of a loss once, though the network that comes back changes the time of the next attempt', async () => {
    const network = new EventTarget()
    for (const name of ['addEventListener', 'removeEventListener'] as const) {
      vi.stubGlobal(name, network[name].bind(network))
    }
    try {
      const { lines, logger } = createLog()
      await using server = await RawServer.listen()
      await using client = createClient<Server>({ url: server.url, retry: later, logger })
      const peer = await server.acceptExtended()
      await until(client, 'connected')
      peer.socket.terminate()
      const { retryAt } = await until(client, 'reconnecting')
      network.dispatchEvent(new Event('online'))
      expect(client.state.retryAt).toBeLessThan(retryAt as number)
      const { message } = (await rejection(client.other.add(sum, { timeout: 1 }))) as Error
      expect(message).toMatch(/the connection was lost \(1006.*ago$/)
      expect(lines.filter((line) => line.includes('the connection was lost'))).toHaveLength(1)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('warns of a connection that is lost, and of the first attempt after it that fails', async () => {
    const { lines, logger } = createLog()
    const endpoint = createEndpoint<Server>({ methods })
    const { url } = await endpoint.listen()
    await using client = createClient<Server>({ url, retry: soon, logger })
    await client.connect()
    await endpoint.close()
    await eventually(() => expect(client.state.attempt).toBeGreaterThan(3))
    const warnings = lines.filter((line) => line.startsWith('warn'))
    expect(warnings).toEqual([
      expect.stringMatching(/the connection was lost \(1001/),
      expect.stringMatching(/ECONNREFUSED/),
    ])
  })
})
