import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createClient, RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { type RawPeer, RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** Exact messages, by peers that know nothing of RPC: docs/protocol.md, "Sessions" and "Leaving". */

interface Server {
  add(params: { a: number; b: number }): number
  hang(): void
}
interface Page {
  ask(params: { n: number }): number
}

const limits = { msg: 100_000, buf: 100_000 }
const retry = { minDelayMs: 1, maxDelayMs: 5 }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

// ── A real server, a raw client ─────────────────────────────────────────────────────────────────────

async function serve(options: Partial<EndpointOptions<Server, Page>> = {}) {
  const ran: string[] = []
  const errors: unknown[] = []
  const endpoint = createEndpoint<Server, Page>({
    resume: {},
    onError: [(_, error) => errors.push(error)],
    ...options,
    methods: {
      add: ({ a, b }) => {
        ran.push(`${a}+${b}`)
        return a + b
      },
      hang: (_, { signal }) => {
        ran.push('hang')
        return new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            ran.push('aborted')
            reject(new Error('aborted'))
          })
        })
      },
    },
  })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  return { endpoint, url, ran, errors }
}

interface Granted {
  sid: string
  token: string
  resumed: boolean
  recv: number
  lastRecv?: number
}

let attempts = 0

/** Connects and says hello. @returns the peer, and the answer's result. */
async function hello(
  url: string,
  params: object = {},
): Promise<{ peer: RawPeer; result: Granted }> {
  const peer = await rawClient(url)
  opened.push(() => peer[Symbol.asyncDispose]())
  sayHello(peer, params)
  const { result } = await peer.nextJson()
  return { peer, result }
}

function sayHello(peer: RawPeer, params: object): void {
  peer.send({
    jsonrpc: '2.0',
    id: 'rpc:1',
    method: 'rpc.hello',
    params: { v: 1, attempt: ++attempts, codec: 'json', bytes: true, limits, ...params },
  })
}

const add = (id: number, a = id, b = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'add',
  params: { a, b },
})

const ack = (recv: unknown) => ({ jsonrpc: '2.0', method: 'rpc.ack', params: [recv] })

/** Ends a connection without a word, and waits until the server knows. */
async function drop(peer: RawPeer): Promise<void> {
  peer.socket.terminate()
  await peer.closed
}

