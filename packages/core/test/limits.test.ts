import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  createChannel,
  createClient,
  memoryTransportPair,
  RpcConfigError,
  RpcOverloadedError,
  type Transport,
} from '@flashrpc/core'
import {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  memoryResultStore,
} from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { RawPeer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Methods {
  add(params: { a: number; b: number }): number
  echo(params: unknown): unknown
  hang(params: { name: string }): string
}

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

class Scene {
  readonly endpoint: Endpoint<Methods, Record<never, never>>
  readonly ran: string[] = []
  readonly errors: unknown[] = []
  readonly ends: { code: number; reason: string }[] = []
  readonly #hanging = new Map<string, (value: string) => void>()
  url = ''
  port = 0

  private constructor(options: Partial<EndpointOptions<Methods, Record<never, never>>>) {
    this.endpoint = createEndpoint<Methods>({
      ...options,
      onError: [(_, error) => this.errors.push(error)],
      onDisconnect: [(_, reason) => this.ends.push(reason)],
      methods: {
        add: ({ a, b }) => {
          this.ran.push(`${a}+${b}`)
          return a + b
        },
        echo: (params) => params,
        hang: ({ name }) => {
          this.ran.push(name)
          return new Promise((resolve) => this.#hanging.set(name, resolve))
        },
      },
    })
  }

  static async open(options: Partial<EndpointOptions<Methods, Record<never, never>>> = {}) {
    const scene = new Scene(options)
    const { url, port } = await scene.endpoint.listen()
    Object.assign(scene, { url, port })
    opened.push(() => scene.endpoint.close())
    return scene
  }

  /** A client that behaves. */
  async neighbour() {
    const client = createClient<Methods>({ url: this.url })
    opened.push(() => client.close())
    await client.connect()
    return client
  }

  async raw(): Promise<RawPeer> {
    const peer = await rawClient(this.url)
    opened.push(() => peer[Symbol.asyncDispose]())
    return peer
  }

  finish(name: string): void {
    this.#hanging.get(name)?.(name)
  }
}

const add = (id: number) => ({ jsonrpc: '2.0', id, method: 'add', params: { a: id, b: 1 } })
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
/** A call whose message nests so deep, its own two levels among them. */
const deepCall = (depth: number) =>
  `{"jsonrpc":"2.0","id":1,"method":"echo","params":{"deep":${nested(depth - 2)}}}`

describe('depth', () => {
  test.each([
    ['text', (text: string) => text],
    ['binary', (text: string) => new TextEncoder().encode(text)],
  ])('of JSON in %s frames is 256 at the most', async (_, frame) => {
    const scene = await Scene.open()
    const peer = await scene.raw()
    peer.send(frame(deepCall(256)))
    expect(await peer.nextJson()).toMatchObject({ id: 1, result: {} })
    peer.send(frame(deepCall(257)))
    expect(await peer.nextJson()).toStrictEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32600, message: 'Invalid request: it nests deeper than 256' },
      rpc: { ran: false },
    })
    peer.send(frame(JSON.stringify(add(2))))
    expect(await peer.nextJson()).toMatchObject({ id: 2, result: 3 })
  })

  test('does not count what is in strings, whatever is escaped there', async () => {
    const scene = await Scene.open()
    const peer = await scene.raw()
    const text = `${'['.repeat(600)}\\"{[`
    const message = { ...add(1), method: 'echo', params: { text, [text]: text } }
    peer.send(message)
    expect(await peer.nextJson()).toMatchObject({ result: { text, [text]: text } })
  })

  test.each([
    ['little', 300, ']'.repeat(300)],
    ['little that is no JSON', 600, ''],
    ['much', 300, `${']'.repeat(300)}${' '.repeat(70_000)}`],
    ['much that is no JSON', 40_000, '}'.repeat(40_000)],
  ])('is found in %s', async (_, levels, rest) => {
    const scene = await Scene.open()
    const peer = await scene.raw()
    for (const frame of [
      '['.repeat(levels) + rest,
      new TextEncoder().encode('['.repeat(levels) + rest),
    ]) {
      peer.send(frame)
      // As JSON, this is a batch of one message.
      const [refusal] = [await peer.nextJson()].flat()
      expect(refusal).toMatchObject({ id: null, error: { code: -32600 } })
    }
  })

  test('of millions is refused as that of hundreds, and harms nobody', async () => {
    const scene = await Scene.open({ limits: { message: 8 * 1024 * 1024 } })
    const neighbour = await scene.neighbour()
    const peer = await scene.raw()
    peer.send(deepCall(3_000_000))
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32600 } })
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('is an option', async () => {
    const scene = await Scene.open({ limits: { depth: 400 } })
    const peer = await scene.raw()
    peer.send(deepCall(400))
    expect(await peer.nextJson()).toMatchObject({ id: 1, result: {} })
    peer.send(deepCall(401))
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32600 } })
  })

  test('may be more than a function can call itself', async () => {
    const scene = await Scene.open({ limits: { depth: 20_000 } })
    const peer = await scene.raw()
    const deepAdd = (depth: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":1,"b":2,"deep":${nested(depth - 2)}}}`
    peer.send(deepAdd(20_000))
    expect(await peer.nextJson()).toMatchObject({ id: 1, result: 3 })
    peer.send(deepAdd(20_001))
    expect(await peer.nextJson()).toMatchObject({ id: 1, error: { code: -32600 } })
  })
})

