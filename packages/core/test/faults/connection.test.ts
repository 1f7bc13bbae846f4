import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type ClientOptions, createClient } from '@flashrpc/core'
import type { EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/seeded-random.js'
import { forkProgram } from '../support/fork-program.js'
import { until } from '../support/until.js'
import { Oracle } from './oracle.js'
import { SEEDS } from './seeds.js'
import type { Ledgered } from './server-process.js'

const opened: (() => unknown)[] = []
const retry = { minDelayMs: 1, maxDelayMs: 10 }

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

type Serving = Partial<EndpointOptions<Ledgered, Record<never, never>>>

/** A server process, a proxy before it, and who knows what was run. */
class Scene {
  readonly oracle = new Oracle()
  readonly #options: Serving
  /** What its processes complained of. */
  complaints = ''
  server!: ChildProcess
  proxy!: FaultProxy

  private constructor(options: Serving) {
    this.#options = options
    opened.push(() => this.oracle[Symbol.dispose]())
  }

  static async open(options: Serving): Promise<Scene> {
    const scene = new Scene(options)
    scene.proxy = await createFaultProxy({ port: await scene.serve() })
    opened.push(() => scene.proxy.close())
    return scene
  }

  /** Starts another server process. @returns its port. */
  async serve(): Promise<number> {
    const { file } = this.oracle
    const server = forkProgram(new URL('./server-process.ts', import.meta.url), {
      args: [JSON.stringify({ file, options: this.#options })],
      stderr: 'pipe',
    })
    server.stderr?.on('data', (text) => {
      this.complaints += text
    })
    opened.push(() => killed(server))
    this.server = server
    const [port] = (await once(server, 'message')) as [number]
    return port
  }

  client(options: Partial<ClientOptions<Record<never, never>, Ledgered>> = {}) {
    const client = createClient<Ledgered>({
      url: this.proxy.url(),
      retry,
      ...options,
    } as ClientOptions<Record<never, never>, Ledgered>)
    opened.push(() => client.close())
    return client
  }

  /** How many channels the server has. */
  async channels(): Promise<number> {
    const told = once(this.server, 'message')
    this.server.send('channels')
    return (await told)[0] as number
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

const LEVELS: [name: string, options: Serving][] = [
  ['with sessions', { resume: {} }],
  ['without', {}],
]

describe.each(LEVELS)('%s', (level, options) => {
  const hasSessions = level === 'with sessions'

  test.each(SEEDS)(
    'a cut at any byte, of calls, answers, hellos and replays (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const scene = await Scene.open(options)
      const client = scene.client()
      await client.connect()
      for (let round = 0; round < 30; round++) {
        const bytes = Math.floor(random() * 700)
        const how = random() < 0.5 ? { up: bytes, once: true } : { down: bytes, once: true }
        if (random() < 0.7) scene.proxy.cutAfter(how)
        else scene.proxy.resetAfter(how)
        for (let n = 0; n < 12; n++) scene.oracle.call((id) => client.other.run({ id }))
        // Some are made while it is cut, and some cuts meet the reconnect.
        await new Promise((resolve) => setTimeout(resolve, 4 + random() * 16))
      }
      scene.proxy.heal()
      await scene.oracle.ended()
      const counts = scene.oracle.judge()
      if (hasSessions) expect(counts).toStrictEqual({ value: 360 })
      else expect(counts['maybe-executed']).toBeGreaterThan(0)
      expect(scene.proxy.accepted).toBeGreaterThan(3)
      await client.close()
      await polledAsync(() => scene.channels(), 0)
      expect(scene.complaints).toBe('')
    },
    30_000,
  )

  test.each(SEEDS.slice(0, 2))(
    'a black hole is found out, and what was in it is settled (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const scene = await Scene.open({ ...options, heartbeat: { intervalMs: 100, timeoutMs: 100 } })
      const client = scene.client({ heartbeat: { intervalMs: 100, timeoutMs: 100 } })
      await client.connect()
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 10; n++) scene.oracle.call((id) => client.other.run({ id, ms: 30 }))
        await new Promise((resolve) => setTimeout(resolve, random() * 20))
        for (const connection of scene.proxy.connections) {
          connection.blackHole(random() < 0.5 ? { up: true, down: true } : { down: true })
        }
        for (let n = 0; n < 10; n++) scene.oracle.call((id) => client.other.run({ id }))
        await until(client, 'reconnecting')
        await until(client, 'connected')
      }
      await scene.oracle.ended()
      const counts = scene.oracle.judge()
      if (hasSessions) expect(counts).toStrictEqual({ value: 60 })
      expect(scene.complaints).toBe('')
    },
    30_000,
  )

  test.each(SEEDS.slice(0, 2))(
    'a server that is killed takes along what it ran (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const scene = await Scene.open(options)
      const client = scene.client()
      await client.connect()
      for (let kills = 0; kills < 4; kills++) {
        for (let n = 0; n < 15; n++)
          scene.oracle.call((id) => client.other.run({ id, ms: random() * 30 }))
        await new Promise((resolve) => setTimeout(resolve, random() * 40))
        scene.proxy.refuse()
        await killed(scene.server)
        // A call to a server that is not known to be gone may have run.
        await until(client, 'reconnecting')
        for (let n = 0; n < 5; n++) scene.oracle.call((id) => client.other.run({ id }))
        scene.proxy.retarget({ port: await scene.serve() })
        scene.proxy.accept()
        await until(client, 'connected')
        expect(client.state.resumed).toBe(false)
        // The next kill would take along those that have waited, too.
        await scene.oracle.ended()
      }
      const counts = scene.oracle.judge()
      // What waited went to the next server.
      expect(counts.value).toBeGreaterThanOrEqual(20)
      expect(scene.complaints).toBe('')
    },
    30_000,
  )
})

test('a cut at each byte of a call, and of its answer, and of the hello between them', async () => {
  const scene = await Scene.open({ resume: {} })
  const client = scene.client()
  await client.connect()
  const call = () => scene.oracle.call((id) => client.other.run({ id }))
  // A call is some 80 bytes, a hello 300, and their answers as much.
  for (let bytes = 0; bytes < 400; bytes++) {
    scene.proxy.cutAfter(
      bytes % 2 === 0 ? { up: bytes / 2, once: true } : { down: bytes >> 1, once: true },
    )
    call()
    await scene.oracle.ended()
  }
  expect(scene.oracle.judge()).toStrictEqual({ value: 400 })
  expect(scene.proxy.accepted).toBeGreaterThan(100)
  expect(scene.complaints).toBe('')
}, 60_000)

test.each(SEEDS)(
  'sessions that expire, overflow and are evicted while clients come back (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const scene = await Scene.open({ resume: { windowMs: 15, maxDetached: 2 } })
    const clients = Array.from({ length: 5 }, () => scene.client())
    await Promise.all(clients.map((client) => client.connect()))
    for (let round = 0; round < 25; round++) {
      for (const client of clients) {
        for (let n = 0; n < 3; n++)
          scene.oracle.call((id) => client.other.run({ id, ms: random() * 10 }))
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 15))
      if (random() < 0.5) scene.proxy.cut()
      else for (const connection of scene.proxy.connections) if (random() < 0.5) connection.reset()
      if (random() < 0.3) {
        scene.proxy.refuse()
        await new Promise((resolve) => setTimeout(resolve, 20))
        scene.proxy.accept()
      }
    }
    await scene.oracle.ended()
    const counts = scene.oracle.judge()
    expect(counts.value).toBeGreaterThan(20)
    await Promise.all(clients.map((client) => client.close()))
    await polledAsync(() => scene.channels(), 0)
    expect(scene.complaints).toBe('')
  },
  30_000,
)

