import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { type AnyClient, createClient, RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import type { OpenRpcDocument } from '@flashrpc/core/discovery'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { RejectUpgrade } from '@flashrpc/core/server'
import { createLoopback, type Loopback } from '@flashrpc/electron/loopback'
import { describe, expect, test, vi } from 'vitest'
import { type Contract, contract } from './loopback-support/contract.js'
import { rawRequest, UPGRADE } from './loopback-support/raw-request.js'
import { runProgram } from './loopback-support/run-program.js'
import { type Options, ORIGIN, serve } from './loopback-support/serve.js'

const patience = { timeout: 4_000, interval: 5 }

interface Discoverable {
  'rpc.discover'(): OpenRpcDocument
}

type AnyLoopback = Pick<Loopback<Contract['server'], Contract['client']>, 'address' | 'token'>

/** A client in Node, as a program of the app has it. */
function program({ address, token }: AnyLoopback, options: object = {}) {
  const client = createClient(contract, {
    url: address,
    headers: { authorization: `Bearer ${token}` },
    proxy: false,
    retry: { minDelayMs: 5, maxDelayMs: 10 },
    ...options,
  })
  client.expose('confirm', ({ text }) => text === 'Quit?')
  return client
}

/** What a promise rejects with. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('It was fulfilled')),
    (thrown) => thrown,
  )
}

describe('a loopback', () => {
  test('listens on a port of 127.0.0.1, and makes a new token each time', async () => {
    await using first = await serve()
    await using second = await serve()
    const { port, token, address, url } = first.loopback
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(address).toBe(`ws://127.0.0.1:${port}/`)
    expect(url).toBe(`ws://127.0.0.1:${port}/?token=${token}`)
    expect(second.loopback.token).not.toBe(token)
    expect(second.loopback.port).not.toBe(port)
  })

  test('shows no token where it is printed or serialized', async () => {
    await using served = await serve()
    const { loopback } = served
    const shown = [
      inspect(loopback, { depth: 9, showHidden: true }),
      JSON.stringify(loopback),
      String(loopback),
      JSON.stringify({ ...loopback }),
    ]
    expect(shown.join('\n')).not.toContain(loopback.token)
  })

  test('tells what it can be called for where it is asked to', async () => {
    const ask = async (options: Partial<Options>) => {
      await using served = await serve(options)
      const { address: url, token } = served.loopback
      const headers = { authorization: `Bearer ${token}` }
      await using client = createClient<Discoverable>({ url, headers, proxy: false })
      return await client.call('rpc.discover').then(
        ({ methods }) => methods.map(({ name }) => name),
        ({ code }: { code: number }) => code,
      )
    }
    expect(await ask({})).toBe(-32601)
    expect(await ask({ discover: true })).toContain('add')
  })

  test('is called by programs, and calls them', async () => {
    await using served = await serve()
    for (const options of [{}, { url: served.loopback.url, headers: {} }]) {
      await using client = program(served.loopback, options)
      expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
      expect(await client.other.ask({ text: 'Quit?' })).toBe(true)
      const [channel] = served.loopback.channels
      expect(await channel?.other.confirm({ text: 'Stay?' })).toBe(false)
      await client.close()
      await expect.poll(() => served.loopback.channels.size, patience).toBe(0)
    }
  })

  test('is called by a program in a process of its own, told by its environment', async () => {
    await using served = await serve()
    const { address, token } = served.loopback
    const env = { LOOPBACK_ADDRESS: address, LOOPBACK_TOKEN: token }
    expect(await runProgram('program.ts', env)).toStrictEqual({
      exitCode: 0,
      messages: [{ sum: 15, said: true, state: 'connected' }],
    })
    expect(served.rejections).toStrictEqual([])
  })

  test('validates by the contract', async () => {
    await using served = await serve()
    await using client = program(served.loopback)
    expect(await rejection(client.other.add({ a: 'x' } as never))).toMatchObject({ code: -32602 })
  })

  test('serves plain functions without a contract', async () => {
    const loopback = await createLoopback<{ ping(): string }>({
      origins: [],
      methods: { ping: () => 'pong' },
    })
    await using client = createClient<{ ping(): string }>({ url: loopback.url, proxy: false })
    expect(await client.other.ping()).toBe('pong')
    await loopback.close()
  })

  test('tells its clients who is in a group, if presence allows it', async () => {
    const who = async (client: AnyClient) => {
      for await (const item of client.stream('rpc.members', { group: 'tools' })) return item
      return undefined
    }
    await using served = await serve({
      onConnect: (channel) => channel.join('tools', { info: 'a tool' }),
      presence: { allow: (group, { channel }) => channel.groups.has(group) },
    })
    await using client = program(served.loopback)
    await client.connect()
    expect(await who(client as AnyClient)).toMatchObject({
      all: [{ id: client.state.sessionId, info: 'a tool', methods: ['confirm'] }],
    })
    await using silent = await serve()
    await using other = program(silent.loopback)
    expect(await rejection(who(other as AnyClient))).toMatchObject({ code: -32601 })
  })

  test('is given handlers later, which may use it', async () => {
    const lines: string[] = []
    const line = (text: string) => void lines.push(text)
    await using loopback = await createLoopback(contract, {
      origins: [],
      logger: { debug() {}, warn: line, error: line },
    })
    loopback.implement('add', ({ a, b }) => a + b + loopback.channels.size)
    await using client = program(loopback)
    const sum = client.other.add({ a: 1, b: 2 })
    await expect.poll(() => client.state.lastError?.message, patience).toContain('503')
    expect(lines.join()).toContain('The endpoint has no handler for ask, whoAmI, wait')
    loopback.implement({
      ask: async ({ text }: { text: string }) => {
        const [outcome] = await loopback.all.call('confirm', { text })
        return outcome?.status === 'ok' && outcome.value
      },
      whoAmI: () => '',
      wait: () => '',
    } as never)
    expect(await sum).toBe(4)
    expect(await client.other.ask({ text: 'Quit?' })).toBe(true)
    expect(() => loopback.implement('add', () => 1)).toThrow(
      'The loopback serves already: call implement before its first connection',
    )
  })

  test('takes what an endpoint takes: codec, limits, hooks, authorize', async () => {
    const codec = msgpackCodec
    const onConnect = vi.fn()
    const onDisconnect = vi.fn()
    await using served = await serve({
      codec,
      limits: { message: 250 },
      onConnect: [onConnect],
      onDisconnect: [onDisconnect],
      authorize: (method) => method !== 'whoAmI',
    })
    await using client = program(served.loopback, { codec })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    expect(await rejection(client.other.whoAmI())).toMatchObject({ code: -32002 })
    const text = 'x'.repeat(300)
    expect(await rejection(client.other.ask({ text }))).toMatchObject({ code: -32003 })
    expect(onConnect).toHaveBeenCalledTimes(1)
    await client.close()
    await expect.poll(() => onDisconnect.mock.calls.length, patience).toBe(1)
  })
})

describe('identify', () => {
  test('says who it is, of the request without its token', async () => {
    const seen: IncomingMessage[] = []
    const identify = (request: IncomingMessage): string => {
      seen.push(request)
      return `window ${/window=(\d+)/.exec(request.url ?? '')?.[1]}`
    }
    await using served = await serve({ identify })
    const { url, token, address } = served.loopback
    await using first = program(served.loopback, { url: `${url}&window=2`, headers: {} })
    expect(await first.other.whoAmI()).toBe('window 2')
    const headers = { authorization: `Bearer ${token}`, 'x-program': token, cookie: 'a=b' }
    await using second = program(served.loopback, { url: `${address}?window=3`, headers })
    expect(await second.other.whoAmI()).toBe('window 3')
    expect([...served.loopback.channels].map((channel) => channel.identity)).toStrictEqual([
      'window 2',
      'window 3',
    ])
    expect(seen.map((request) => request.url)).toStrictEqual(['/?window=2', '/?window=3'])
    for (const { headers, headersDistinct, rawHeaders } of seen) {
      expect(JSON.stringify([headers, headersDistinct, rawHeaders])).not.toContain(token)
      expect(headers).not.toHaveProperty('authorization')
      expect(headersDistinct).not.toHaveProperty('authorization')
      expect(rawHeaders.join().toLowerCase()).not.toContain('authorization')
      expect(headers.host).toBe(`127.0.0.1:${served.loopback.port}`)
      expect(headers['sec-websocket-version']).toBe('13')
    }
    expect(seen[1]?.headers).toMatchObject({ 'x-program': '[token]', cookie: 'a=b' })
  })

  test.each<[string, Options['identify'], number, RegExp]>([
    [
      'refuses',
      () => {
        throw new RejectUpgrade(403, 'One at a time')
      },
      403,
      /One at a time/,
    ],
    ['fails', () => Promise.reject(new Error('The disk is full')), 500, /Authentication failed/],
    ['takes too long', () => new Promise(() => {}), 503, /too long/],
  ])('that %s lets nobody in, and onReject learns why', async (_, identify, status, message) => {
    await using served = await serve({ identify: identify as () => string, identifyTimeoutMs: 50 })
    const { port, token } = served.loopback
    const lines = [`GET /?token=${token} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...UPGRADE]
    const answer = await rawRequest(port, lines)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatch(message)
    expect(served.rejections).toMatchObject([{ status, message: expect.stringMatching(message) }])
    expect(served.rejections[0]?.request.url).toBe('/')
    expect(served.lines).toHaveLength(1)
  })
})

describe('a program without the token', () => {
  test('stops, and is told what to do', async () => {
    await using served = await serve()
    await using client = program(served.loopback, { headers: { authorization: 'Bearer stale' } })
    expect(await rejection(client.connect())).toMatchObject({ httpStatus: 401 })
    expect(client.state.status).toBe('unauthorized')
    expect(client.state.lastError?.message).toMatch(/HTTP 401 Unauthorized: The token is not/)
  })

  test('is never told the token, not even where it has it and is refused for another reason', async () => {
    await using served = await serve()
    await using client = program(served.loopback, {
      headers: { authorization: `Bearer ${served.loopback.token}`, origin: 'https://evil.example' },
    })
    const error = (await rejection(client.connect())) as RpcDisconnectedError
    expect(error).toMatchObject({ httpStatus: 403 })
    expect(error.message).toContain('https://evil.example')
    expect(inspect(error, { depth: 5 })).not.toContain(served.loopback.token)
  })
})

describe('closing', () => {
  test('ends calls under way, the socket and the port, and may be done twice', async () => {
    await using served = await serve()
    const { loopback, waiting } = served
    const client = program(loopback, { retry: { minDelayMs: 1e9, maxDelayMs: 1e9 } })
    const call = rejection(client.other.wait())
    await expect.poll(() => waiting.length, patience).toBe(1)
    await Promise.all([loopback.close(), loopback.close()])
    const error = await call
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001 })
    expect(waiting[0]?.signal.aborted).toBe(true)
    expect(loopback.channels.size).toBe(0)
    const socket = connect(loopback.port, '127.0.0.1')
    expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
    await client.close()
  })

  test('waits as long as it is told to for calls under way', async () => {
    await using served = await serve()
    const { loopback, waiting } = served
    const client = program(loopback, { retry: { minDelayMs: 1e9, maxDelayMs: 1e9 } })
    const call = client.other.wait()
    await expect.poll(() => waiting.length, patience).toBe(1)
    const closing = loopback.close({ drain: 60_000 })
    waiting[0]?.release()
    expect(await call).toBe('released')
    await closing
    await client.close()
  })

  test('waits for no stream, which may have no end', async () => {
    interface Ticking {
      ticks(): AsyncIterable<number>
    }
    const loopback = await createLoopback<Ticking>({
      origins: [],
      methods: {
        async *ticks(_: unknown, { signal }: { signal: AbortSignal }) {
          for (let n = 0; !signal.aborted; n++) {
            yield n
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        },
      },
    })
    await using client = createClient<Ticking>({
      url: loopback.url,
      proxy: false,
      retry: { minDelayMs: 1e9, maxDelayMs: 1e9 },
    })
    let items = 0
    const cut = rejection(
      (async () => {
        for await (const _ of client.stream('ticks')) items++
      })(),
    )
    await expect.poll(() => items, patience).toBeGreaterThan(0)
    await loopback.close({ drain: 60_000 })
    expect(await cut).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001, items })
  })

  test('lets nobody in who began before it', async () => {
    await using served = await serve()
    const { loopback, waiting } = served
    const client = program(loopback, { retry: { minDelayMs: 1e9, maxDelayMs: 1e9 } })
    const call = client.other.wait()
    await expect.poll(() => waiting.length, patience).toBe(1)
    const late = connect(loopback.port, '127.0.0.1')
    await once(late, 'connect')
    late.write('GET / HTTP/1.1\r\n')
    // Connections are taken in their order: when a later one is answered, the server has this one.
    await rawRequest(loopback.port, ['GET / HTTP/1.1', `Host: 127.0.0.1:${loopback.port}`])
    const closing = loopback.close({ drain: 60_000 })
    const headers = [`Host: 127.0.0.1:${loopback.port}`, `Authorization: Bearer ${loopback.token}`]
    late.write(`${[...headers, ...UPGRADE].join('\r\n')}\r\n\r\n`)
    const [answer] = await once(late, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 503 .*closing\n$/s)
    waiting[0]?.release()
    await Promise.all([call, closing])
    await client.close()
  })

  test('tells whoever is being identified, and waits for nobody', async () => {
    const identify = vi.fn(() => new Promise<string>(() => {}))
    await using served = await serve({ identify })
    const { port, token } = served.loopback
    const lines = [`GET /?token=${token} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...UPGRADE]
    const answer = rawRequest(port, lines)
    await expect.poll(() => identify.mock.calls.length, patience).toBe(1)
    await served.loopback.close()
    expect(await answer).toMatchObject({ status: 503 })
  })

  test('leaves nothing that would keep a process alive, connections that say nothing included', async () => {
    expect(await runProgram('host-program.ts')).toStrictEqual({
      exitCode: 0,
      messages: ['closed'],
    })
  })
})

test.each<[object, RegExp]>([
  [{ origins: undefined }, /origins is missing.*\["app:\/\/demo"\].*\[\] for programs only/],
  [{ origins: 'app://demo' }, /origins must be an array such as/],
  [{ origins: '*' }, /origins must be an array such as/],
  [{ origins: null }, /origins must be an array such as/],
  [{ origins: ['*'] }, /origins has "\*".*Name each origin/],
  [{ origins: [ORIGIN, 'https://*.example.com'] }, /any page of the web.*Name each origin/],
  [{ origins: ['null'] }, /every sandboxed iframe.*app:\/\//],
  [{ origins: ['file://'] }, /file:.*app:\/\//],
  [{ origins: ['FILE:///index.html'] }, /file:.*app:\/\//],
  [{ origins: ['app://demo/'] }, /slash/],
  [{ origins: ['app://demo/index.html'] }, /what comes after/],
  [{ origins: ['app://demo?x'] }, /what comes after/],
  [{ origins: ['http://localhost:80'] }, /own port/],
  [{ origins: ['https://example.com:443'] }, /own port/],
  [{ origins: ['app://Demo'] }, /lower case/],
  [{ origins: ['app://user@demo'] }, /no page can match/],
  [{ origins: ['localhost:5173'] }, /no page can match/],
  [{ origins: ['app:demo'] }, /no page can match/],
  [{ origins: ['app://'] }, /no page can match/],
  [{ origins: [' app://demo'] }, /no page can match/],
  [{ origins: [''] }, /no page can match/],
  [{ origins: ['http://müller.example'] }, /no page can match/],
  [{ origins: [undefined] }, /origins has undefined: an origin is a text/],
  [{ origins: [new URL('http://localhost:5173')] }, /an origin is a text/],
  [{ authenticate: () => 'x' }, /authenticate is not an option.*identify/],
  [{ allowedOrigins: '*' }, /allowedOrigins is not an option.*origins/],
  [{ allowedHosts: '*' }, /allowedHosts is not an option.*leave it out/],
  [{ host: '0.0.0.0' }, /host is not an option.*127\.0\.0\.1/],
  [{ port: 8000 }, /port is not an option/],
  [{ token: 'x' }, /token is not an option/],
  [{ identify: 'x' }, /identify must be a function/],
  [{ identifyTimeoutMs: 0 }, /identifyTimeoutMs/],
  [{ onReject: 'x' }, /onReject must be a function, or an array of functions/],
  [{ onReject: ['x'] }, /onReject must be a function, or an array of functions/],
  [{ authorize: {} }, /authorize must be a function/],
  [{ presence: {} }, /presence.allow is missing/],
  [{ methods: { nope: () => {} } }, /nope/],
  [{ limits: { message: -1 } }, /limits\.message/],
])('a loopback refuses %o at once', async (options, message) => {
  const methods = { add: () => 0, ask: () => true, whoAmI: () => '', wait: () => '' }
  const made = { origins: [ORIGIN], methods, ...options } as never
  const error = await rejection(createLoopback(contract, made))
  expect(error).toBeInstanceOf(RpcConfigError)
  expect((error as Error).message).toMatch(message)
})

test('a loopback refuses to be made of nothing', async () => {
  const error = await rejection(createLoopback(contract, undefined as never))
  expect(error).toBeInstanceOf(RpcConfigError)
})

test('a loopback takes origins as browsers write them', async () => {
  const origins = [
    ORIGIN,
    'http://localhost:5173',
    'http://app.localhost',
    'https://[::1]:8443',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'https://example.com:80',
  ]
  await using served = await serve({ origins })
  expect(served.loopback.port).toBeGreaterThan(0)
})