describe('a batch', () => {
  test('holds as many messages as the option says', async () => {
    const scene = await Scene.open({ limits: { batch: 3 } })
    const peer = await scene.raw()
    peer.send([1, 2, 3].map(add))
    expect(await peer.nextJson()).toHaveLength(3)
    peer.send([1, 2, 3, 4].map(add))
    expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32600 } })
    expect(scene.ran).toHaveLength(3)
  })
})

describe('calls that run', () => {
  test('are as many as may; one more is refused, and is known not to have run', async () => {
    const scene = await Scene.open({ limits: { running: 2 } })
    const neighbour = await scene.neighbour()
    const client = await scene.neighbour()
    const first = client.other.hang({ name: 'a' })
    const second = client.other.hang({ name: 'b' })
    const error = await rejection(client.other.add({ a: 1, b: 2 }))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(error).toMatchObject({
      outcome: 'not-received',
      message: expect.stringContaining('limits.running'),
    })
    expect(await neighbour.other.add({ a: 3, b: 4 })).toBe(7)
    scene.finish('a')
    expect(await first).toBe('a')
    expect(await client.other.add({ a: 5, b: 6 })).toBe(11)
    scene.finish('b')
    expect(await second).toBe('b')
    expect(scene.ran).toStrictEqual(['a', 'b', '3+4', '5+6'])
  })

  test('leave no room for notifications either, which onError learns of', async () => {
    const scene = await Scene.open({ limits: { running: 1 } })
    const client = await scene.neighbour()
    const call = client.other.hang({ name: 'a' })
    await client.notify('add', { a: 1, b: 2 })
    await polled(() => scene.errors).toMatchObject([{ code: -32003 }])
    scene.finish('a')
    await call
    expect(scene.ran).toStrictEqual(['a'])
  })

  interface Deaf {
    call(): void
    tell(): void
    items(): AsyncIterable<number>
    quick(): string
  }

  /** A server whose handlers ignore their signal, and end when the test says so. */
  async function deaf(options: Partial<EndpointOptions<Deaf, Record<never, never>>> = {}) {
    const begun: string[] = []
    const ends: (() => void)[] = []
    const lasting = (name: string) => {
      begun.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    }
    const endpoint = createEndpoint<Deaf>({
      idempotency: { store: memoryResultStore() },
      limits: { running: 2 },
      ...options,
      methods: {
        call: () => lasting('call'),
        tell: () => lasting('tell'),
        items: async function* () {
          yield 1
          await lasting('items')
        },
        quick: () => 'quick',
      },
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = createClient<Deaf>({ url })
    opened.push(() => client.close())
    await client.connect()
    return { endpoint, url, client, begun, end: () => ends.shift()?.() }
  }
  type DeafClient = Awaited<ReturnType<typeof deaf>>['client']

  test.each<[string, (client: DeafClient, signal: AbortSignal) => Promise<unknown>]>([
    ['a call', (client, signal) => client.other.call(undefined, { signal })],
    ['a call whose time is over', (client) => client.other.call(undefined, { timeout: 50 })],
    [
      'a call with a key',
      (client, signal) =>
        client.other.call(undefined, { signal, idempotencyKey: String(Math.random()) }),
    ],
    [
      'a stream',
      async (client, signal) => {
        for await (const _ of client.stream('items', undefined, { signal }));
      },
    ],
  ])('keep their places until they have ended, given up or not: %s', async (_, make) => {
    const { client, begun, end } = await deaf()
    for (let n = 1; n <= 2; n++) {
      const giveUp = new AbortController()
      const call = rejection(make(client, giveUp.signal))
      await polled(() => begun).toHaveLength(n)
      giveUp.abort()
      await call
    }
    // This call arrives after the cancellations.
    expect(await rejection(client.other.quick())).toBeInstanceOf(RpcOverloadedError)
    end()
    await polled(() => client.other.quick().catch(() => '')).toBe('quick')
    end()
  })

  test.each<[string, (client: DeafClient, n: number) => Promise<unknown>]>([
    ['a call', (client) => client.other.call()],
    ['a call with a key', (client, n) => client.other.call(undefined, { idempotencyKey: `${n}` })],
    ['a notification', (client) => client.notify('tell')],
  ])('keep their places where middleware waits for no handler: %s', async (_, make) => {
    const { client, begun, end } = await deaf({
      use: async (call, next) => {
        if (call.method === 'quick') return next()
        void next().catch(() => {})
        return null
      },
    })
    for (let n = 1; n <= 2; n++) {
      await make(client, n)
      await polled(() => begun).toHaveLength(n)
    }
    expect(await rejection(client.other.quick())).toBeInstanceOf(RpcOverloadedError)
    end()
    await polled(() => client.other.quick().catch(() => '')).toBe('quick')
    end()
  })

  test('keep their places however often a caller calls and gives up', async () => {
    const { client, begun } = await deaf()
    for (let n = 0; n < 200; n++) {
      const giveUp = new AbortController()
      client.other.call(undefined, { signal: giveUp.signal }).catch(() => {})
      client.notify('tell').catch(() => {})
      giveUp.abort()
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await rejection(client.other.quick())).toBeInstanceOf(RpcOverloadedError)
    expect(begun).toHaveLength(2)
  })

  test('that are cancelled are answered at once, and their ids are free', async () => {
    const { url, begun, end } = await deaf()
    const peer = await rawClient(url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const call = { jsonrpc: '2.0', id: 7, method: 'call' }
    const cancel = { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 7 } }
    peer.send(call)
    peer.send(cancel)
    expect(await peer.nextJson()).toMatchObject({ id: 7, error: { code: -32800 } })
    peer.send(call)
    await polled(() => begun).toHaveLength(2)
    peer.send(call)
    expect(await peer.nextJson()).toMatchObject({ id: 7, error: { code: -32600 } })
    peer.send({ ...call, id: 8 })
    expect(await peer.nextJson()).toMatchObject({ id: 8, error: { code: -32003 } })
    // When the first handler ends, no answer is sent.
    end()
    peer.send({ jsonrpc: '2.0', id: 8, method: 'quick' })
    expect(await peer.nextJson()).toMatchObject({ id: 8, result: 'quick' })
    end()
    expect(await peer.nextJson()).toStrictEqual({ jsonrpc: '2.0', id: 7, result: null })
    peer.send(cancel)
    peer.send({ jsonrpc: '2.0', id: 9, method: 'quick' })
    expect(await peer.nextJson()).toMatchObject({ id: 9, result: 'quick' })
  })

  test('of a client keep their places when the server that called is gone', async () => {
    let begun = 0
    const endpoint = createEndpoint<Record<never, never>, { wait(): void }>({ methods: {} })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const client = createClient<Record<never, never>, { wait(): void }>({
      url,
      limits: { running: 1 },
      retry: { minDelayMs: 5, maxDelayMs: 20 },
      methods: {
        wait: () => {
          begun++
          return new Promise<void>(() => {})
        },
      },
    })
    opened.push(() => client.close())
    await client.connect()
    const [first] = endpoint.channels
    const lost = rejection(first?.other.wait() as Promise<void>)
    await polled(() => begun).toBe(1)
    await first?.close()
    await lost
    await polled(() => endpoint.channels.size).toBe(1)
    const [second] = endpoint.channels
    expect(await rejection(second?.other.wait() as Promise<void>)).toBeInstanceOf(
      RpcOverloadedError,
    )
    expect(begun).toBe(1)
  })

  test('hold up no server that closes once their callers have left', async () => {
    const { endpoint, client, begun } = await deaf()
    const call = rejection(client.other.call())
    await polled(() => begun).toHaveLength(1)
    const closed = endpoint.close({ drain: 60_000 })
    await client.close()
    await call
    await closed
  })

  test('are bounded on the side of a client, too', async () => {
    const [left, right] = memoryTransportPair()
    const server = createChannel<object, { wait(): void }>({ side: 'server', transport: left })
    createChannel<{ wait(): void }, object>({
      side: 'client',
      transport: right,
      limits: { running: 1 },
      methods: { wait: () => new Promise<void>(() => {}) },
    })
    const hanging = rejection(server.other.wait())
    expect(await rejection(server.other.wait())).toMatchObject({ outcome: 'not-received' })
    await server.close()
    await hanging
  })
})

describe('rates', () => {
  test.each([
    ['messages', { messagesPerSecond: 100 }],
    ['bytes', { bytesPerSecond: 100 * 71 }],
  ])(
    'of %s above the limit are not read for a while, and all of it in the end',
    async (_, limits) => {
      const scene = await Scene.open({ limits })
      const neighbour = await scene.neighbour()
      const peer = await scene.raw()
      const begin = performance.now()
      for (let id = 100; id < 350; id++) peer.send(add(id))
      await polled(() => scene.ran.length).toBeGreaterThan(0)
      // Meanwhile others are served as ever.
      expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
      for (let id = 100; id < 350; id++) await peer.nextJson()
      peer.send(add(350))
      await peer.nextJson()
      // 100 at once, and 100 a second.
      expect(performance.now() - begin).toBeGreaterThan(1_000)
      expect(scene.ran).toHaveLength(252)
    },
  )

  test('have no limit where they are lifted', async () => {
    const scene = await Scene.open({
      limits: {
        messagesPerSecond: Number.POSITIVE_INFINITY,
        bytesPerSecond: Number.POSITIVE_INFINITY,
      },
    })
    const client = await scene.neighbour()
    const calls = Array.from({ length: 500 }, (_, a) => client.other.add({ a, b: 1 }))
    expect((await Promise.all(calls)).at(-1)).toBe(500)
  })

  test('count the messages of a frame, however many share it', async () => {
    const scene = await Scene.open({ limits: { messagesPerSecond: 100 } })
    const peer = await scene.raw()
    const begin = performance.now()
    for (let n = 0; n < 3; n++) peer.send(Array.from({ length: 100 }, (_, id) => add(id)))
    for (let n = 0; n < 3; n++) await peer.next()
    peer.send(add(1))
    await peer.next()
    expect(performance.now() - begin).toBeGreaterThan(1_500)
  })

  test('end a connection that can not be paused, with 4429', async () => {
    const [left, right] = memoryTransportPair()
    // As a socket of another make is.
    const transport: Transport = { ...bound(left), reliable: false }
    const ends: number[] = []
    createChannel<{ add(): void }, object>({
      side: 'server',
      transport,
      limits: { messagesPerSecond: 50 },
      onDisconnect: [(_, { code }) => ends.push(code)],
      methods: { add: () => {} },
    })
    right.start({ frame: () => {}, close: () => {} })
    for (let id = 0; id < 60; id++)
      right.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'add' }))
    await polled(() => ends).toStrictEqual([4429])
  })

  test('pause a flood of notifications: its sender has to wait', async () => {
    const scene = await Scene.open({ limits: { messagesPerSecond: 200 } })
    const neighbour = await scene.neighbour()
    const peer = await scene.raw()
    // More than the system holds between two sockets.
    const params = { a: 1, b: 1, text: 'x'.repeat(1_000) }
    const flood = JSON.stringify({ jsonrpc: '2.0', method: 'add', params })
    for (let n = 0; n < 20_000; n++) peer.socket.send(flood)
    await polled(() => scene.ran.length).toBeGreaterThan(100)
    expect(await neighbour.other.add({ a: 20, b: 22 })).toBe(42)
    expect(scene.ran.length).toBeLessThan(10_000)
    expect(peer.socket.bufferedAmount).toBeGreaterThan(0)
  })
})