test.each(SEEDS.slice(0, 3))(
  'bytes that are flipped on the way leave nothing hanging (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const scene = await Scene.open({ resume: {} })
    const flipping = await flippingProxy(scene.proxy.port, random)
    const client = scene.client({ url: `ws://127.0.0.1:${flipping.port}`, timeout: 1_500 } as never)
    await client.connect()
    flipping.begin()
    let answered = 0
    const settled: Promise<unknown>[] = []
    for (let id = 0; id < 200; id++) {
      const call = client.other.run({ id })
      settled.push(
        call.then(
          () => answered++,
          (error: unknown) => expect(error).toHaveProperty('code'),
        ),
      )
      if (id % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      if (client.state.status === 'failed') await client.connect().catch(() => {})
    }
    flipping.end()
    await Promise.all(settled)
    if (client.state.status === 'failed') await client.connect()
    await until(client, 'connected')
    expect(await client.other.run({ id: 1_000 })).toBe(1_000)
    expect(answered).toBeGreaterThan(0)
    expect(scene.complaints).toBe('')
  },
  30_000,
)

/** A proxy that flips a bit of what comes back from the server, now and then. */
async function flippingProxy(target: number, random: () => number) {
  let flips = false
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      const at = Math.floor(random() * bytes.length)
      if (flips && random() < 0.2) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      client.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as { port: number }
  return {
    port,
    begin: () => {
      flips = true
    },
    /** From now on everything arrives as it was sent, over new connections. */
    end: () => {
      flips = false
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function polledAsync(read: () => Promise<number>, expected: number): Promise<void> {
  let value = await read()
  for (let times = 0; times < 200 && value !== expected; times++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    value = await read()
  }
  expect(value).toBe(expected)
}
