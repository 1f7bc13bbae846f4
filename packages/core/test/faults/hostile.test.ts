import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createClient, defineContract } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../../scripts/free-port.js'
import { polled } from '../support/eventually.js'
import { rawClient } from '../support/raw-peer.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'

interface Methods {
  add(params: { a: number; b: number }): number
  never(): void
  late(params: { how: string }): void
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(limits = {}) {
  const errors: unknown[] = []
  const aborted: string[] = []
  let finish = () => {}
  const endpoint = createEndpoint<Methods>({
    limits,
    onError: [(_, error) => errors.push(error)],
    methods: {
      add: ({ a, b }) => a + b,
      never: (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.push('never'))
        return new Promise<void>(() => {})
      },
      late: ({ how }, { signal }) =>
        new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => aborted.push('late'))
          finish = () => (how === 'throws' ? reject(new Error('too late')) : resolve())
        }),
    },
  })
  opened.push(() => endpoint.close())
  const { url, port } = await endpoint.listen()
  const neighbour = createClient<Methods>({ url })
  opened.push(() => neighbour.close())
  await neighbour.connect()
  return { endpoint, url, port, neighbour, errors, aborted, finish: () => finish() }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  opened.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

const upgrade = (...headers: string[]) =>
  [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '\r\n',
  ].join('\r\n')

/** A masked frame, its mask of zeros. */
function frame(head: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([head, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

/** The close code that a server sends last. */
async function closeCode(socket: Socket): Promise<number | undefined> {
  let came = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    came = Buffer.concat([came, bytes])
  })
  await closed(socket)
  const at = came.lastIndexOf(0x88)
  return at === -1 ? undefined : came.readUInt16BE(at + 2)
}

describe('half an upgrade', () => {
  test('is dropped within ten seconds, or as soon as it is told to, and harms nobody', async () => {
    const { neighbour } = await serve()
    const endpoint = createEndpoint<Record<never, never>>({ methods: {}, handshakeTimeoutMs: 500 })
    opened.push(() => endpoint.close())
    const { port } = await endpoint.listen()
    const socket = await dial(port)
    socket.resume()
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr')
    await closed(socket)
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  }, 14_000)

  test('has nine seconds, where nothing else is said', async () => {
    const { port } = await serve()
    const socket = await dial(port)
    socket.resume()
    const begin = performance.now()
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr')
    await closed(socket)
    expect(performance.now() - begin).toBeGreaterThan(8_500)
  }, 20_000)

  test.each([
    ['by its length', 'Content-Length: 100000', 'x'],
    ['in chunks', 'Transfer-Encoding: chunked', '1\r\nx\r\n'],
  ])(
    'or a body that drips, %s, has no more time than that',
    async (_, header, drop) => {
      const endpoint = createEndpoint<Record<never, never>>({
        methods: {},
        handshakeTimeoutMs: 500,
      })
      opened.push(() => endpoint.close())
      const { port } = await endpoint.listen()
      const socket = await dial(port)
      socket.resume()
      socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}\r\n\r\n`)
      const dripping = setInterval(() => socket.write(drop), 50)
      opened.push(() => clearInterval(dripping))
      const isClosed = closed(socket).then(() => true)
      const isLate = new Promise((resolve) => setTimeout(resolve, 8_000, 'it drips on'))
      expect(await Promise.race([isClosed, isLate])).toBe(true)
    },
    14_000,
  )

  test.each([0, 1.5, Number.NaN, '9s'])(
    'has a time that is one, and not %j',
    (handshakeTimeoutMs) => {
      const options = { methods: {}, handshakeTimeoutMs }
      expect(() => createEndpoint(options as never)).toThrow('handshakeTimeoutMs')
    },
  )
})

describe('frames', () => {
  test('that are compressed are refused: nobody has agreed to that', async () => {
    const { port, neighbour } = await serve()
    const socket = await dial(port)
    socket.write(upgrade('Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'))
    const [head] = (await once(socket, 'data')) as [Buffer]
    expect(String(head)).not.toContain('permessage-deflate')
    const code = closeCode(socket)
    socket.write(frame(0xc1, Buffer.from([0xca, 0xcd, 0x00])))
    expect(await code).toBe(1002)
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test.each([
    ['text that is no UTF-8', frame(0x81, Buffer.from([0xff, 0xfe, 0xfd])), 1007],
    ['an unknown kind', frame(0x83, Buffer.from('hello')), 1002],
    ['a frame without a mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
    ['garbage', Buffer.from('f7e8d9c0b1a2938475665748392a1b0c', 'hex'), 1002],
  ])('of %s end their connection, and no other', async (_, bytes, code) => {
    const { port, neighbour } = await serve()
    const socket = await dial(port)
    socket.write(upgrade())
    await once(socket, 'data')
    const ended = closeCode(socket)
    socket.write(bytes)
    expect(await ended).toBe(code)
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  })
})

describe('a call', () => {
  const names = [
    '__proto__',
    'constructor',
    'then',
    'toString',
    'hasOwnProperty',
    '_private',
    'valueOf',
  ]

  test.each(names)('named %s is no method, by a contract or without one', async (method) => {
    const { url } = await serve()
    const contracted = createEndpoint(defineContract({ server: {} }), { methods: {} })
    opened.push(() => contracted.close())
    for (const address of [url, (await contracted.listen()).url]) {
      const peer = await rawClient(address)
      opened.push(() => peer[Symbol.asyncDispose]())
      peer.send({ jsonrpc: '2.0', id: 1, method, params: {} })
      expect(await peer.nextJson()).toStrictEqual({
        jsonrpc: '2.0',
        id: 1,
        error: { code: -32601, message: `Method not found: "${method}"` },
      })
    }
  })
})

describe('a server that can not be reached', () => {
  test.each([
    ['has no address', async () => 'ws://nobody.invalid'],
    ['does not listen', async () => `ws://127.0.0.1:${await freePort()}`],
  ])('%s: calls wait for their own time, and were not sent', async (_, urlOf) => {
    const retry = { minDelayMs: 5, maxDelayMs: 20 }
    const client = createClient<Methods>({ url: await urlOf(), retry })
    opened.push(() => client.close())
    const error = await rejection(client.other.add({ a: 1, b: 2 }, { timeout: 200 }))
    expect(error).toMatchObject({ name: 'RpcTimeoutError', outcome: 'not-sent' })
    await until(client, 'reconnecting')
  })
})

