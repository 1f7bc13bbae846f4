import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import {
  createClient,
  ErrorCode,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions, RejectUpgrade } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { eventually, polled } from './support/eventually.js'
import { httpServer, refuse } from './support/http-server.js'
import { RawPeer, RawServer } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

interface User {
  readonly name: string
  /** When its credentials end, in seconds since the epoch. */
  readonly exp?: number
}

interface Server {
  whoAmI(): string
  wipe(): string
}

type Options = EndpointOptions<Server, Record<never, never>, User>

const methods: Options['methods'] = {
  whoAmI: (_, { identity }) => identity.name,
  wipe: () => 'wiped',
}

/** Far shorter than the defaults; how long exactly, no test asks. */
const retry = { minDelayMs: 5, maxDelayMs: 10 }

/** An endpoint that counts who asks. */
async function serve(options: Partial<Options>) {
  const { authenticate = () => ({ name: 'Ada' }), ...others } = options
  const asked = vi.fn(authenticate)
  const endpoint = createEndpoint<Server, Record<never, never>, User>({
    methods,
    authenticate: asked,
    ...others,
  })
  const { port, url } = await endpoint.listen({ path: '/ws' })
  return { endpoint, port, url, asked, [Symbol.asyncDispose]: () => endpoint.close() }
}

/** Waits until whoever wanted to try again would have, many times over. */
function aWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150))
}

/** Opens a WebSocket as a page of this origin would. */
async function page(url: string, origin: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { origin, headers })
  const peer = new RawPeer(socket)
  const answer = await new Promise<{ status: number; text: string }>((resolve) => {
    socket.on('open', () => resolve({ status: 101, text: '' }))
    socket.on('unexpected-response', async (_, response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      resolve({ status: response.statusCode as number, text })
      socket.terminate()
    })
  })
  return Object.assign(answer, {
    closed: peer.closed,
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  })
}

describe('who is there', () => {
  const known = (name: string | null | undefined): User => {
    if (name !== 'Ada') throw new RejectUpgrade(401, 'Who are you?')
    return { name }
  }

  test.each<[string, NonNullable<Options['authenticate']>, (url: string) => object]>([
    [
      'a header',
      ({ headers }) => known(headers['x-user']?.toString()),
      (url) => ({ url, headers: { 'X-User': 'Ada' } }),
    ],
    [
      'an Authorization header',
      ({ headers }) => known(headers.authorization?.replace('Bearer ', '')),
      (url) => ({ url, headers: { authorization: 'Bearer Ada' } }),
    ],
    [
      'the user and password of the url',
      ({ headers: { authorization = '' } }) =>
        known(Buffer.from(authorization.slice(6), 'base64').toString().split(':')[0]),
      (url) => ({ url: url.replace('//', '//Ada:secret@') }),
    ],
    [
      'a cookie',
      ({ headers }) => known(/\buser=(\w+)/.exec(headers.cookie ?? '')?.[1]),
      (url) => ({ url, headers: { cookie: 'theme=dark; user=Ada' } }),
    ],
    [
      'the query',
      ({ url }) => known(new URL(url ?? '', 'ws://x').searchParams.get('user')),
      (url) => ({ url: `${url}?user=Ada` }),
    ],
  ])(
    'is found out by %s, and known to every handler and hook',
    async (_, authenticate, options) => {
      const onConnect = vi.fn()
      await using server = await serve({ authenticate, onConnect: [onConnect] })
      await using client = createClient<Server>(options(server.url) as { url: string })
      expect(await client.other.whoAmI()).toBe('Ada')
      expect([...server.endpoint.channels].map((channel) => channel.identity)).toStrictEqual([
        { name: 'Ada' },
      ])
      expect(onConnect).toHaveBeenCalledWith(expect.objectContaining({ identity: { name: 'Ada' } }))
      await using stranger = createClient<Server>({ url: server.url })
      await until(stranger, 'unauthorized')
    },
  )

  test('is found out once a connection, before it is there, and may take its time', async () => {
    let admit: (user: User) => void = () => {}
    const authenticate = () => new Promise<User>((resolve) => (admit = resolve))
    await using server = await serve({ authenticate })
    await using client = createClient<Server>({ url: server.url })
    await eventually(() => expect(server.asked).toHaveBeenCalled())
    expect(server.endpoint.channels.size).toBe(0)
    admit({ name: 'Grace' })
    expect(await client.other.whoAmI()).toBe('Grace')
    expect(await client.other.whoAmI()).toBe('Grace')
    expect(server.asked).toHaveBeenCalledTimes(1)
  })
})