describe('a slow reader', () => {
  test('is cut off, and the others hear all', async () => {
    const scene = await Scene.open({ limits: { sendBuffer: 256 * 1024, stalledMs: 500 } })
    const neighbour = await scene.neighbour()
    const slow = await scene.raw()
    slow.socket.pause()
    const text = 'x'.repeat(60_000)
    // More than the system holds between two sockets.
    for (let n = 0; n < 200; n++) slow.send({ ...add(n), method: 'echo', params: { text } })
    const begin = performance.now()
    for (let n = 0; scene.ends.length === 0 && performance.now() - begin < 10_000; n++) {
      expect(await neighbour.other.add({ a: n, b: 1 })).toBe(n + 1)
    }
    expect(scene.ends).toMatchObject([{ code: 1013 }])
    expect(await neighbour.other.echo({ text })).toStrictEqual({ text })
    expect(scene.endpoint.channels.size).toBe(1)
  })
})

describe('connections', () => {
  test('are as many as may; one more is told when to come back', async () => {
    const scene = await Scene.open({ limits: { connections: 2 } })
    const neighbour = await scene.neighbour()
    const second = await scene.raw()
    const response = await upgrade(scene.port)
    expect(response).toMatch(/^HTTP\/1\.1 503 /)
    expect(response).toMatch(/\r\nRetry-After: 5\r\n/)
    expect(response).toContain('as many connections as it takes')
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
    await second[Symbol.asyncDispose]()
    await polled(() => upgrade(scene.port)).toMatch(/^HTTP\/1\.1 101 /)
  })

  test('in one second are as many as may, and one more in the next', async () => {
    const scene = await Scene.open({ limits: { connectionsPerSecond: 2 } })
    const answers = await Promise.all([1, 2, 3].map(() => upgrade(scene.port)))
    expect(answers.map((answer) => answer.slice(9, 12)).sort()).toStrictEqual(['101', '101', '503'])
    await polled(() => upgrade(scene.port)).toMatch(/^HTTP\/1\.1 101 /)
  })

  test('that are refused are told to pages by a close code', async () => {
    const scene = await Scene.open({ limits: { connections: 1 } })
    await scene.neighbour()
    const { WebSocket } = await import('ws')
    const page = new RawPeer(new WebSocket(scene.url, { origin: `http://127.0.0.1:${scene.port}` }))
    expect(await page.closed).toMatchObject({ code: 1013 })
  })

  test('count while they are authenticated', async () => {
    let letIn = () => {}
    const scene = await Scene.open({
      limits: { connections: 1 },
      authenticate: () => new Promise<void>((resolve) => (letIn = resolve)),
    })
    const first = rawClient(scene.url)
    await polled(() => upgrade(scene.port)).toMatch(/^HTTP\/1\.1 503 /)
    letIn()
    await (await first)[Symbol.asyncDispose]()
    const again = rawClient(scene.url)
    await polled(() => letIn).not.toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 50))
    letIn()
    await (await again)[Symbol.asyncDispose]()
  })
})

