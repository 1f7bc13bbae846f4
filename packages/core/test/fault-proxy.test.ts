import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createClient, RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy, type FaultConnection, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { freePort } from '../../../scripts/free-port.js'
import { resetSocket } from '../src/testing/reset-socket.js'
import { seededRandom } from '../src/testing/seeded-random.js'
import { eventually, polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

/** What is to be closed when a test is over. */
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** One end of a TCP connection, and what came of it. */
class End {
  readonly socket: Socket
  came = Buffer.alloc(0)
  /** `fin`, or the error's code. */
  ended: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.came = Buffer.concat([this.came, bytes])
    })
    socket.on('end', () => {
      this.ended ??= 'fin'
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.ended = code
    })
    opened.push(() => socket.destroy())
  }

  /** What came, once that much is there. */
  async text(length: number): Promise<string> {
    await polled(() => this.came.length).toBeGreaterThanOrEqual(length)
    return this.came.toString()
  }

  async end(): Promise<string | undefined> {
    await polled(() => this.ended).toBeDefined()
    return this.ended
  }
}

/** A TCP server whose connections are kept. */
async function serve(onSocket: (end: End) => void = () => {}) {
  const ends: End[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const end = new End(socket)
    ends.push(end)
    onSocket(end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    if (!server.listening) return
    server.close()
    for (const { socket } of ends) socket.destroy()
    await once(server, 'close')
  }
  opened.push(close)
  return { port: (server.address() as AddressInfo).port, ends, close }
}

async function proxyTo(...targets: { port: number }[]): Promise<FaultProxy> {
  const proxy = await createFaultProxy({ targets })
  opened.push(() => proxy.close())
  return proxy
}

/** Connects; a fault may have ended the connection as soon as it was there. */
async function dial({ port }: { port: number }): Promise<End> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const end = new End(socket)
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return end
}

/** A client and its server's end, with a proxy between them. */
async function connected() {
  const server = await serve()
  const proxy = await proxyTo(server)
  const client = await dial(proxy)
  await polled(() => server.ends).toHaveLength(1)
  return { server, proxy, client, serving: server.ends[0] as End, connection: newest(proxy) }
}

function newest(proxy: FaultProxy): FaultConnection {
  return [...proxy.connections].at(-1) as FaultConnection
}

interface Adder {
  add(params: { a: number; b: number }): number
}

/** An endpoint that counts what it runs, a proxy, and a client that comes back soon. */
async function adding(settings: Partial<Parameters<typeof createClient>[0]> = {}) {
  const counter = { runs: 0 }
  const endpoint = createEndpoint<Adder>({
    methods: {
      add: ({ a, b }) => {
        counter.runs++
        return a + b
      },
    },
  })
  opened.push(() => endpoint.close())
  const { port } = await endpoint.listen({ path: '/ws' })
  const proxy = await proxyTo({ port })
  const client = createClient<Adder>({
    url: proxy.url('ws', '/ws'),
    retry: { minDelayMs: 1, maxDelayMs: 10 },
    ...(settings as object),
  })
  opened.push(() => client.close())
  return { counter, endpoint, proxy, client }
}

/** For tests of many connections, one after another, on a machine that is busy. */
const long = { timeout: 60_000 }

const pattern = Buffer.from(Array.from({ length: 256 }, (_, n) => n))