describe('what a client tells of itself', () => {
  test.each<[string, (n: number) => Record<string, string> | Promise<Record<string, string>>]>([
    ['at once', (n) => ({ 'x-attempt': `${n}` })],
    ['later', async (n) => ({ 'x-attempt': `${n}` })],
  ])('headers that are told %s are asked for before each attempt', async (_, headers) => {
    const seen: unknown[] = []
    await using server = await httpServer((socket, request) => {
      seen.push(request.headers['x-attempt'])
      refuse('503 Service Unavailable')(socket)
    })
    let asked = 0
    await using client = createClient<Server>({
      url: server.url,
      headers: () => headers(++asked),
      retry,
    })
    await eventually(() => expect(seen.slice(0, 3)).toStrictEqual(['1', '2', '3']))
    await client.close()
  })

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('No keychain')
      },
      'No keychain',
    ],
    ['rejects', () => Promise.reject(new Error('No keychain')), 'No keychain'],
    ['hangs', () => new Promise(() => {}), 'no answer within'],
    ['returns nothing', () => undefined, 'returned nothing'],
    ['returns what is no header', () => ({ 'x token': 'x' }), 'x token'],
    ['returns what would break the request', () => ({ token: 'a\r\nb: c' }), 'token'],
    ['returns what is no text', () => ({ token: 1 }), '"token"'],
  ])('a headers function that %s counts as a failed attempt', async (_, fail, text) => {
    await using server = await serve({})
    let asked = 0
    await using client = createClient<Server>({
      url: server.url,
      headers: () => (++asked < 3 ? (fail() as Record<string, string>) : { 'x-user': 'Ada' }),
      retry,
      connectTimeoutMs: 200,
    })
    expect((await until(client, 'reconnecting')).lastError?.message).toContain(text)
    expect(await client.other.whoAmI()).toBe('Ada')
    expect(asked).toBe(3)
    expect(server.asked).toHaveBeenCalledTimes(1)
  })

  test.each<[object, RegExp]>([
    [{ headers: 'x' }, /object of texts/],
    [{ headers: { a: 1 } }, /headers\["a"\] must be a string, not a number/],
    [{ headers: { 'a b': 'x' } }, /a b/],
    [{ headers: { a: 'x\r\ny: z' } }, /"a"/],
    [{ headers: { Connection: 'close' } }, /belongs to the upgrade/],
    [{ headers: { 'Sec-WebSocket-Key': 'x' } }, /belongs to the upgrade/],
  ])('refuses %j at once', (options, message) => {
    const create = () => createClient({ url: 'ws://127.0.0.1', ...options })
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(message)
  })

  test('refuses headers beside a transport', () => {
    const options = { transport: () => Promise.reject(), headers: {} }
    expect(() => createClient(options)).toThrow(/headers is only for a client with a url/)
  })
})