describe('a server that keeps sessions', () => {
  test('gives one to a client that offers it, and says for how long', async () => {
    const { endpoint, url } = await serve({ resume: { windowMs: 1234 } })
    const { result } = await hello(url)
    const [channel] = endpoint.channels
    expect(result).toStrictEqual({
      v: 1,
      sid: channel?.id,
      resumed: false,
      spreadMs: 0,
      token: expect.stringMatching(/^[\w-]{43}$/),
      recv: 0,
      windowMs: 1234,
      codec: 'json',
      bytes: true,
      limits: { msg: 1024 * 1024, batch: 100, depth: 256, buf: 4 * 1024 * 1024 },
    })
  })

  test('gives none to a client that keeps nothing', async () => {
    const { url } = await serve()
    const { result } = await hello(url, { limits: { msg: 100_000 } })
    expect(result).not.toHaveProperty('token')
    expect(result).toMatchObject({ limits: { msg: 1024 * 1024 } })
  })

  test('acknowledges the first message after a second, and every 32nd at once', async () => {
    const { url } = await serve()
    const { peer } = await hello(url)
    const begin = performance.now()
    peer.send(add(1))
    expect(await peer.nextJson()).toMatchObject({ id: 1 })
    expect(await peer.nextJson()).toStrictEqual(ack(1))
    expect(performance.now() - begin).toBeGreaterThan(900)
    for (let id = 2; id <= 33; id++) peer.send(add(id))
    const came = []
    for (let n = 0; n < 33; n++) came.push(await peer.nextJson())
    expect(came.filter(({ method }) => method === 'rpc.ack')).toStrictEqual([ack(33)])
  })

  test('acknowledges what it can not read as soon', async () => {
    const { url } = await serve()
    const { peer } = await hello(url)
    for (let n = 0; n < 32; n++) peer.send(n)
    const came = []
    for (let n = 0; n < 33; n++) came.push(await peer.nextJson())
    expect(came.filter(({ error }) => error?.code === -32600)).toHaveLength(32)
    expect(came.filter(({ method }) => method === 'rpc.ack')).toStrictEqual([ack(32)])
  })

  test('acknowledges a frame of many messages once, when it has dispatched the last', async () => {
    const { url } = await serve()
    const { peer } = await hello(url)
    const ids = Array.from({ length: 90 }, (_, n) => n + 1)
    peer.send(ids.map((id) => add(id)))
    // This client takes no frames of many.
    const came = []
    for (let n = 0; n < 91; n++) came.push(await peer.nextJson())
    expect(came.map(({ id }) => id)).toStrictEqual([...ids, undefined])
    expect(came.at(-1)).toStrictEqual(ack(90))
  })

  test('counts what it answers, what it ignores and what it can not read, but not words of life', async () => {
    const { url } = await serve()
    const { peer, result } = await hello(url)
    peer.send({ jsonrpc: '2.0', method: 'rpc.ping' })
    peer.send(ack(0))
    peer.send(add(1)) // 1
    peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 99 } }) // 2
    peer.send('null') // 3
    peer.send([add(2), ack(0), add(3)]) // 4, 5
    peer.send({ jsonrpc: '2.0', id: 7, result: 'of no call' }) // 6
    peer.send({ jsonrpc: '2.0', method: 'rpc.pong' })
    await polled(() => peer.unread.length).toBe(5)
    await drop(peer)
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 4 } })
    expect(again.result).toMatchObject({ resumed: true, recv: 6 })
  })

  test('counts a message with bytes as one, once all of them have come', async () => {
    const { url, ran } = await serve()
    const { peer, result } = await hello(url)
    const announced = (id: number) => ({
      ...add(id),
      params: { a: id, b: 1, blob: null },
      rpc: { bytes: [{ at: ['params', 'blob'], size: 3 }] },
    })
    peer.send(announced(1))
    peer.send(new Uint8Array(3))
    peer.send(announced(2))
    await polled(() => ran).toStrictEqual(['1+1'])
    await drop(peer)
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 0 } })
    expect(again.result).toMatchObject({ resumed: true, recv: 1 })
  })

  test('writes again what was not acknowledged, in order, ahead of all else', async () => {
    const { endpoint, url } = await serve()
    const { peer, result } = await hello(url)
    const [channel] = endpoint.channels
    for (let id = 1; id <= 3; id++) peer.send(add(id))
    for (let id = 1; id <= 3; id++) expect(await peer.nextJson()).toMatchObject({ id })
    await drop(peer)
    await polled(() => channel?.isConnected).toBe(false)
    void channel?.other.ask({ n: 5 }).catch(() => {})
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 1 } })
    expect(await again.peer.nextJson()).toStrictEqual({ jsonrpc: '2.0', id: 2, result: 3 })
    expect(await again.peer.nextJson()).toStrictEqual({ jsonrpc: '2.0', id: 3, result: 4 })
    expect(await again.peer.nextJson()).toMatchObject({ method: 'ask', params: { n: 5 } })
    expect(again.peer.unread).toStrictEqual([])
  })

  test('hears an old connection no more, once another has taken over', async () => {
    const { url, ran } = await serve()
    const first = await hello(url)
    const { sid, token } = first.result
    const second = await hello(url, { resume: { sid, token, recv: 0 } })
    expect(second.result).toMatchObject({ resumed: true, sid, token })
    first.peer.send(add(1))
    second.peer.send(add(2))
    expect(await first.peer.closed).toMatchObject({ code: 4409 })
    expect(await second.peer.nextJson()).toMatchObject({ id: 2 })
    expect(ran).toStrictEqual(['2+1'])
  })

  test('refuses a hello that a later one has overtaken, and leaves the session alone', async () => {
    const { url } = await serve()
    const first = await hello(url)
    const { sid, token } = first.result
    const later = await hello(url, { attempt: 1_000_000, resume: { sid, token, recv: 0 } })
    const late = await rawClient(url)
    opened.push(() => late[Symbol.asyncDispose]())
    sayHello(late, { attempt: 999_999, resume: { sid, token, recv: 0 } })
    expect(await late.closed).toMatchObject({ code: 4409 })
    later.peer.send(add(1))
    expect(await later.peer.nextJson()).toMatchObject({ id: 1, result: 2 })
  })

  test.each([-1, 0.5, 4, 2 ** 53, '1', null, Number.NaN])(
    'refuses a hello whose recv is %j with 4400, and leaves the session alone',
    async (recv) => {
      const { url } = await serve()
      const { peer, result } = await hello(url)
      for (let id = 1; id <= 3; id++) peer.send(add(id))
      await polled(() => peer.unread.length).toBe(3)
      const { sid, token } = result
      const wrong = await rawClient(url)
      opened.push(() => wrong[Symbol.asyncDispose]())
      sayHello(wrong, { resume: { sid, token, recv } })
      expect(await wrong.closed).toMatchObject({ code: 4400 })
      peer.send(add(9))
      await polled(() => peer.unread.length).toBe(4)
    },
  )

  test.each([-1, 0.5, 2, 2 ** 53, '1', null, 'nothing'])(
    'ends the session at an ack of %j',
    async (recv) => {
      const { endpoint, url, errors } = await serve()
      const { peer, result } = await hello(url)
      peer.send(add(1))
      await peer.next()
      peer.send(recv === 'nothing' ? { jsonrpc: '2.0', method: 'rpc.ack' } : ack(recv))
      expect(await peer.closed).toMatchObject({ code: 4400 })
      expect(endpoint.channels.size).toBe(0)
      expect(String(errors[0])).toContain('rpc.ack')
      const { sid, token } = result
      const again = await hello(url, { resume: { sid, token, recv: 1 } })
      expect(again.result.resumed).toBe(false)
      expect(again.result).not.toHaveProperty('lastRecv')
    },
  )

  test('ends the session at an ack that takes an earlier one back', async () => {
    const { url } = await serve()
    const { peer } = await hello(url)
    peer.send(add(1))
    peer.send(add(2))
    await polled(() => peer.unread.length).toBe(2)
    peer.send(ack(2))
    peer.send(ack(1))
    expect(await peer.closed).toMatchObject({ code: 4400 })
  })

  test('tells strangers nothing: a wrong token, another identity, an unknown session look alike', async () => {
    const { endpoint, url, ran } = await serve({
      authenticate: ({ url: path }) => ({ user: path }),
    })
    const owner = await hello(`${url}?ann`)
    const { sid, token } = owner.result
    owner.peer.send({ jsonrpc: '2.0', id: 1, method: 'hang' })
    await polled(() => ran).toStrictEqual(['hang'])
    const strangers = [
      await hello(`${url}?ann`, { resume: { sid, token: 'x'.repeat(43), recv: 0 } }),
      await hello(`${url}?bob`, { resume: { sid, token, recv: 0 } }),
      await hello(`${url}?ann`, { resume: { sid: '0'.repeat(32), token, recv: 0 } }),
    ]
    for (const { result } of strangers) {
      expect(result).toMatchObject({ resumed: false, recv: 0 })
      expect(result.sid).not.toBe(sid)
      expect(result).not.toHaveProperty('lastRecv')
    }
    // The owner is undisturbed.
    owner.peer.send(add(2))
    expect(await owner.peer.nextJson()).toMatchObject({ id: 2, result: 3 })
    expect(endpoint.channels.size).toBe(4)
  })

  test('goes on with whoever is the same by the rule that was given', async () => {
    const identities: unknown[] = []
    let logins = 0
    const { endpoint, url } = await serve({
      authenticate: () => ({ user: 'ann', login: ++logins }),
      resume: {
        sameIdentity: (before, now) => {
          identities.push(before, now)
          return (before as { user: string }).user === (now as { user: string }).user
        },
      },
    })
    const { peer, result } = await hello(url)
    await drop(peer)
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 0 } })
    expect(again.result.resumed).toBe(true)
    expect(identities).toStrictEqual([
      { user: 'ann', login: 1 },
      { user: 'ann', login: 2 },
    ])
    const [channel] = endpoint.channels
    expect(channel?.identity).toStrictEqual({ user: 'ann', login: 2 })
  })

  test('goes on with whoever has the token, however often others behind its address guess', async () => {
    const { url } = await serve()
    const owner = await hello(url)
    const { sid, token } = owner.result
    const guess = async () => {
      const wrong = randomBytes(32).toString('base64url')
      return (await hello(url, { resume: { sid, token: wrong, recv: 0 } })).result
    }
    for (let times = 0; times < 20; times++) {
      // Each gets a session, but a new one.
      expect(await guess()).toMatchObject({ resumed: false, token: expect.any(String) })
    }
    expect((await hello(url, { resume: { sid, token, recv: 0 } })).result.resumed).toBe(true)
    expect((await guess()).resumed).toBe(false)
  })

  test('does not hold it against clients that the server is another one now', async () => {
    const { url } = await serve()
    for (let times = 0; times < 10; times++) {
      const sid = randomBytes(16).toString('hex')
      const token = randomBytes(32).toString('base64url')
      expect((await hello(url, { resume: { sid, token, recv: 0 } })).result.resumed).toBe(false)
    }
  })

  test('says how far a session had come that has ended', async () => {
    const { endpoint, url } = await serve({ resume: { windowMs: 20 } })
    const { peer, result } = await hello(url)
    for (let id = 1; id <= 3; id++) peer.send(add(id))
    await polled(() => peer.unread.length).toBe(3)
    await drop(peer)
    await polled(() => endpoint.channels.size).toBe(0)
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 0 } })
    expect(again.result).toMatchObject({ resumed: false, lastRecv: 3, recv: 0 })
    // It is remembered for whoever it was only.
    const stranger = await hello(url, { resume: { sid, token: 'y'.repeat(43), recv: 0 } })
    expect(stranger.result).not.toHaveProperty('lastRecv')
  })

  test.each([1000, 1001, 4000, 4400])(
    'ends the session at once when its client closes with %i',
    async (code) => {
      const { endpoint, url, ran } = await serve()
      const { peer } = await hello(url)
      peer.send({ jsonrpc: '2.0', id: 1, method: 'hang' })
      await polled(() => ran).toStrictEqual(['hang'])
      peer.socket.close(code)
      await polled(() => ran).toStrictEqual(['hang', 'aborted'])
      expect(endpoint.channels.size).toBe(0)
    },
  )

  test.each([
    ['no object', 'resume me'],
    ['no token', { sid: 'abc', recv: 0 }],
    ['a long id', { sid: 'a'.repeat(65), token: 'abc', recv: 0 }],
  ])('answers a resume that is none: %s', async (_, resume) => {
    const { url } = await serve()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    sayHello(peer, { resume })
    expect(await peer.nextJson()).toMatchObject({ error: { code: -32602 } })
  })

  test('begins a session with a client that says late who it is', async () => {
    const { endpoint, url } = await serve({ helloTimeoutMs: 50 })
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    await polled(() => endpoint.channels.size).toBe(1)
    peer.send(add(1))
    expect(await peer.nextJson()).toMatchObject({ id: 1 })
    sayHello(peer, {})
    const { result } = await peer.nextJson()
    expect(result).toMatchObject({ resumed: false, recv: 0, token: expect.any(String) })
    peer.send(add(2))
    expect(await peer.nextJson()).toMatchObject({ id: 2 })
    await drop(peer)
    const { sid, token } = result
    const again = await hello(url, { resume: { sid, token, recv: 1 } })
    expect(again.result).toMatchObject({ resumed: true, recv: 1 })
    expect(endpoint.channels.size).toBe(1)
  })

  test('goes on with a session whose client says late who it is', async () => {
    const told: string[] = []
    const { endpoint, url } = await serve({
      helloTimeoutMs: 50,
      onConnect: [({ id }) => told.push(`connect ${id}`)],
      onDisconnect: [({ id }) => told.push(`disconnect ${id}`)],
    })
    const first = await hello(url)
    const [channel] = endpoint.channels
    first.peer.send(add(1))
    await first.peer.next()
    await drop(first.peer)
    const late = await rawClient(url)
    opened.push(() => late[Symbol.asyncDispose]())
    await polled(() => endpoint.channels.size).toBe(2)
    const stranger = [...endpoint.channels].find((one) => one !== channel)
    const unheard = rejection(stranger?.other.ask({ n: 1 }) as Promise<number>)
    expect(await late.nextJson()).toMatchObject({ method: 'ask' })
    const { sid, token } = first.result
    sayHello(late, { resume: { sid, token, recv: 0 } })
    expect((await late.nextJson()).result).toMatchObject({ resumed: true, sid, recv: 1 })
    expect(await late.nextJson()).toMatchObject({ id: 1, result: 2 })
    expect(await unheard).toMatchObject({ outcome: 'maybe-executed' })
    expect([...endpoint.channels]).toStrictEqual([channel])
    expect(told).toStrictEqual([
      `connect ${channel?.id}`,
      `connect ${stranger?.id}`,
      `disconnect ${stranger?.id}`,
    ])
  })

  test('gives up what it said to a client that would go on, and says so late', async () => {
    const { endpoint, url } = await serve({ helloTimeoutMs: 50 })
    const late = await rawClient(url)
    opened.push(() => late[Symbol.asyncDispose]())
    await polled(() => endpoint.channels.size).toBe(1)
    const [channel] = endpoint.channels
    const unheard = rejection(channel?.other.ask({ n: 1 }) as Promise<number>)
    await late.next()
    sayHello(late, { resume: { sid: 'unknown', token: 'any', recv: 0 } })
    expect((await late.nextJson()).result).toMatchObject({ resumed: false })
    expect(await unheard).toMatchObject({ outcome: 'maybe-executed' })
    // The channel goes on.
    late.send(add(1))
    expect(await late.nextJson()).toMatchObject({ id: 1 })
  })

  test('keeps no token, but its hash', async () => {
    const { endpoint, url } = await serve()
    const { result } = await hello(url)
    // Structured as it may be: whatever the endpoint holds, the token is not in it.
    const seen = new Set<unknown>()
    const { inspect } = await import('node:util')
    seen.add(inspect(endpoint, { depth: 20, showHidden: true }))
    expect([...seen].join()).not.toContain(result.token)
    expect(createHash('sha256').update(result.token).digest()).toHaveLength(32)
  })
})