describe('hostile frames', () => {
  test('in tiny fragments end their connection, and no other', async () => {
    const scene = await Scene.open()
    const neighbour = await scene.neighbour()
    const socket = await handshaken(scene.port)
    const closed = new Promise((resolve) => socket.on('close', resolve))
    // A first fragment of text, and then empty ones without end.
    socket.write(Buffer.from([0x01, 0x80, 0, 0, 0, 0]))
    const empty = Buffer.concat(Array(2_000).fill(Buffer.from([0x00, 0x80, 0, 0, 0, 0])))
    for (let n = 0; n < 20 && !socket.destroyed; n++) {
      if (!socket.write(empty)) await Promise.race([drained(socket), closed])
    }
    await closed
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('of pings whose answers nobody reads end their connection, and no other', async () => {
    const scene = await Scene.open()
    const neighbour = await scene.neighbour()
    const socket = await handshaken(scene.port)
    socket.pause()
    const closed = new Promise((resolve) => socket.on('close', resolve))
    const ping = Buffer.alloc(2 + 4 + 125)
    ping[0] = 0x89
    ping[1] = 0x80 | 125
    const pings = Buffer.concat(Array(500).fill(ping))
    for (let n = 0; n < 400 && !socket.destroyed; n++) {
      if (!socket.write(pings)) await Promise.race([drained(socket), closed])
    }
    socket.resume()
    await closed
    expect(await neighbour.other.add({ a: 1, b: 2 })).toBe(3)
  })
})

describe('a limit that is none', () => {
  test.each([
    ['depth', 0],
    ['batch', Number.POSITIVE_INFINITY],
    ['running', -1],
    ['running', 1.5],
    ['sendBuffer', 'much'],
    ['waitingBytes', Number.POSITIVE_INFINITY],
    ['stalledMs', 0],
    ['messagesPerSecond', Number.NaN],
  ])('is refused where it is written: %s is %j', (name, value) => {
    const options = { url: 'ws://127.0.0.1:1', autoConnect: false, limits: { [name]: value } }
    expect(() => createClient(options as never)).toThrow(RpcConfigError)
    expect(() => createClient(options as never)).toThrow(`limits.${name}`)
  })

  test.each(['connections', 'connectionsPerAddress', 'connectionsPerSecond'])(
    'is refused by an endpoint: %s',
    (name) => {
      const options = { methods: {}, limits: { [name]: 0 } }
      expect(() => createEndpoint(options as never)).toThrow(`limits.${name}`)
    },
  )
})

/** A transport's functions, taken out of it. */
function bound(transport: Transport): Pick<Transport, 'start' | 'send' | 'close'> {
  return {
    start: (events) => transport.start(events),
    send: (frame) => transport.send(frame),
    close: (code, reason) => transport.close(code, reason),
  }
}

/** Asks for an upgrade. @returns the head of the answer. */
async function upgrade(port: number): Promise<string> {
  const socket = await dial(port)
  try {
    const [head] = await once(socket, 'data')
    return String(head)
  } finally {
    socket.destroy()
  }
}

/** A socket past its upgrade, for frames of any kind. */
async function handshaken(port: number) {
  const socket = await dial(port)
  await once(socket, 'data')
  return socket
}

async function dial(port: number) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  opened.push(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(
    [
      'GET / HTTP/1.1',
      'Host: 127.0.0.1',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  )
  return socket
}

/** When more can be written; not an error, which a socket that is cut off has. */
function drained(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('drain', resolve))
}