describe('whoever is not let in', () => {
  const forbidden = () => {
    throw new RejectUpgrade(403, 'No contract with you')
  }
  const unknown = () => {
    throw new RejectUpgrade(401, 'The token is too old')
  }

  test('is told the HTTP status, the reason and the remedy, and stops', async () => {
    await using server = await serve({ authenticate: forbidden })
    await using client = createClient<Server>({ url: `${server.url}?token=secret`, retry })
    const { lastError } = await until(client, 'failed')
    expect(lastError).toBeInstanceOf(RpcDisconnectedError)
    expect(lastError).toMatchObject({ httpStatus: 403, closeCode: 1006 })
    expect(lastError?.message).toContain('HTTP 403 Forbidden: No contract with you')
    expect(lastError?.message).toContain('check its rights')
    expect(lastError?.message).not.toContain('secret')
    const call = await rejection(client.other.whoAmI())
    expect(call).toMatchObject({ outcome: 'not-sent', cause: lastError })
    expect(await rejection(client.connect())).toMatchObject({ httpStatus: 403 })
  })

  test('with 403 stops at once: the server is asked once', async () => {
    await using server = await serve({ authenticate: forbidden })
    const headers = vi.fn(() => ({ authorization: 'x' }))
    await using client = createClient<Server>({ url: server.url, headers, retry })
    await until(client, 'failed')
    await aWhile()
    expect(server.asked).toHaveBeenCalledTimes(1)
    expect(headers).toHaveBeenCalledTimes(1)
  })

  test.each<[string, number, (url: string) => object]>([
    ['nothing that could be told anew', 1, (url) => ({ url, headers: { authorization: 'x' } })],
    ['a url function', 2, (url) => ({ url: () => url })],
    ['a headers function', 2, (url) => ({ url, headers: async () => ({ authorization: 'x' }) })],
  ])('with 401 and %s stops after asking the server %i times', async (_, times, options) => {
    await using server = await serve({ authenticate: unknown })
    const target = options(server.url) as { url: string }
    await using client = createClient<Server>({ ...target, retry })
    const { lastError } = await until(client, 'unauthorized')
    expect(lastError).toMatchObject({ httpStatus: 401 })
    expect(lastError?.message).toMatch(/HTTP 401 Unauthorized: The token is too old.*credentials/)
    await aWhile()
    expect(server.asked).toHaveBeenCalledTimes(times)
  })

  test('gets in where the second token is a good one, and each time anew', async () => {
    const authenticate: Options['authenticate'] = ({ headers: { authorization } }) => {
      if (authorization !== 'fresh') unknown()
      return { name: 'Ada' }
    }
    await using server = await serve({ authenticate })
    const tokens = ['stale', 'fresh', 'stale', 'fresh']
    const headers = () => ({ authorization: tokens.shift() ?? 'none' })
    await using client = createClient<Server>({ url: server.url, headers, retry })
    expect(await client.other.whoAmI()).toBe('Ada')
    const [channel] = server.endpoint.channels
    await channel?.close(4000, 'Come again')
    await eventually(() => expect(server.asked).toHaveBeenCalledTimes(4))
    expect(await client.other.whoAmI()).toBe('Ada')
    expect(tokens).toStrictEqual([])
  })

  test.each([
    [4401, 'unauthorized', 'credentials', 2],
    [4403, 'failed', 'check its rights', 1],
  ] as const)(
    'with close code %i, even after the hello, ends in %s',
    async (code, status, remedy, times) => {
      await using server = await RawServer.listen()
      await using client = createClient<Server>({ url: () => server.url, retry })
      for (let n = 0; n < times; n++) {
        const peer = await server.acceptExtended()
        peer.socket.close(code, 'No')
      }
      const { lastError } = await until(client, status)
      expect(lastError).toMatchObject({ closeCode: code })
      expect(lastError?.message).toContain(remedy)
      await aWhile()
      expect(server.ever).toBe(times)
    },
  )

  test.each([
    [401, 4401],
    [403, 4403],
    [404, 4400],
    [429, 1013],
    [500, 1011],
    [503, 1013],
  ])(
    'with %i as a page, which sees no status, is let in and closed with %i',
    async (status, code) => {
      const authenticate = () => {
        throw new RejectUpgrade(status, 'Not you')
      }
      await using server = await serve({ authenticate })
      await using visitor = await page(server.url, `http://127.0.0.1:${server.port}`)
      expect(visitor.status).toBe(101)
      expect(await visitor.closed).toStrictEqual({ code, reason: 'Not you' })
      expect(server.endpoint.channels.size).toBe(0)
    },
  )

  test('is waited for as long as the server said', async () => {
    const authenticate = () => {
      throw new RejectUpgrade(429, 'Later', { retryAfterSeconds: 60 })
    }
    await using server = await serve({ authenticate })
    await using client = createClient<Server>({ url: server.url, retry })
    const { retryAt } = await until(client, 'reconnecting')
    expect(retryAt).toBeGreaterThan(Date.now() + 55_000)
  })

  test('is a warning without a stack, if its credentials are wrong', async () => {
    const lines: string[] = []
    const at = (level: string) => (line: string) => lines.push(`${level} ${line}`)
    const authenticate = () => {
      throw new RejectUpgrade(401, 'A bad token', { cause: new Error('jwt malformed') })
    }
    const logger = { debug: at('debug'), warn: at('warn'), error: at('error') }
    await using server = await serve({ authenticate, logger })
    await using client = createClient({ url: server.url })
    await until(client, 'unauthorized')
    expect(lines).toEqual([expect.stringMatching(/^warn .*401 A bad token$/)])
  })

  test('is told to onReject, with what authenticate failed of, which nobody else learns', async () => {
    const cause = new Error('The database is down')
    const onReject = vi.fn()
    const authenticate = () => Promise.reject(cause)
    await using server = await serve({ authenticate, onReject: [onReject] })
    await using client = createClient<Server>({ url: server.url, retry })
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toContain('HTTP 500')
    expect(lastError?.message).not.toContain('database')
    expect(onReject).toHaveBeenCalledWith(
      expect.objectContaining({ url: '/ws' }),
      expect.objectContaining({ status: 500, cause }),
    )
  })

  test('is refused with a status that is a refusal, and a time that is one', () => {
    expect(() => new RejectUpgrade(200, 'x')).toThrow(RpcConfigError)
    expect(() => new RejectUpgrade(401.5, 'x')).toThrow(RpcConfigError)
    expect(() => new RejectUpgrade(503, 'x', { retryAfterSeconds: -1 })).toThrow(RpcConfigError)
  })
})

