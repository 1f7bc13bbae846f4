import { once } from 'node:events'
import { connect } from 'node:net'
import { createClient, RpcError } from '@flashrpc/core'
import { plain, plainLines, quoted } from '@flashrpc/core/internal'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { polled } from './support/eventually.js'
import { httpServer } from './support/http-server.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** Words of a peer's, in messages and in the log: they can't pass for anybody else's. */

const forged = 'x\n2026-01-01 ERROR forged \u001b[31m\u009b2J\u202e"'
const long = 'y'.repeat(5_000)
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Collects all that is logged, and the messages of all that onError is told. */
function listener() {
  const texts: string[] = []
  const log = (text: string) => texts.push(text)
  const onError = [(_: unknown, error: unknown) => texts.push((error as Error).message)]
  return { texts, onError, logger: { debug: log, warn: log, error: log } }
}

/** None of it is a line of its own, moves a cursor, or goes on for ever. */
function expectHarmless(texts: readonly string[]): void {
  expect(texts.length).toBeGreaterThan(0)
  for (const text of texts) {
    const [words = ''] = text.split('\n    at ')
    expect(words).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
    expect(words).not.toContain('y'.repeat(300))
  }
}

describe('a text of somebody else’s', () => {
  test.each<[unknown, string]>([
    ['add', '"add"'],
    ['', '""'],
    ['größe 🎉 👩‍👩‍👧', '"größe 🎉 👩‍👩‍👧"'],
    ['a\nb\r\tc', '"a\\nb\\u000d\\u0009c"'],
    ['\u001b[31m\u007f\u009b', '"\\u001b[31m\\u007f\\u009b"'],
    ['\u2028\u2029\u202e\u2066', '"\\u2028\\u2029\\u202e\\u2066"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\ud800', '"\\ud800"'],
    [5, '5'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ a: '\u001b' }, '{"a":"\\u001b"}'],
    [1n, 'bigint'],
    [{ toJSON: 1, toString: 1, valueOf: 1 }, '{"toJSON":1,"toString":1,"valueOf":1}'],
  ])('is quoted: %#', (value, text) => {
    expect(quoted(value)).toBe(text)
  })

  test('has 200 characters at the most, whatever it consists of', () => {
    expect(quoted(long)).toBe(`"${'y'.repeat(199)}…"`)
    expect(plain(long)).toHaveLength(200)
    expect(quoted('\u0000'.repeat(5_000))).toHaveLength(202)
    expect(plain('\n'.repeat(150))).toHaveLength(200)
    expect(quoted('y'.repeat(200))).toBe(`"${'y'.repeat(200)}"`)
    expect(quoted({ long }).length).toBeLessThanOrEqual(200)
  })

  test('keeps its lines where it may have some', () => {
    expect(plainLines('a\n\tb\u001b\r')).toBe('a\n\tb\\u001b\\u000d')
  })
})

describe('what a client says', () => {
  const words: [string, ...unknown[]][] = []
  for (const text of [forged, long]) {
    words.push(
      ['a call of no method', { jsonrpc: '2.0', id: 1, method: text }],
      ['a call of a word', { jsonrpc: '2.0', id: 1, method: `rpc.${text}` }],
      ['a notification', { jsonrpc: '2.0', method: text, params: {} }],
      ['an error about a frame', { jsonrpc: '2.0', id: null, error: { code: 1, message: text } }],
      ['an error of no call', { jsonrpc: '2.0', id: 7, error: { code: 1, message: text } }],
      ['no JSON', `{"a": ${text}`],
      ['params that break the rules', { jsonrpc: '2.0', method: 'set', params: { [text]: text } }],
      [
        'another codec',
        {
          jsonrpc: '2.0',
          id: 'rpc:1',
          method: 'rpc.hello',
          params: { v: 1, attempt: 1, codec: text, limits: { msg: 1e6 } },
        },
      ],
      [
        'an acknowledgement of no number',
        {
          jsonrpc: '2.0',
          id: 'rpc:1',
          method: 'rpc.hello',
          params: { v: 1, attempt: 1, codec: 'json', limits: { msg: 1e6, buf: 1e6 } },
        },
        { jsonrpc: '2.0', method: 'rpc.ack', params: [{ toString: text, valueOf: text }] },
      ],
    )
  }

  test.each(words)('is quoted where the server logs it: %s', async (_, ...frames) => {
    const { texts, ...options } = listener()
    const endpoint = createEndpoint<{ set(params: object): void }>({
      resume: {},
      methods: {
        set: (params) => {
          throw new RpcError(1, `No such member: ${Object.keys(params).join()}`)
        },
      },
      ...options,
    })
    opened.push(() => endpoint.close())
    const peer = await rawClient((await endpoint.listen()).url)
    opened.push(() => peer[Symbol.asyncDispose]())
    for (const frame of frames) peer.send(frame)
    await polled(() => texts.length).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 30))
    peer.socket.close(4000, 'bye\n\u001b[31mforged')
    await peer.closed
    await polled(() => endpoint.channels.size).toBe(0)
    // Whatever a handler has put into an error of its own is told to onError as it is; the log has it plain.
    expectHarmless(texts.filter((text) => !text.startsWith('No such member')))
  })

  test('is quoted in the log where it asks for a connection', async () => {
    const { texts, logger } = listener()
    const endpoint = createEndpoint({
      logger,
      methods: {},
      authenticate: ({ headers }) => {
        throw new RejectUpgrade(401, `Nobody knows ${headers['x-user']}`)
      },
    })
    opened.push(() => endpoint.close())
    const { port } = await endpoint.listen()
    const lines = (name: string, value: string) =>
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${name}: ${value}\r\n\r\n`
    for (const name of ['Origin', 'X-User']) {
      for (const value of ['http://\u009b31m\u0085forged', `http://${long}`]) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write(lines(name, value), 'latin1')
        await once(socket, 'data')
        socket.destroy()
      }
    }
    await polled(() => texts.length).toBe(4)
    for (const text of texts) {
      expect(text).not.toMatch(/[\p{Cc}]/u)
      expect(text.length).toBeLessThan(1_200)
    }
  })
})