describe('a server that leaves', () => {
  test('says how far it has come, answers what runs, and runs nothing after', async () => {
    const { endpoint, url, ran } = await serve()
    const { peer } = await hello(url)
    peer.send(add(1))
    expect(await peer.nextJson()).toMatchObject({ id: 1 })
    peer.send({ jsonrpc: '2.0', id: 2, method: 'hang' })
    await polled(() => ran).toStrictEqual(['1+1', 'hang'])
    const closing = endpoint.close({ drain: 3_000, retryAfterMs: 70 })
    expect(await peer.nextJson()).toStrictEqual({
      jsonrpc: '2.0',
      method: 'rpc.bye',
      params: { recv: 2, retryAfterMs: 70 },
    })
    peer.send(add(3))
    peer.send({ jsonrpc: '2.0', method: 'rpc.bye', params: {} })
    peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 2 } })
    // Call 3 was counted, and not run: the number has told its caller.
    expect(await peer.nextJson()).toMatchObject({ id: 2, error: { code: -32800 } })
    expect(await peer.closed).toMatchObject({ code: 1001 })
    await closing
    expect(ran).toStrictEqual(['1+1', 'hang', 'aborted'])
  })

  test('tells callers without a session of each call that it did not run', async () => {
    const { endpoint, url, ran } = await serve({ resume: undefined } as never)
    const { peer } = await hello(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'hang' })
    await polled(() => ran).toStrictEqual(['hang'])
    const closing = endpoint.close({ drain: 3_000 })
    expect(await peer.nextJson()).toStrictEqual({ jsonrpc: '2.0', method: 'rpc.bye', params: {} })
    peer.send(add(2))
    expect(await peer.nextJson()).toStrictEqual({
      jsonrpc: '2.0',
      id: 2,
      error: { code: -32004, message: expect.any(String) },
      rpc: { ran: false },
    })
    peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 1 } })
    await peer.next()
    peer.send({ jsonrpc: '2.0', method: 'rpc.bye', params: {} })
    await closing
    expect(ran).toStrictEqual(['hang', 'aborted'])
  })

  test('waits for calls that are on their way, until the client has heard of it', async () => {
    const { endpoint, url, ran } = await serve({ resume: undefined } as never)
    const { peer } = await hello(url)
    const closing = endpoint.close({ drain: 3_000 })
    await peer.nextJson()
    // Nothing runs; and yet something may come.
    await new Promise((resolve) => setTimeout(resolve, 50))
    peer.send(add(1))
    expect(await peer.nextJson()).toMatchObject({ id: 1, rpc: { ran: false } })
    peer.send({ jsonrpc: '2.0', method: 'rpc.bye', params: {} })
    expect(await peer.closed).toMatchObject({ code: 1001 })
    await closing
    expect(ran).toStrictEqual([])
  })

  test('tells whoever asks meanwhile to come back, and not that there is nobody', async () => {
    const { endpoint, url, ran } = await serve()
    const { peer } = await hello(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'hang' })
    await polled(() => ran).toStrictEqual(['hang'])
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    opened.push(() => socket.destroy())
    await once(socket, 'connect')
    const closing = endpoint.close({ drain: 200 })
    socket.write(
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    )
    const [head] = await once(socket, 'data')
    expect(String(head)).toMatch(/^HTTP\/1\.1 503 /)
    await closing
  })

  test('tells plain peers, too, by an error', async () => {
    const { endpoint, url, ran } = await serve()
    const peer = await rawClient(url)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'hang' })
    await polled(() => ran).toStrictEqual(['hang'])
    const closing = endpoint.close({ drain: 200 })
    peer.send(add(2))
    expect(await peer.nextJson()).toMatchObject({ id: 2, error: { code: -32004 } })
    await closing
    expect(ran).toStrictEqual(['hang', 'aborted'])
  })
})