describe('credentials that end', () => {
  test('close the connection with 4401, and a client that has new ones goes on', async () => {
    let logins = 0
    await using server = await serve({
      authenticate: () => ({ name: 'ann', exp: Date.now() / 1000 + (++logins === 1 ? 0.3 : 60) }),
      expiresAt: ({ exp = 0 }) => exp * 1000,
    })
    const ends: number[] = []
    await using client = createClient<Server>({
      url: () => server.url,
      retry,
      onDisconnect: [(_, { code }) => ends.push(code)],
    })
    await client.connect()
    await polled(() => ends).toStrictEqual([4401])
    await until(client, 'connected')
    expect(logins).toBe(2)
  })

  test('are those that a session came back with last', async () => {
    const left = [0.8, 60]
    await using server = await serve({
      authenticate: () => ({ name: 'ann', exp: Date.now() / 1000 + (left.shift() ?? 0) }),
      expiresAt: ({ exp = 0 }) => new Date(exp * 1000),
      resume: { sameIdentity: () => true },
    })
    await using proxy = await createFaultProxy({ port: server.port })
    await using client = createClient<Server>({ url: proxy.url('ws', '/ws'), retry })
    await client.connect()
    proxy.cut()
    await until(client, 'reconnecting')
    await until(client, 'connected')
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(client.state).toMatchObject({ status: 'connected', resumed: true })
  })

  test.each([
    ['a time that is over', () => Date.now() - 1, 401],
    ['a date that is over', () => new Date(Date.now() - 1), 401],
    ['seconds', () => Date.now() / 1000 + 60, 500],
    ['no number', () => 'tomorrow' as never, 500],
    ['NaN', () => Number.NaN, 500],
    [
      'an error',
      () => {
        throw new Error('No exp')
      },
      500,
    ],
  ])('where expiresAt gives %s let nobody in', async (_, expiresAt, status) => {
    const onReject = vi.fn()
    await using server = await serve({ expiresAt, onReject: [onReject] })
    await using client = createClient<Server>({ url: server.url, retry })
    const { lastError } = await until(client, status === 401 ? 'unauthorized' : 'reconnecting')
    expect(lastError).toMatchObject({ httpStatus: status })
    const rejection = onReject.mock.calls[0]?.[1]
    expect(rejection).toMatchObject({ status })
    if (status === 500) expect(String(rejection.cause)).toMatch(/expiresAt must return|No exp/)
  })

  test.each([() => undefined, () => Number.POSITIVE_INFINITY])(
    'may never end: %s',
    async (expiresAt) => {
      await using server = await serve({ expiresAt })
      await using client = createClient<Server>({ url: server.url, retry })
      await client.connect()
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      expect(client.state.status).toBe('connected')
    },
  )
})