describe('what a server says', () => {
  test('is quoted where it closes a connection', async () => {
    const { texts, ...options } = listener()
    await using server = await RawServer.listen()
    const retry = { minDelayMs: 1e6, maxDelayMs: 1e6 }
    await using client = createClient<{ ping(): string }>({ url: server.url, retry, ...options })
    const peer = await server.acceptExtended()
    const call = rejection(client.other.ping())
    await peer.next()
    peer.socket.close(4000, 'bye\n\u001b[31m forged "')
    const { message } = (await call) as Error
    expectHarmless([message])
    expect(message).toContain('4000: bye\\n\\u001b[31m forged "')
    await polled(() => texts.length).toBeGreaterThan(0)
    expectHarmless(texts)
  })

  test('is quoted where its codec is another', async () => {
    const { texts, ...options } = listener()
    await using server = await RawServer.listen()
    await using client = createClient({ url: server.url, ...options })
    await server.acceptExtended({ codec: forged })
    await polled(() => client.state.status).toBe('failed')
    expectHarmless([String(client.state.lastError?.message)])
    expectHarmless(texts)
  })

  test('is quoted where it answers an upgrade by HTTP', async () => {
    const { texts, logger } = listener()
    await using server = await httpServer((socket) => {
      const reason = 'No\u009b31m'
      socket.end(
        Buffer.from(
          `HTTP/1.1 403 ${reason}\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\na\n\u001b[31mforged!`,
          'latin1',
        ),
      )
    })
    await using client = createClient({ url: server.url, logger })
    await polled(() => client.state.status).toBe('failed')
    expectHarmless([String(client.state.lastError?.message)])
    expectHarmless(texts)
  })

  test('stays as it is in the error of a call, which is for the program, and is plain in the log', async () => {
    const { texts, ...options } = listener()
    await using server = await RawServer.listen()
    const methods = {
      relay: async (): Promise<string> => {
        throw await rejection(client.other.ping())
      },
    }
    const client = createClient<{ ping(): string }, { relay(): string }>({
      url: server.url,
      methods,
      ...options,
    })
    opened.push(() => client.close())
    const peer = await server.acceptExtended()
    const call = rejection(client.other.ping())
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id, error: { code: 1, message: forged } })
    expect(await call).toMatchObject({ code: 1, message: forged })
    // A handler that throws it on in a notification: nobody but the log is told.
    peer.send({ jsonrpc: '2.0', method: 'relay' })
    const again = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id: again.id, error: { code: 1, message: forged } })
    await polled(() => texts.filter((text) => text.includes('forged')).length).toBeGreaterThan(0)
    expectHarmless(texts.filter((text) => text.startsWith('flashrpc:')))
  })
})

test('a page of a foreign origin is refused with its origin quoted', async () => {
  const endpoint = createEndpoint({ methods: {} })
  opened.push(() => endpoint.close())
  const { url } = await endpoint.listen()
  const socket = new WebSocket(url, { origin: 'http://evil.example' })
  const [, response] = await once(socket, 'unexpected-response')
  const text = (await response.setEncoding('utf8').toArray()).join('')
  socket.on('error', () => {})
  socket.terminate()
  expect(text).toContain('The page is from "http://evil.example", and the server is "127.0.0.1:')
})
