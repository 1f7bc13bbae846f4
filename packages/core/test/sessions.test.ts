import {
  type ClientOptions,
  createClient,
  RpcAbortedError,
  RpcDisconnectedError,
} from '@flashrpc/core'
import {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type ServerChannel,
} from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

interface Server {
  add(params: { a: number; b: number }): number
  /** Ends when the test says so. */
  wait(params: { name: string }): string
  note(params: { n: number }): void
}

interface Page {
  ask(params: { n: number }): number
  hear(params: { n: number }): void
}

type Serving = EndpointOptions<Server, Page>

/** Tries again soon, so that tests are quick. */
const retry = { minDelayMs: 5, maxDelayMs: 20 }

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server, a proxy in front of it, a client behind that, and what was run. */
class Scene {
  readonly endpoint: Endpoint<Server, Page>
  /** Every call that was run on the server, in order. */
  readonly ran: string[] = []
  readonly aborted: string[] = []
  readonly connects: string[] = []
  readonly #waiting = new Map<string, (value: string) => void>()
  proxy!: FaultProxy

  private constructor(options: Partial<Serving>) {
    this.endpoint = createEndpoint<Server, Page>({
      resume: {},
      ...options,
      methods: {
        add: ({ a, b }) => {
          this.ran.push(`add ${a} ${b}`)
          return a + b
        },
        wait: ({ name }, { signal }) => {
          this.ran.push(`wait ${name}`)
          signal.addEventListener('abort', () => this.aborted.push(name))
          return new Promise((resolve) => this.#waiting.set(name, resolve))
        },
        note: ({ n }) => {
          this.ran.push(`note ${n}`)
        },
      },
      onConnect: [() => this.connects.push('connect')],
      onDisconnect: [() => this.connects.push('disconnect')],
    })
  }

  static async open(options: Partial<Serving> = {}): Promise<Scene> {
    const scene = new Scene(options)
    const { port } = await scene.endpoint.listen()
    scene.proxy = await createFaultProxy({ port })
    opened.push(() => scene.endpoint.close())
    opened.push(() => scene.proxy.close())
    return scene
  }

  client(options: Partial<ClientOptions<Page, Server>> = {}) {
    const client = createClient<Server, Page>({
      url: this.proxy.url(),
      retry,
      ...options,
    } as ClientOptions<Page, Server>)
    opened.push(() => client.close())
    return client
  }

  /** Lets a call that waits go on. */
  finish(name: string): void {
    this.#waiting.get(name)?.(`done ${name}`)
  }

  get channel(): ServerChannel<Server, Page> {
    const [channel] = this.endpoint.channels
    if (!channel) throw new Error('There is no channel')
    return channel
  }
}

/** Cuts the connection, and waits until the client is back. */
async function reconnect(scene: Scene, client: ReturnType<Scene['client']>) {
  const down = until(client, 'reconnecting')
  scene.proxy.cut()
  await down
  return until(client, 'connected')
}

describe('a session', () => {
  test('goes on over the next connection, and both sides know it as the same', async () => {
    const scene = await Scene.open()
    const told: string[] = []
    const client = scene.client({
      onConnect: [() => told.push('connect')],
      onDisconnect: [() => told.push('disconnect')],
    })
    await client.connect()
    const { channel } = scene
    const { sessionId } = client.state
    expect(client.state.resumed).toBe(false)
    for (let times = 0; times < 3; times++) {
      const { resumed, sessionId: now } = await reconnect(scene, client)
      expect({ resumed, now }).toStrictEqual({ resumed: true, now: sessionId })
      expect(await client.other.add({ a: times, b: 1 })).toBe(times + 1)
      expect([...scene.endpoint.channels]).toStrictEqual([channel])
    }
    expect(told).toStrictEqual(['connect'])
    expect(scene.connects).toStrictEqual(['connect'])
    await client.close()
    expect(told).toStrictEqual(['connect', 'disconnect'])
    await polled(() => scene.connects).toStrictEqual(['connect', 'disconnect'])
    expect(scene.endpoint.channels.size).toBe(0)
  })

  test('carries calls over that were running, without another start', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = client.other.wait({ name: 'a' })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    await reconnect(scene, client)
    expect(client.state.inFlight).toBe(1)
    scene.finish('a')
    expect(await call).toBe('done a')
    expect(scene.ran).toStrictEqual(['wait a'])
    expect(scene.aborted).toStrictEqual([])
  })

  test('keeps answers for a client that is away', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = client.other.wait({ name: 'a' })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    scene.proxy.refuse()
    scene.proxy.cut()
    await until(client, 'reconnecting')
    await polled(() => scene.channel.isConnected).toBe(false)
    scene.finish('a')
    scene.proxy.accept()
    expect(await call).toBe('done a')
    expect(client.state.resumed).toBe(true)
  })