describe('while authenticate takes its time', () => {
  /** Never settles, and tells what becomes of its signal. */
  function hanging() {
    const reasons: unknown[] = []
    const authenticate: Options['authenticate'] = (_, { signal }) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason))
      return new Promise(() => {})
    }
    return { reasons, authenticate }
  }

  /** Asks for an upgrade, and sends more bytes if the test says so. */
  async function ask(port: number, more = '') {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    const lines = ['GET /ws HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket']
    const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
    socket.write(`${[...lines, ...key].join('\r\n')}\r\n\r\n${more}`, 'latin1')
    return socket
  }

  test('the client is told 503 when it has taken too long', async () => {
    const { reasons, authenticate } = hanging()
    await using server = await serve({ authenticate, authenticateTimeoutMs: 50 })
    await using client = createClient<Server>({
      url: server.url,
      retry: { minDelayMs: 1e9, maxDelayMs: 1e9 },
    })
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError).toMatchObject({ httpStatus: 503 })
    expect(lastError?.message).toContain('took too long')
    expect(reasons).toHaveLength(1)
  })

  test('a time that is longer than a timer can be is not up at once', async () => {
    const authenticate = () =>
      new Promise<{ name: string }>((resolve) => setTimeout(resolve, 50, { name: 'Ada' }))
    await using server = await serve({ authenticate, authenticateTimeoutMs: 2 ** 31 })
    await using client = createClient<Server>({ url: server.url })
    await client.connect()
    expect(client.state.lastError).toBeNull()
  })

  test('a page is told to come back later', async () => {
    const { authenticate } = hanging()
    await using server = await serve({ authenticate, authenticateTimeoutMs: 50 })
    await using visitor = await page(server.url, `http://127.0.0.1:${server.port}`)
    expect(await visitor.closed).toMatchObject({ code: 1013 })
  })

  test('a client that resets its connection harms nobody, and ends it', async () => {
    const { reasons, authenticate } = hanging()
    const answers = [authenticate, () => ({ name: 'Ada' })]
    await using server = await serve({
      authenticate: (...args) => (answers.shift() as NonNullable<typeof authenticate>)(...args),
    })
    const socket = await ask(server.port)
    await eventually(() => expect(server.asked).toHaveBeenCalledTimes(1))
    socket.resetAndDestroy()
    await polled(() => reasons.length).toBe(1)
    await using client = createClient<Server>({ url: server.url })
    expect(await client.other.whoAmI()).toBe('Ada')
  })

  test('a client that resets its connection just before it is let in gets no channel', async () => {
    let admit: (user: User) => void = () => {}
    const authenticate = () => new Promise<User>((resolve) => (admit = resolve))
    await using server = await serve({ authenticate })
    const socket = await ask(server.port)
    await eventually(() => expect(server.asked).toHaveBeenCalled())
    socket.resetAndDestroy()
    admit({ name: 'Ada' })
    await polled(() => server.endpoint.channels.size).toBe(0)
  })

  test.each([
    ['closes its side', (socket: Socket) => socket.end()],
    ['closes its connection', (socket: Socket) => socket.destroy()],
    ['resets its connection', (socket: Socket) => socket.resetAndDestroy()],
    [
      'closes its side after it has said more',
      (socket: Socket) => {
        socket.write('x'.repeat(10_000))
        socket.end()
      },
    ],
  ])('a client that %s leaves at once, and gives its place to others', async (_, leave) => {
    const { reasons, authenticate } = hanging()
    const answers = [authenticate, () => ({ name: 'Ada' })]
    await using server = await serve({
      limits: { connections: 1 },
      authenticate: (...args) => (answers.shift() as NonNullable<typeof authenticate>)(...args),
    })
    const socket = await ask(server.port)
    await eventually(() => expect(server.asked).toHaveBeenCalledTimes(1))
    leave(socket)
    await polled(() => reasons.map(String)).toStrictEqual(['Error: The client is gone'])
    await using client = createClient<Server>({ url: server.url, retry })
    expect(await client.other.whoAmI()).toBe('Ada')
  })

  test('what a client says before it is let in is heard, once it is', async () => {
    let admit: (user: User) => void = () => {}
    const authenticate = () => new Promise<User>((resolve) => (admit = resolve))
    await using server = await serve({ authenticate })
    // A frame of a client (RFC 6455, section 5.2), with a mask of zeros.
    const text = '{"jsonrpc":"2.0","id":1,"method":"whoAmI"}'
    const frame = `\x81${String.fromCharCode(0x80 + text.length)}\0\0\0\0${text}`
    const half = frame.length / 2
    const socket = await ask(server.port, frame.slice(0, half))
    await eventually(() => expect(server.asked).toHaveBeenCalled())
    socket.write(frame.slice(half), 'latin1')
    let told = ''
    socket.on('data', (data) => {
      told += data
    })
    await aWhile()
    expect(told).toBe('')
    admit({ name: 'Ada' })
    await polled(() => told).toContain('"result":"Ada"')
    socket.destroy()
  })

  test('a client that says too much before it is let in is told so, and ends', async () => {
    const { reasons, authenticate } = hanging()
    await using server = await serve({ authenticate })
    const socket = await ask(server.port)
    await eventually(() => expect(server.asked).toHaveBeenCalled())
    let told = ''
    socket.on('data', (data) => {
      told += data
    })
    socket.write('x'.repeat(20_000))
    await polled(() => told).toContain('HTTP/1.1 400 Bad Request')
    expect(told).toContain('RFC 6455')
    expect(reasons).toHaveLength(1)
    await polled(() => socket.destroyed).toBe(true)
  })

  test('closing the endpoint waits for nobody, and tells them', async () => {
    const { reasons, authenticate } = hanging()
    const server = await serve({ authenticate })
    await using client = createClient<Server>({
      url: server.url,
      retry: { minDelayMs: 1e9, maxDelayMs: 1e9 },
    })
    await eventually(() => expect(server.asked).toHaveBeenCalled())
    await server.endpoint.close()
    expect(reasons).toHaveLength(1)
    expect((await until(client, 'reconnecting')).lastError).toMatchObject({ httpStatus: 503 })
  })

  test('one that is let in after the endpoint was closed is not', async () => {
    let admit: (user: User) => void = () => {}
    const onConnect = vi.fn()
    const authenticate = vi.fn(() => new Promise<User>((resolve) => (admit = resolve)))
    const endpoint = createEndpoint<Server, Record<never, never>, User>({
      methods,
      authenticate,
      onConnect: [onConnect],
    })
    const http = createServer()
    endpoint.attach(http, { path: '/ws' })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const socket = await ask((http.address() as AddressInfo).port)
    const answer = once(socket, 'data')
    await eventually(() => expect(authenticate).toHaveBeenCalled())
    const closing = endpoint.close()
    admit({ name: 'Ada' })
    await closing
    expect(String(await answer)).toContain('503')
    expect(endpoint.channels.size).toBe(0)
    expect(onConnect).not.toHaveBeenCalled()
    http.close()
    await once(http, 'close')
  })
})