describe('the clock', () => {
  test.each([
    ['an hour back', -3_600_000],
    ['a day on', 24 * 3_600_000],
  ])('set %s makes no call late, and nobody dead', async (_, ms) => {
    const { url } = await serve()
    const client = createClient<Methods>({ url, heartbeat: { intervalMs: 30, timeoutMs: 2_000 } })
    opened.push(() => client.close())
    await client.connect()
    const waiting = rejection(client.other.never(undefined, { timeout: 400 }))
    const statuses = new Set<string>()
    client.subscribe(({ status }) => statuses.add(status))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    const begin = performance.now()
    expect(await waiting).toMatchObject({ name: 'RpcTimeoutError' })
    expect(performance.now() - begin).toBeGreaterThan(200)
    expect([...statuses].filter((status) => status !== 'connected')).toStrictEqual([])
  })
})

describe('a handler', () => {
  test('that never ends is told when its caller gives up, and harms no other call', async () => {
    const { url, aborted } = await serve({ running: 2 })
    const client = createClient<Methods>({ url })
    opened.push(() => client.close())
    await client.connect()
    const error = await rejection(client.other.never(undefined, { timeout: 50 }))
    expect(error).toMatchObject({ name: 'RpcTimeoutError', outcome: 'maybe-executed' })
    await polled(() => aborted).toStrictEqual(['never'])
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test.each(['throws', 'resolves'])(
    'that %s once nobody waits any more harms nobody',
    async (how) => {
      const { neighbour, aborted, errors, finish } = await serve()
      const uncaught: unknown[] = []
      const note = (error: unknown) => uncaught.push(error)
      process.on('unhandledRejection', note)
      opened.push(() => process.off('unhandledRejection', note))
      const leaving = new AbortController()
      const call = rejection(neighbour.other.late({ how }, { signal: leaving.signal }))
      await polled(() => neighbour.state.inFlight).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 20))
      leaving.abort()
      await call
      await polled(() => aborted).toStrictEqual(['late'])
      finish()
      expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
      expect(errors).toStrictEqual([])
      expect(uncaught).toStrictEqual([])
    },
  )
})