  test('keeps calls of the server for a client that is away', async () => {
    const scene = await Scene.open()
    const heard: number[] = []
    const client = scene.client({
      methods: { ask: ({ n }) => n * 2, hear: ({ n }) => void heard.push(n) },
    })
    await client.connect()
    const { channel } = scene
    scene.proxy.refuse()
    scene.proxy.cut()
    await polled(() => channel.isConnected).toBe(false)
    const answers = Promise.all([1, 2, 3].map((n) => channel.other.ask({ n })))
    const told = Promise.all([4, 5].map((n) => channel.notify('hear', { n })))
    scene.proxy.accept()
    expect(await answers).toStrictEqual([2, 4, 6])
    await told
    await polled(() => heard).toStrictEqual([4, 5])
  })

  test('keeps the order of calls over cuts at any byte, and runs each once', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    await client.connect()
    const answers: number[] = []
    const rounds = 40
    for (let round = 0; round < rounds; round++) {
      scene.proxy.cutAfter({ up: 37 * (round % 11), down: 23 * (round % 13), once: true })
      const calls = Array.from({ length: 10 }, (_, n) =>
        client.other.add({ a: 10 * round + n, b: 0 }),
      )
      answers.push(...(await Promise.all(calls)))
    }
    const all = Array.from({ length: 10 * rounds }, (_, n) => n)
    expect(answers).toStrictEqual(all)
    expect(scene.ran).toStrictEqual(all.map((n) => `add ${n} 0`))
    expect(scene.proxy.accepted).toBeGreaterThan(rounds)
  })

  test('goes on though the old connection hangs, whose late words nobody hears', async () => {
    const scene = await Scene.open()
    const client = scene.client({ heartbeat: { intervalMs: 50, timeoutMs: 50 } })
    const first = client.other.wait({ name: 'a' })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    const [old] = scene.proxy.connections
    old?.stall()
    const second = client.other.wait({ name: 'b' })
    await until(client, 'reconnecting')
    await until(client, 'connected')
    await polled(() => scene.ran).toStrictEqual(['wait a', 'wait b'])
    old?.heal()
    scene.finish('a')
    scene.finish('b')
    expect(await Promise.all([first, second])).toStrictEqual(['done a', 'done b'])
    expect(scene.ran).toStrictEqual(['wait a', 'wait b'])
  })

  test('hears of a call that was given up while it was away', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const leaving = new AbortController()
    const call = client.other.wait({ name: 'a' }, { signal: leaving.signal })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    scene.proxy.refuse()
    scene.proxy.cut()
    await until(client, 'reconnecting')
    leaving.abort()
    const error = (await rejection(call)) as RpcAbortedError
    expect(error).toBeInstanceOf(RpcAbortedError)
    expect(error.outcome).toBe('maybe-executed')
    expect(scene.aborted).toStrictEqual([])
    scene.proxy.accept()
    await polled(() => scene.aborted).toStrictEqual(['a'])
  })
})