describe('authorize', () => {
  test('says of each call who may make it', async () => {
    const authorize: Options['authorize'] = async (method, { identity }) =>
      method !== 'wipe' || identity.name === 'root'
    const authenticate: Options['authenticate'] = ({ headers }) => ({
      name: String(headers['x-user']),
    })
    await using server = await serve({ authenticate, authorize })
    const { url } = server
    await using ada = createClient<Server>({ url, headers: { 'x-user': 'Ada' } })
    await using root = createClient<Server>({ url, headers: { 'x-user': 'root' } })
    expect(await ada.other.whoAmI()).toBe('Ada')
    const refused = await rejection(ada.other.wipe())
    expect(refused).toBeInstanceOf(RpcError)
    expect(refused).toMatchObject({ code: ErrorCode.unauthorized })
    expect((refused as RpcError).message).toContain('"wipe"')
    expect(await root.other.wipe()).toBe('wiped')
  })

  test('may refuse with an error of its own; where it fails, nothing runs and nothing is told', async () => {
    const onError = vi.fn()
    const failures = [new RpcError(4290, 'Not so fast'), new Error('The database is down')]
    const authorize = () => Promise.reject(failures.shift())
    await using server = await serve({ authorize, onError: [onError] })
    await using client = createClient<Server>({ url: server.url })
    expect(await rejection(client.other.wipe())).toMatchObject({ code: 4290 })
    const failed = (await rejection(client.other.wipe())) as RpcError
    expect(failed.code).toBe(ErrorCode.internal)
    expect(failed.message).not.toContain('database')
    expect(onError).toHaveBeenCalledTimes(1)
  })
})