// ── A real client, a raw server ─────────────────────────────────────────────────────────────────────

const granted = (over: object = {}) => ({
  v: 1,
  sid: 'abc',
  resumed: false,
  spreadMs: 0,
  token: 'secret',
  recv: 0,
  windowMs: 30_000,
  limits,
  ...over,
})

/** Accepts a connection. @returns it, with the hello's params. */
async function accept(server: RawServer, result: object) {
  const peer = await server.accept()
  const { id, params } = await peer.nextJson()
  peer.send({ jsonrpc: '2.0', id, result })
  return { peer, params }
}

async function clientOf() {
  const server = await RawServer.listen()
  opened.push(() => server[Symbol.asyncDispose]())
  const client = createClient<Server, Page>({
    url: server.url,
    retry,
    methods: { ask: ({ n }) => n * 2 },
  })
  opened.push(() => client.close())
  return { server, client }
}

describe('a client in a session', () => {
  test('says in its hello what it goes on with', async () => {
    const { server, client } = await clientOf()
    const first = await accept(server, granted())
    expect(first.params).not.toHaveProperty('resume')
    await until(client, 'connected')
    for (let id = 1; id <= 2; id++) {
      first.peer.send({ jsonrpc: '2.0', id, method: 'ask', params: { n: id } })
      expect(await first.peer.nextJson()).toMatchObject({ id, result: id * 2 })
    }
    first.peer.socket.terminate()
    const second = await accept(server, granted({ resumed: true, recv: 2 }))
    expect(second.params).toMatchObject({
      attempt: 2,
      resume: { sid: 'abc', token: 'secret', recv: 2 },
    })
    await until(client, 'connected')
    expect(client.state.resumed).toBe(true)
    expect(second.peer.unread).toStrictEqual([])
  })

  test('writes again what the server has not got, and no more', async () => {
    const { server, client } = await clientOf()
    const first = await accept(server, granted())
    await until(client, 'connected')
    const calls = [1, 2, 3].map((a) => client.other.add({ a, b: 0 }))
    await polled(() => first.peer.unread.length).toBe(3)
    first.peer.socket.terminate()
    const second = await accept(server, granted({ resumed: true, recv: 1 }))
    expect(await second.peer.nextJson()).toMatchObject({ id: 2, params: { a: 2 } })
    expect(await second.peer.nextJson()).toMatchObject({ id: 3, params: { a: 3 } })
    for (const id of [3, 2, 1]) second.peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all(calls)).toStrictEqual([1, 2, 3])
  })

  test('sends again, in a new session, what the old one had not received', async () => {
    const { server, client } = await clientOf()
    const first = await accept(server, granted())
    await until(client, 'connected')
    const calls = [1, 2, 3].map((a) => client.other.add({ a, b: 0 }))
    const lost = rejection(calls[0] as Promise<number>)
    await polled(() => first.peer.unread.length).toBe(3)
    first.peer.socket.terminate()
    const second = await accept(server, granted({ sid: 'def', token: 'other', lastRecv: 1 }))
    expect(await lost).toMatchObject({ outcome: 'maybe-executed' })
    expect(await second.peer.nextJson()).toMatchObject({ id: 2, params: { a: 2 } })
    expect(await second.peer.nextJson()).toMatchObject({ id: 3, params: { a: 3 } })
    second.peer.socket.terminate()
    const third = await accept(
      server,
      granted({ sid: 'def', token: 'other', resumed: true, recv: 1 }),
    )
    expect(third.params).toMatchObject({ resume: { sid: 'def', token: 'other' } })
    expect(await third.peer.nextJson()).toMatchObject({ id: 3 })
    for (const id of [2, 3]) third.peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all(calls.slice(1))).toStrictEqual([2, 3])
  })

  test('begins a new session with the calls that the old one had not received, and drops all else', async () => {
    const { server, client } = await clientOf()
    const first = await accept(server, granted())
    await until(client, 'connected')
    const lost = rejection(client.other.add({ a: 1, b: 0 }))
    const again = client.other.add({ a: 2, b: 0 })
    const leaving = new AbortController()
    const left = rejection(client.other.add({ a: 3, b: 0 }, { signal: leaving.signal }))
    await polled(() => first.peer.unread.length).toBe(3)
    first.peer.send({ jsonrpc: '2.0', id: 'of the old session', method: 'ask', params: { n: 1 } })
    await polled(() => first.peer.unread.length).toBe(4)
    first.peer.socket.terminate()
    await until(client, 'reconnecting')
    leaving.abort()
    expect(await left).toMatchObject({ outcome: 'maybe-executed' })
    const later = client.other.add({ a: 4, b: 0 })
    // Of the four messages, the server has only the first: the answer and the rpc.cancel belong to the old session.
    const second = await accept(server, granted({ sid: 'def', token: 'other', lastRecv: 1 }))
    expect(await lost).toMatchObject({ outcome: 'maybe-executed' })
    expect(await second.peer.nextJson()).toMatchObject({ id: 2, params: { a: 2 } })
    expect(await second.peer.nextJson()).toMatchObject({ id: 4, params: { a: 4 } })
    for (const id of [2, 4]) second.peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all([again, later])).toStrictEqual([2, 4])
    expect(second.peer.unread).toStrictEqual([])
  })

  test.each([undefined, 7, -1, 0.5])(
    'takes a lastRecv of %j for no word at all: what was sent may have run',
    async (lastRecv) => {
      const { server, client } = await clientOf()
      const first = await accept(server, granted())
      await until(client, 'connected')
      const call = rejection(client.other.add({ a: 1, b: 0 }))
      await first.peer.next()
      first.peer.socket.terminate()
      await accept(server, granted({ sid: 'def', lastRecv }))
      const error = await call
      expect(error).toBeInstanceOf(RpcDisconnectedError)
      expect(error).toMatchObject({ outcome: 'maybe-executed' })
    },
  )

  test.each([
    ['a recv it never sent', { recv: 2 }],
    ['a negative recv', { recv: -1 }],
    ['half a message', { recv: 0.5 }],
    ['no recv', { recv: undefined }],
    ['another session', { recv: 1, sid: 'def' }],
  ])('stops with 4400 where the server resumes %s', async (_, over) => {
    const { server, client } = await clientOf()
    const first = await accept(server, granted())
    await until(client, 'connected')
    const call = rejection(client.other.add({ a: 1, b: 0 }))
    await first.peer.next()
    first.peer.socket.terminate()
    const second = await accept(server, granted({ resumed: true, ...over }))
    expect(await second.peer.closed).toMatchObject({ code: 4400 })
    await until(client, 'failed')
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
  })

  test('stops with 4400 where the server resumes what never was', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted({ resumed: true }))
    expect(await peer.closed).toMatchObject({ code: 4400 })
    await until(client, 'failed')
  })

  test('stops, and lets the other go on, where another connection has its session', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    peer.socket.close(4409, 'Another has it')
    await until(client, 'failed')
    expect(server.ever).toBe(1)
  })

  test('hears nothing but the answer to its hello from a server it would go on with', async () => {
    const asked: number[] = []
    const { server, client } = await clientOf()
    client.expose('ask', ({ n }) => asked.push(n))
    const first = await accept(server, granted())
    await until(client, 'connected')
    first.peer.socket.terminate()
    const peer = await server.accept()
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id: 1, method: 'ask', params: { n: 1 } })
    peer.send({ jsonrpc: '2.0', id, result: granted({ resumed: true }) })
    peer.send({ jsonrpc: '2.0', id: 1, method: 'ask', params: { n: 2 } })
    expect(await peer.nextJson()).toMatchObject({ id: 1 })
    expect(asked).toStrictEqual([2])
    expect(await peer.nextJson()).toStrictEqual(ack(1))
  })

  test('answers what came before the answer to its hello after it: it counts then', async () => {
    const { server } = await clientOf()
    const peer = await server.accept()
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id: 1, method: 'ask', params: { n: 1 } })
    peer.socket.ping()
    await new Promise((resolve) => peer.socket.once('pong', resolve))
    expect(peer.unread).toStrictEqual([])
    peer.send({ jsonrpc: '2.0', id, result: granted() })
    expect(await peer.nextJson()).toMatchObject({ id: 1, result: 2 })
    peer.send(ack(1))
    peer.send({ jsonrpc: '2.0', id: 2, method: 'ask', params: { n: 2 } })
    expect(await peer.nextJson()).toMatchObject({ id: 2, result: 4 })
  })

  test('keeps to itself what it would have answered in a session that has ended', async () => {
    const { server, client } = await clientOf()
    let finish = (_: number) => {}
    client.expose('ask', () => new Promise<number>((resolve) => (finish = resolve)))
    const first = await accept(server, granted())
    first.peer.send({ jsonrpc: '2.0', id: 1, method: 'ask', params: { n: 1 } })
    await polled(() => client.state.status).toBe('connected')
    await first.peer.nextJson() // the acknowledgement
    first.peer.socket.terminate()
    const second = await accept(server, granted({ sid: 'def', token: 'other' }))
    await until(client, 'connected')
    finish(5)
    // Another call of this name would have this id in the new session.
    second.peer.send({ jsonrpc: '2.0', method: 'rpc.ping' })
    expect(await second.peer.nextJson()).toMatchObject({ method: 'rpc.pong' })
    expect(second.peer.unread).toStrictEqual([])
  })

  test('acknowledges what it has dispatched', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    for (let id = 1; id <= 32; id++) peer.send({ jsonrpc: '2.0', method: 'note', params: { id } })
    expect(await peer.nextJson()).toStrictEqual(ack(32))
  })

  test('waits with what is more than may go unacknowledged', async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Server, Page>({
      url: server.url,
      retry,
      limits: { unackedMessages: 3, queuedMessages: 1 },
    })
    opened.push(() => client.close())
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    const calls = [1, 2, 3, 4, 5].map((a) => client.other.add({ a, b: 0 }))
    await polled(() => peer.unread.length).toBe(3)
    expect(client.state).toMatchObject({ inFlight: 3, queued: 2 })
    peer.send(ack(2))
    await polled(() => peer.unread.length).toBe(5)
    for (let id = 1; id <= 5; id++) peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all(calls)).toStrictEqual([1, 2, 3, 4, 5])
  })
})