describe('the end of a session', () => {
  test('comes when its client is away for longer than the window', async () => {
    const scene = await Scene.open({ resume: { windowMs: 50 } })
    const client = scene.client()
    const call = client.other.wait({ name: 'a' })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    const ask = rejection(scene.channel.other.ask({ n: 1 }))
    scene.proxy.refuse()
    scene.proxy.cut()
    await polled(() => scene.endpoint.channels.size).toBe(0)
    expect(scene.aborted).toStrictEqual(['a'])
    expect(await ask).toMatchObject({ outcome: 'maybe-executed' })
    scene.proxy.accept()
    const error = (await rejection(call)) as RpcDisconnectedError
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error.outcome).toBe('maybe-executed')
    await until(client, 'connected')
    expect(client.state.resumed).toBe(false)
    expect(scene.connects).toStrictEqual(['connect', 'disconnect', 'connect'])
  })

  test('sends again what provably was not received', async () => {
    const scene = await Scene.open({ resume: { windowMs: 50 } })
    const client = scene.client()
    const ran = client.other.wait({ name: 'a' })
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    // These go nowhere: the server learns of nothing until the window has passed.
    scene.proxy.blackHole({ up: true })
    const lost = client.other.add({ a: 1, b: 2 })
    await client.notify('note', { n: 7 })
    scene.proxy.refuse()
    scene.proxy.reset()
    await polled(() => scene.endpoint.channels.size).toBe(0)
    scene.proxy.heal()
    expect(await rejection(ran)).toMatchObject({ outcome: 'maybe-executed' })
    expect(await lost).toBe(3)
    await polled(() => scene.ran).toStrictEqual(['wait a', 'add 1 2', 'note 7'])
  })

  test('leaves calls that can not be sent again as not received', async () => {
    const scene = await Scene.open({ resume: { windowMs: 50 } })
    const client = scene.client()
    await client.connect()
    scene.proxy.blackHole({ up: true })
    const calls = Array.from({ length: 15 }, (_, n) => client.other.add({ a: n, b: 0 }))
    const settled = Promise.allSettled(calls)
    await polled(() => client.state.inFlight).toBe(15)
    scene.proxy.refuse()
    scene.proxy.reset()
    await polled(() => scene.endpoint.channels.size).toBe(0)
    scene.proxy.heal()
    const outcomes = (await settled).map((one) =>
      one.status === 'fulfilled' ? one.value : one.reason.outcome,
    )
    expect(outcomes.slice(0, 10)).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(outcomes.slice(10)).toStrictEqual(Array(5).fill('not-received'))
    expect(scene.ran).toHaveLength(10)
  })

  test('comes with the process of the server: nothing is known of what was sent', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = rejection(client.other.wait({ name: 'a' }))
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    const other = await Scene.open()
    scene.proxy.retarget({ port: Number(new URL(other.proxy.url()).port) })
    scene.proxy.cut()
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    expect(client.state.resumed).toBe(false)
  })

  test('comes when the server closes the channel, whether its client is there or not', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    await client.connect()
    const first = client.state.sessionId
    await scene.channel.close()
    await until(client, 'reconnecting')
    await until(client, 'connected')
    expect(client.state).toMatchObject({
      resumed: false,
      sessionId: expect.not.stringMatching(first ?? ''),
    })
    scene.proxy.refuse()
    scene.proxy.cut()
    await polled(() => scene.channel.isConnected).toBe(false)
    await scene.channel.close()
    expect(scene.endpoint.channels.size).toBe(0)
    scene.proxy.accept()
    await until(client, 'connected')
    expect(client.state.resumed).toBe(false)
  })

  test('comes with credentials that have expired', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = rejection(client.other.wait({ name: 'a' }))
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    await scene.channel.close(4401, 'Logged out')
    await until(client, 'unauthorized')
    expect(await call).toMatchObject({ outcome: 'maybe-executed', closeCode: 4401 })
    expect(scene.aborted).toStrictEqual(['a'])
    void client.connect()
    await until(client, 'connected')
    expect(client.state.resumed).toBe(false)
  })

  test('comes when more waits for a client that is away than is kept', async () => {
    const scene = await Scene.open({ limits: { unackedMessages: 5 } })
    const client = scene.client()
    await client.connect()
    const { channel } = scene
    scene.proxy.refuse()
    scene.proxy.cut()
    await polled(() => channel.isConnected).toBe(false)
    const calls = Array.from({ length: 6 }, (_, n) => rejection(channel.other.ask({ n })))
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ outcome: 'not-sent', closeCode: 1013 })
    }
    expect(scene.endpoint.channels.size).toBe(0)
  })

  test('comes first to the one that has waited the longest, where too many wait', async () => {
    const scene = await Scene.open({ resume: { maxDetached: 2 } })
    const clients = [scene.client(), scene.client(), scene.client()]
    for (const client of clients) await client.connect()
    const ids = [...scene.endpoint.channels].map(({ id }) => id)
    scene.proxy.refuse()
    const away = () => [...scene.endpoint.channels].filter(({ isConnected }) => !isConnected)
    const [first, second, third] = [...scene.proxy.connections]
    first?.cut()
    await polled(() => away().length).toBe(1)
    second?.cut()
    await polled(() => away().length).toBe(2)
    third?.cut()
    await polled(() => scene.endpoint.channels.size).toBe(2)
    expect([...scene.endpoint.channels].map(({ id }) => id)).toStrictEqual(ids.slice(1))
    scene.proxy.accept()
    for (const client of clients) await until(client, 'connected')
    expect(clients.map(({ state }) => state.resumed)).toStrictEqual([false, true, true])
  })
})

describe('without a session', () => {
  test.each([
    ['a server that keeps none', { resume: undefined }, {}],
    ['a client that wants none', {}, { resume: false }],
  ])('with %s, what was sent ends with its connection', async (_, serving, options) => {
    const scene = await Scene.open(serving as Partial<Serving>)
    const client = scene.client(options)
    const call = rejection(client.other.wait({ name: 'a' }))
    await polled(() => scene.ran).toStrictEqual(['wait a'])
    expect((await reconnect(scene, client)).resumed).toBe(false)
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
    expect(scene.aborted).toStrictEqual(['a'])
  })
})