describe('a page', () => {
  test.each([
    ['localhost', 101],
    ['127.0.0.1', 101],
    ['[::1]', 101],
    ['app.localhost', 101],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['evillocalhost', 403],
    ['127.0.0.1.evil.example', 403],
    ['0x7f.1', 403],
  ])('that reached a loopback server as %s is answered %i', async (name, status) => {
    await using server = await serve({})
    for (const port of [server.port, 5173]) {
      const host = `${name}:${port}`
      await using visitor = await page(server.url, `http://${host}`, { host })
      expect(visitor.status).toBe(status)
      if (status === 403) expect(visitor.text).toContain(`does not go by the name "${name}"`)
    }
    expect(server.asked).toHaveBeenCalledTimes(status === 101 ? 2 : 0)
  })

  test('by another name of the server than its allowedHosts is refused, and onReject told', async () => {
    const onReject = vi.fn()
    await using server = await serve({ allowedHosts: ['app.example.com'], onReject: [onReject] })
    for (const [host, status] of [
      ['app.example.com', 101],
      ['app.example.com:8443', 101],
      ['App.example.com', 403],
      ['sub.app.example.com', 403],
      ['localhost:80', 403],
    ] as const) {
      await using visitor = await page(server.url, `https://${host}`, { host })
      expect(visitor.status).toBe(status)
    }
    expect(onReject).toHaveBeenCalledTimes(3)
  })

  test('whose origin no browser writes is refused, and the text says so', async () => {
    const onReject = vi.fn()
    await using server = await serve({ onReject: [onReject] })
    await using visitor = await page(server.url, 'https://app.example.com/')
    expect(visitor.status).toBe(403)
    const [, rejection] = onReject.mock.calls[0] as [unknown, Error]
    expect(rejection.message).toMatch(/"https:\/\/app\.example\.com\/" is not a valid origin$/)
  })

  test("of an allowed origin, and any where '*' says so, needs no known host", async () => {
    const origin = 'https://app.example.com'
    for (const rule of [{ allowedOrigins: [origin] }, { allowedHosts: '*' as const }]) {
      await using server = await serve(rule)
      await using visitor = await page(server.url, origin, { host: 'app.example.com' })
      expect(visitor.status).toBe(101)
    }
  })

  test('of any name is of the own origin where the endpoint does not know its names', async () => {
    const endpoint = createEndpoint<Server>({ methods: { whoAmI: () => '', wipe: () => '' } })
    const http = createServer()
    endpoint.attach(http)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const host = 'app.example.com'
    {
      await using visitor = await page(`ws://127.0.0.1:${port}`, `https://${host}`, { host })
      expect(visitor.status).toBe(101)
    }
    await endpoint.close()
    http.close()
    await once(http, 'close')
  })

  test('with a host of its own is no matter of programs', async () => {
    await using server = await serve({ allowedHosts: ['app.example.com'] })
    await using client = createClient<Server>({ url: server.url, headers: { host: 'x.example' } })
    expect(await client.other.whoAmI()).toBe('Ada')
  })
})

test.each<[object, RegExp]>([
  [{ authenticate: 'x' }, /authenticate must be a function/],
  [{ authorize: {} }, /authorize must be a function/],
  [{ authenticateTimeoutMs: 0 }, /authenticateTimeoutMs/],
  [{ allowedOrigins: 'https://app.example.com' }, /allowedOrigins must be an array/],
  [{ allowedOrigins: ['https://app.example.com/'] }, /no request can match/],
  [{ allowedOrigins: ['https://app.example.com:443'] }, /no request can match/],
  [{ allowedOrigins: ['app.example.com'] }, /no request can match/],
  [{ allowedHosts: 'app.example.com' }, /allowedHosts must be an array/],
  [{ allowedHosts: ['app.example.com:80'] }, /no request can match/],
  [{ allowedHosts: ['https://app.example.com'] }, /no request can match/],
  [{ allowedHosts: ['*.example.com'] }, /no request can match/],
])('an endpoint refuses %j at once', (options, message) => {
  const create = () => createEndpoint<Server>({ methods, ...options } as never)
  expect(create).toThrow(RpcConfigError)
  expect(create).toThrow(message)
})