describe('a client whose connection is lost before anything has waited', () => {
  interface Store {
    keep(params: { text: string }): number
  }
  const KEPT = 1_000
  const keep = (id: number, text: string) => ({ id, method: 'keep', params: { text } })

  /** Loses the connection after a first call, which the server has not acknowledged. */
  async function lostAfter(text: string) {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Store>({
      url: server.url,
      retry,
      limits: { message: KEPT, unackedBytes: KEPT },
    })
    opened.push(() => client.close())
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    const first = client.other.keep({ text })
    expect(await peer.nextJson()).toMatchObject(keep(1, text))
    peer.socket.terminate()
    await until(client, 'reconnecting')
    return { server, client, first }
  }

  test('keeps the calls that are made until it is back, and sends them in order', async () => {
    const { server, client, first } = await lostAfter('a')
    const calls = [first, client.other.keep({ text: 'b' }), client.other.keep({ text: 'c' })]
    expect(client.state).toMatchObject({ inFlight: 1, queued: 2 })
    const { peer, params } = await accept(server, granted({ resumed: true, recv: 1 }))
    expect(params.resume).toMatchObject({ sid: 'abc' })
    expect(await peer.nextJson()).toMatchObject(keep(2, 'b'))
    expect(await peer.nextJson()).toMatchObject(keep(3, 'c'))
    for (const id of [1, 2, 3]) peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all(calls)).toStrictEqual([1, 2, 3])
  })

  test('keeps the session if more than the limits was sent before', async () => {
    const large = 'x'.repeat(4 * KEPT)
    const { server, client, first } = await lostAfter(large)
    const second = client.other.keep({ text: 'b' })
    expect(client.state).toMatchObject({ inFlight: 1, queued: 1 })
    const { peer, params } = await accept(server, granted({ resumed: true, recv: 0 }))
    expect(params.resume).toMatchObject({ sid: 'abc' })
    expect(await peer.nextJson()).toMatchObject(keep(1, large))
    // The next one must wait until the server has acknowledged the large one.
    peer.send(ack(1))
    expect(await peer.nextJson()).toMatchObject(keep(2, 'b'))
    for (const id of [1, 2]) peer.send({ jsonrpc: '2.0', id, result: id })
    expect(await Promise.all([first, second])).toStrictEqual([1, 2])
  })
})