describe('without faults', () => {
  test('passes bytes on both ways as they are, and counts them', async () => {
    const { client, serving, connection } = await connected()
    const much = Buffer.concat(Array.from({ length: 4_000 }, () => pattern))
    client.socket.write(much)
    serving.socket.write(pattern)
    await client.text(pattern.length)
    await serving.text(much.length)
    expect(client.came.equals(pattern)).toBe(true)
    expect(serving.came.equals(much)).toBe(true)
    expect(connection.passed).toStrictEqual({ up: much.length, down: pattern.length })
    expect(connection.received).toStrictEqual(connection.passed)
  })

  test('passes on that one side has ended, while the other still speaks', async () => {
    const { client, serving, proxy } = await connected()
    client.socket.end('question')
    expect(await serving.end()).toBe('fin')
    expect(serving.came.toString()).toBe('question')
    serving.socket.write('the answer, ')
    serving.socket.end('in parts')
    expect(await client.end()).toBe('fin')
    expect(client.came.toString()).toBe('the answer, in parts')
    await polled(() => proxy.connections.size).toBe(0)
  })

  test.each(['client', 'serving'] as const)('passes on a reset of the %s side', async (side) => {
    const both = await connected()
    both[side].socket.resetAndDestroy()
    const other = side === 'client' ? both.serving : both.client
    expect(await other.end()).toBe('ECONNRESET')
    await polled(() => both.proxy.connections.size).toBe(0)
  })

  test('holds back a sender whose reader is slow', async () => {
    const { client, serving, connection } = await connected()
    client.socket.pause()
    const chunk = Buffer.alloc(64 * 1024)
    let written = 0
    const write = () => {
      while (serving.socket.write(chunk)) written += chunk.length
    }
    serving.socket.on('drain', write)
    write()
    // It stands still once the system's own buffers are full.
    let before = -1
    while (before !== connection.received.down) {
      before = connection.received.down
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const { received, passed } = connection
    expect(received.down - passed.down).toBeLessThanOrEqual(chunk.length)
    expect(written).toBeLessThan(64 * 1024 * 1024)
    client.socket.resume()
    await polled(() => connection.passed.down).toBeGreaterThan(before)
    serving.socket.off('drain', write)
  })
})

describe('an end after so many bytes', () => {
  const question = 'a question of 24 bytes..'
  const answer = 'the answer: 32 bytes, every one.'
  const offsets = Array.from({ length: answer.length + 1 }, (_, n) => n)

  async function answering() {
    const server = await serve(async (end) => {
      await end.text(question.length).catch(() => {})
      if (!end.socket.destroyed && end.ended === undefined) end.socket.write(answer)
    })
    return { server, proxy: await proxyTo(server) }
  }

  test('lets exactly so many through to the client, then FIN', long, async () => {
    const { proxy, server } = await answering()
    for (const n of offsets) {
      proxy.cutAfter({ down: n })
      const client = await dial(proxy)
      client.socket.write(question)
      expect(await client.end()).toBe('fin')
      expect(client.came.toString()).toBe(answer.slice(0, n))
      if (n > 0) expect(await server.ends.at(-1)?.end()).toBe('fin')
      client.socket.end()
    }
    await polled(() => proxy.connections.size).toBe(0)
  })

  test('lets exactly so many through to the server, then FIN', long, async () => {
    const server = await serve()
    const proxy = await proxyTo(server)
    for (let n = 1; n <= question.length; n++) {
      proxy.cutAfter({ up: n })
      const client = await dial(proxy)
      client.socket.write(question)
      expect(await client.end()).toBe('fin')
      await polled(() => server.ends).toHaveLength(n)
      const serving = server.ends.at(-1) as End
      expect(await serving.end()).toBe('fin')
      expect(serving.came.toString()).toBe(question.slice(0, n))
    }
  })

  test('lets exactly so many through, then RST to both sides', long, async () => {
    const { proxy, server } = await answering()
    for (const n of offsets) {
      proxy.resetAfter({ down: n })
      const client = await dial(proxy)
      client.socket.write(question)
      expect(await client.end()).toBe('ECONNRESET')
      expect(client.came.toString()).toBe(answer.slice(0, n))
      if (n > 0) expect(await server.ends.at(-1)?.end()).toBe('ECONNRESET')
    }
  })

  test('counts a connection that is open from now, and a new one from its first byte', async () => {
    const { client, serving, proxy } = await connected()
    serving.socket.write('before ')
    await client.text(7)
    proxy.cutAfter({ down: 5 })
    serving.socket.write('after this')
    expect(await client.end()).toBe('fin')
    expect(client.came.toString()).toBe('before after')
    const next = await dial(proxy)
    await eventually(() => expect(proxy.accepted).toBe(2))
    expect(next.ended).toBeUndefined()
    proxy.heal()
    expect(proxy.connections.size).toBe(1)
  })

  test('spares all but the first connection, once', async () => {
    const server = await serve((end) => end.socket.write(answer))
    const proxy = await proxyTo(server)
    proxy.cutAfter({ down: 3, once: true })
    const first = await dial(proxy)
    expect(await first.end()).toBe('fin')
    expect(first.came.toString()).toBe('the')
    const second = await dial(proxy)
    expect(await second.text(answer.length)).toBe(answer)
    expect(second.ended).toBeUndefined()
  })

  /** A client whose next calls have ids of three digits, so that their frames are of one size. */
  async function steady() {
    const all = await adding()
    const sum = () => all.client.other.add({ a: 5, b: 10 })
    await Promise.all(Array.from({ length: 100 }, sum))
    const before = newest(all.proxy).passed
    await sum()
    const { up, down } = newest(all.proxy).passed
    return { ...all, sum, call: up - before.up, answer: down - before.down }
  }

  test(
    'at any byte of an answer leaves its call maybe-executed, and the next one works',
    long,
    async () => {
      const { sum, proxy, counter, answer } = await steady()
      expect(answer).toBeGreaterThan(20)
      for (let n = 1; n < answer; n++) {
        const { runs } = counter
        newest(proxy).cutAfter({ down: n })
        const error = await rejection(sum())
        expect(error).toBeInstanceOf(RpcDisconnectedError)
        expect(error).toMatchObject({ outcome: 'maybe-executed' })
        expect(counter.runs).toBe(runs + 1)
        expect(await sum()).toBe(15)
      }
      newest(proxy).cutAfter({ down: answer })
      expect(await sum()).toBe(15)
    },
  )

  test('at any byte of a call but its last runs nothing', long, async () => {
    const { sum, proxy, counter, call } = await steady()
    expect(call).toBeGreaterThan(20)
    for (let n = 1; n <= call; n++) {
      const { runs } = counter
      newest(proxy).cutAfter({ up: n })
      expect(await rejection(sum())).toBeInstanceOf(RpcDisconnectedError)
      expect(await sum()).toBe(15)
      await polled(() => counter.runs - runs).toBe(n === call ? 2 : 1)
    }
  })
})

describe('an end now', () => {
  test('is FIN to both sides, after what has got through', async () => {
    const { client, serving, proxy } = await connected()
    serving.socket.write('all of it')
    await client.text(9)
    proxy.cut()
    expect(proxy.connections.size).toBe(0)
    expect([await client.end(), await serving.end()]).toStrictEqual(['fin', 'fin'])
  })

  test('is RST to both sides', async () => {
    const { client, serving, proxy } = await connected()
    proxy.reset()
    expect(proxy.connections.size).toBe(0)
    expect(await client.end()).toBe('ECONNRESET')
    expect(await serving.end()).toBe('ECONNRESET')
  })

  test('of one connection leaves the others', async () => {
    const { client, proxy, connection } = await connected()
    const other = await dial(proxy)
    await polled(() => proxy.connections.size).toBe(2)
    connection.reset()
    expect(await client.end()).toBe('ECONNRESET')
    expect(other.ended).toBeUndefined()
    expect([...proxy.connections].map(({ id }) => id)).toStrictEqual([2])
  })

  test('leaves no socket that a side does not close', async () => {
    const { client, proxy } = await connected()
    proxy.cut()
    expect(await client.end()).toBe('fin')
    // Neither side has ended its own half.
    await eventually(() => {
      client.socket.write('x')
      expect(['ECONNRESET', 'EPIPE']).toContain(client.ended)
    })
  })

  test.each<[string, () => Promise<unknown>]>([
    ['at the same time', async () => {}],
    ['a microtask later', () => Promise.resolve().then(() => {})],
    ['a tick later', () => new Promise<void>((resolve) => process.nextTick(resolve))],
    ['two ticks later', () => new Promise<void>((r) => process.nextTick(process.nextTick, r))],
    ['in the next turn', () => new Promise(setImmediate)],
  ])('closes a socket whose end is being sent: %s', async (_, moment) => {
    const { port, ends } = await serve()
    const socket = connect(port, '127.0.0.1')
    opened.push(() => socket.destroy())
    await once(socket, 'connect')
    await polled(() => ends.length).toBe(1)
    const ending = ends[0]?.socket as Socket
    const closed = once(ending, 'close')
    ending.end()
    await moment()
    resetSocket(ending)
    await closed
  })

  test('lets a client of flashrpc come back', async () => {
    const { client, proxy } = await adding()
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    for (const end of ['cut', 'reset'] as const) {
      proxy[end]()
      await until(client, 'reconnecting')
      expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    }
    expect(proxy.accepted).toBe(3)
  })
})

describe('refusing', () => {
  test('resets new connections only, until it accepts again', async () => {
    const { client, serving, proxy } = await connected()
    proxy.refuse()
    expect(await (await dial(proxy)).end()).toBe('ECONNRESET')
    client.socket.write('still here')
    expect(await serving.text(10)).toBe('still here')
    expect([proxy.accepted, proxy.refused]).toStrictEqual([1, 1])
    proxy.accept()
    await dial(proxy)
    await polled(() => proxy.accepted).toBe(2)
    proxy.refuse()
    proxy.heal()
    await dial(proxy)
    await polled(() => proxy.accepted).toBe(3)
  })
})

describe('a black hole', () => {
  test('swallows bytes and ends, and resets what it has torn when it is healed', async () => {
    const { client, serving, proxy, connection } = await connected()
    proxy.blackHole()
    client.socket.end('lost')
    await polled(() => connection.received.up).toBe(4)
    serving.socket.write('lost too')
    await polled(() => connection.received.down).toBe(8)
    expect(connection.passed).toStrictEqual({ up: 0, down: 0 })
    expect([client.ended, serving.ended]).toStrictEqual([undefined, undefined])
    proxy.heal()
    expect(await serving.end()).toBe('ECONNRESET')
    expect(await client.end()).toBe('ECONNRESET')
    expect(serving.came).toHaveLength(0)
  })

  test('hides from one side that the other was reset', async () => {
    const { client, serving, proxy, connection } = await connected()
    connection.blackHole({ up: true })
    client.socket.resetAndDestroy()
    serving.socket.write('anybody?')
    await polled(() => connection.received.down).toBe(8)
    expect(serving.ended).toBeUndefined()
    expect(proxy.connections.size).toBe(1)
    connection.heal()
    expect(await serving.end()).toBe('ECONNRESET')
    expect(proxy.connections.size).toBe(0)
  })

  test('lets a connection that has lost nothing go on', async () => {
    const { client, serving, proxy } = await connected()
    proxy.blackHole()
    proxy.heal()
    client.socket.write('as before')
    expect(await serving.text(9)).toBe('as before')
  })

  test('of one direction leaves the other', async () => {
    const { client, serving, proxy, connection } = await connected()
    proxy.blackHole({ down: true })
    client.socket.write('arrives')
    expect(await serving.text(7)).toBe('arrives')
    serving.socket.write('does not')
    await polled(() => connection.received.down).toBe(8)
    expect(client.came).toHaveLength(0)
  })

  test('forgets a connection that both sides have given up', async () => {
    const { client, serving, proxy } = await connected()
    proxy.blackHole()
    client.socket.destroy()
    serving.socket.destroy()
    await polled(() => proxy.connections.size).toBe(0)
  })

  test('is found out by a heartbeat, and the client comes back when it is healed', async () => {
    const { client, proxy, endpoint } = await adding({
      heartbeat: { intervalMs: 50, timeoutMs: 100 },
    })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    proxy.blackHole()
    const lost = rejection(client.other.add({ a: 1, b: 2 }))
    await until(client, 'reconnecting')
    expect(await lost).toMatchObject({ outcome: 'maybe-executed' })
    // Its end was swallowed too.
    expect(endpoint.channels.size).toBe(1)
    proxy.heal()
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    await polled(() => endpoint.channels.size).toBe(1)
    expect(proxy.connections.size).toBe(1)
  })

  test('never answers who connects', async () => {
    const { client, proxy } = await adding({ autoConnect: false, connectTimeoutMs: 100 })
    proxy.blackHole({ down: true })
    void client.connect()
    await polled(() => client.state.lastError).not.toBeNull()
    expect(proxy.accepted).toBeGreaterThan(0)
    proxy.heal()
    await until(client, 'connected')
  })
})

describe('a stall', () => {
  test('loses nothing: all of it arrives, in order, when it ends', async () => {
    const { client, serving, proxy, connection } = await connected()
    proxy.stall({ up: true })
    client.socket.write('one, ')
    await polled(() => connection.received.up).toBe(5)
    client.socket.end('two')
    await polled(() => connection.received.up).toBe(8)
    serving.socket.write('this way is free')
    await client.text(16)
    expect(serving.came).toHaveLength(0)
    proxy.heal()
    expect(await serving.end()).toBe('fin')
    expect(serving.came.toString()).toBe('one, two')
  })

  test('delivers what an old connection said after a new one has come', async () => {
    const { client, serving, server, proxy, connection } = await connected()
    connection.stall()
    client.socket.end('late')
    await polled(() => connection.received.up).toBe(4)
    const next = await dial(proxy)
    next.socket.write('new')
    await polled(() => server.ends[1]?.came.toString()).toBe('new')
    expect(serving.came).toHaveLength(0)
    connection.heal()
    expect(await serving.text(4)).toBe('late')
  })
})

describe('latency and bandwidth', () => {
  test('delays bytes and the end by so much at least, and keeps their order', async () => {
    const { client, serving, proxy } = await connected()
    proxy.delay({ up: 40, jitterMs: 40, seed: 7 })
    const start = performance.now()
    let text = ''
    for (let n = 0; n < 30; n++) {
      client.socket.write(`${n},`)
      text += `${n},`
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const sent = performance.now()
    client.socket.end()
    expect(await serving.text(text.length)).toBe(text)
    expect(performance.now() - start).toBeGreaterThanOrEqual(40)
    expect(await serving.end()).toBe('fin')
    expect(performance.now() - sent).toBeGreaterThanOrEqual(40)
  })

  test('delivers at once what was on its way, when it is healed', async () => {
    const { client, serving, proxy, connection } = await connected()
    proxy.delay({ up: 1_000_000, down: 1_000_000 })
    client.socket.write('soon')
    await polled(() => connection.received.up).toBe(4)
    expect(connection.passed.up).toBe(0)
    proxy.heal()
    expect(await serving.text(4)).toBe('soon')
  })

  test('throttles to so many bytes per second at most', async () => {
    const { client, serving, proxy } = await connected()
    proxy.throttle({ down: 10_000 })
    const start = performance.now()
    serving.socket.write(Buffer.alloc(2_000))
    client.socket.write('free')
    await serving.text(4)
    await client.text(2_000)
    // The first portion, of 20 ms, is free.
    expect(performance.now() - start).toBeGreaterThanOrEqual(175)
  })

  test('holds no more than 1 MiB, and the sender has to wait', async () => {
    const { client, proxy, connection } = await connected()
    proxy.delay({ up: 1_000_000 })
    client.socket.write(Buffer.alloc(32 * 1024 * 1024))
    await polled(() => connection.received.up).toBeGreaterThanOrEqual(1024 * 1024)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(connection.received.up).toBeLessThan(1024 * 1024 + 128 * 1024)
  })

  test('jitters alike for the same seed', () => {
    const numbers = (seed: number) => Array.from({ length: 100 }, seededRandom(seed))
    expect(numbers(5)).toStrictEqual(numbers(5))
    expect(numbers(5)).not.toStrictEqual(numbers(6))
    expect(new Set(numbers(5)).size).toBe(100)
    expect(numbers(5).every((number) => number >= 0 && number < 1)).toBe(true)
  })
})

describe('several servers', () => {
  test('take turns, and one that is down is passed over', async () => {
    const servers = [await serve(), await serve(), await serve()] as const
    const proxy = await proxyTo(...servers)
    for (let n = 1; n <= 6; n++) {
      await dial(proxy)
      await polled(() => servers.reduce((sum, { ends }) => sum + ends.length, 0)).toBe(n)
    }
    expect(servers.map(({ ends }) => ends.length)).toStrictEqual([2, 2, 2])
    await servers[0].close()
    for (let n = 0; n < 3; n++) await dial(proxy)
    await polled(() => servers[1].ends.length + servers[2].ends.length).toBe(7)
  })

  test('reset a connection when all of them are down', async () => {
    const proxy = await proxyTo({ port: await freePort() }, { port: await freePort() })
    expect(await (await dial(proxy)).end()).toBe('ECONNRESET')
    await polled(() => proxy.connections.size).toBe(0)
  })

  test('replace each other: open connections stay, and a client moves when it is cut', async () => {
    const { client, proxy, counter, endpoint } = await adding()
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    const successor = createEndpoint<Adder>({ methods: { add: () => 42 } })
    opened.push(() => successor.close())
    proxy.retarget(await successor.listen({ path: '/ws' }))
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    await endpoint.close()
    await until(client, 'reconnecting')
    expect(await client.other.add({ a: 1, b: 2 })).toBe(42)
    expect(counter.runs).toBe(2)
  })
})

describe('what is left', () => {
  const inUse = () =>
    process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length

  test('is nothing, after 200 connections that ended in every way', long, async () => {
    const before = inUse()
    const server = await serve((end) => end.socket.write('hello'))
    const proxy = await createFaultProxy(server)
    const faults = [
      () => proxy.delay({ up: 5, down: 5, jitterMs: 5 }),
      () => proxy.throttle({ down: 1_000 }),
      () => proxy.cutAfter({ down: 3 }),
      () => proxy.resetAfter({ up: 2 }),
      () => proxy.stall({ up: true }),
      () => proxy.blackHole(),
      () => proxy.heal(),
      () => proxy.refuse(),
    ]
    const endings = [
      ({ socket }: End) => socket.end(),
      ({ socket }: End) => socket.destroy(),
      ({ socket }: End) => socket.resetAndDestroy(),
      () => server.ends.at(-1)?.socket.destroy(),
      () => newest(proxy)?.cut(),
      () => newest(proxy)?.reset(),
    ]
    for (let n = 0; n < 200; n++) {
      if (n % 3 === 0) faults[(n / 3) % faults.length]?.()
      const client = await dial(proxy)
      client.socket.write('hi!')
      if (n % 2 === 0) await new Promise(setImmediate)
      endings[n % endings.length]?.(client)
    }
    await proxy.close()
    expect(proxy.connections.size).toBe(0)
    for (const close of opened.splice(0)) await close()
    await polled(inUse).toBeLessThanOrEqual(before)
  })

  test('is no listener: nobody can connect when it is closed, however often', async () => {
    const { client, serving, proxy } = await connected()
    await Promise.all([proxy.close(), proxy.close()])
    await proxy[Symbol.asyncDispose]()
    expect(proxy.connections.size).toBe(0)
    expect(await client.end()).toBeDefined()
    expect(await serving.end()).toBeDefined()
    expect((await dial(proxy)).ended).toBe('ECONNREFUSED')
    proxy.heal()
    proxy.cut()
  })
})

describe('wrong options', () => {
  test.each([
    [{ port: 0 }, /port must be the server's, from 1 to 65535.*It is 0/],
    [{ port: 70_000 }, /It is 70000/],
    [{}, /It is undefined/],
    [{ port: 80, host: '' }, /host must be a name or an address, or left out/],
    [{ targets: [] }, /targets is empty. Name the port/],
  ])('of the target, %j, are refused', async (options, message) => {
    const error = await rejection(createFaultProxy(options as { port: number }))
    expect(error).toBeInstanceOf(RpcConfigError)
    expect(error).toMatchObject({ message: expect.stringMatching(message) })
  })

  test.each([
    ['delay', { up: -1 }, /delay: up must be a number of ms, 0 or more. It is -1/],
    ['delay', { down: Number.NaN }, /delay: down .*. It is NaN/],
    ['delay', { up: 1, jitterMs: -1 }, /delay: jitterMs must be/],
    ['delay', { up: 1, seed: 0.5 }, /delay: seed must be an integer/],
    ['delay', { jitterMs: 5 }, /Set delay.up, delay.down or both/],
    ['throttle', { up: 0 }, /to let nothing through, use stall\(\)/],
    ['cutAfter', { up: 1.5 }, /cutAfter: up must be an integer number of bytes/],
    ['resetAfter', { down: -1 }, /resetAfter: down must be/],
    ['blackHole', { up: 1 }, /blackHole: up must be true or false/],
    ['stall', { down: 'yes' }, /stall: down must be true or false/],
    ['cutAfter', { up: 1, once: 1 }, /cutAfter: once must be true or false/],
    // A misspelt fault is an error, as it would do nothing.
    ['delay', { up: 1, jitter: 5 }, /delay has no option "jitter". Did you mean "jitterMs"\?/],
    ['delay', { pu: 5 }, /delay has no option "pu". Did you mean "up"\?/],
    ['delay', { Up: 5 }, /Did you mean "up"\?/],
    ['throttle', { donw: 5 }, /throttle has no option "donw". Did you mean "down"\?/],
    ['cutAfter', { up: 1, onec: true }, /cutAfter has no option "onec". Did you mean "once"\?/],
    ['resetAfter', { both: 1 }, /resetAfter has no option "both". It has up, down, once/],
    ['blackHole', { dwon: true }, /Did you mean "down"\?/],
    ['stall', { ups: true }, /Did you mean "up"\?/],
    ['delay', 100, /delay takes an object of options, not a number/],
    ['cutAfter', 100, /cutAfter takes an object of options, not a number/],
    ['throttle', undefined, /throttle takes an object of options, not undefined/],
    ['stall', 'up', /stall takes an object of options, not a string/],
    ['blackHole', ['up'], /blackHole takes an object of options, not an array/],
  ] as const)('of %s, %j, are refused', async (fault, options, message) => {
    const proxy = await proxyTo({ port: 80 })
    const set = proxy[fault].bind(proxy) as (options: unknown) => void
    expect(() => set(options)).toThrow(RpcConfigError)
    expect(() => set(options)).toThrow(message)
  })

  test('of an address are refused', async () => {
    const proxy = await proxyTo({ port: 80 })
    expect(proxy.url()).toBe(`ws://127.0.0.1:${proxy.port}/`)
    expect(proxy.url('http', '/health')).toBe(`http://127.0.0.1:${proxy.port}/health`)
    expect(() => proxy.url('ws', 'ws')).toThrow('path must begin with "/"')
  })
})