describe('a client whose server leaves', () => {
  const bye = (params: object) => ({ jsonrpc: '2.0', method: 'rpc.bye', params })

  test('takes back what was not run, sends no more calls there, and goes on to answer', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    const calls = [1, 2, 3].map((a) => client.other.add({ a, b: 0 }))
    await polled(() => peer.unread.length).toBe(3)
    peer.send(bye({ recv: 1 }))
    peer.send({ jsonrpc: '2.0', id: 9, method: 'ask', params: { n: 4 } })
    peer.send({ jsonrpc: '2.0', id: 1, result: 10 })
    expect(await calls[0]).toBe(10)
    calls.push(client.other.add({ a: 4, b: 0 }))
    await polled(() => peer.unread.length).toBe(5)
    expect(peer.unread.slice(3).map((text) => JSON.parse(text))).toStrictEqual([
      { jsonrpc: '2.0', method: 'rpc.bye', params: {} },
      { jsonrpc: '2.0', id: 9, result: 8 },
    ])
    peer.socket.close(1001)
    const next = await accept(server, granted({ sid: 'def' }))
    expect(next.params).not.toHaveProperty('resume')
    for (const id of [2, 3, 4]) {
      expect(await next.peer.nextJson()).toMatchObject({ id, params: { a: id } })
      next.peer.send({ jsonrpc: '2.0', id, result: id })
    }
    expect(await Promise.all(calls.slice(1))).toStrictEqual([2, 3, 4])
  })

  test('is told what a server leaves behind that does not answer in time', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    const call = rejection(client.other.hang())
    await peer.next()
    peer.send(bye({ recv: 1 }))
    peer.socket.close(1001)
    await accept(server, granted({ sid: 'def' }))
    expect(await call).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001 })
  })

  test('sends again, without a session, what is answered as never run', async () => {
    const { server, client } = await clientOf()
    const plain = granted({ token: undefined, recv: undefined, windowMs: undefined })
    const { peer } = await accept(server, plain)
    await until(client, 'connected')
    const call = client.other.add({ a: 1, b: 0 })
    await peer.next()
    peer.send(bye({}))
    peer.send({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32004, message: 'Leaving' },
      rpc: { ran: false },
    })
    await polled(() => client.state.queued).toBe(1)
    peer.socket.close(1001)
    const next = await accept(server, plain)
    expect(await next.peer.nextJson()).toMatchObject({ id: 1, method: 'add' })
    next.peer.send({ jsonrpc: '2.0', id: 1, result: 5 })
    expect(await call).toBe(5)
  })

  test('takes the same error from a handler for what it is', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    const call = rejection(client.other.add({ a: 1, b: 0 }))
    await peer.next()
    peer.send(bye({ recv: 1 }))
    peer.send({ jsonrpc: '2.0', id: 1, error: { code: -32004, message: 'Leaving' } })
    expect(await call).toMatchObject({ code: -32004, message: 'Leaving' })
  })

  test('waits as long as it is told before it connects again', async () => {
    const { server, client } = await clientOf()
    const { peer } = await accept(server, granted())
    await until(client, 'connected')
    peer.send(bye({ recv: 0, retryAfterMs: 300 }))
    const begin = performance.now()
    peer.socket.close(1001)
    await accept(server, granted({ sid: 'def' }))
    expect(performance.now() - begin).toBeGreaterThan(290)
  })

  test.each([{ recv: 5 }, { recv: -1 }, { recv: 'all' }, { retryAfterMs: 'soon' }])(
    'stops with 4400 at a goodbye of %j',
    async (params) => {
      const { server, client } = await clientOf()
      const { peer } = await accept(server, granted())
      await until(client, 'connected')
      peer.send(bye(params))
      expect(await peer.closed).toMatchObject({ code: 4400 })
      await until(client, 'failed')
    },
  )
})
