import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ClientOptions,
  createChannel,
  createClient,
  defineContract,
  ErrorCode,
  memoryTransportPair,
  method,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcUncertainError,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type IdempotencyOptions,
  memoryResultStore,
  type ResultStore,
} from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Point, Till } from './support/charging-process.js'
import { polled } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

interface Server {
  /** Ends when the test says so. */
  charge(params: { cents: number }): string
  echo(params: { value: unknown }): unknown
  refuse(params: { cents: number }): never
  note(params: { n: number }): void
}
type Serving = EndpointOptions<Server, Record<never, never>>

/** Tries again soon, so that tests are quick. */
const retry = { minDelayMs: 5, maxDelayMs: 20 }
const idempotencyKey = 'order-17'
const levels: [string, Partial<Serving>][] = [
  ['with sessions', { resume: {} }],
  ['without sessions', {}],
]

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server, a proxy in front of it, and what was run. */
class Scene {
  endpoint!: Endpoint<Server, Record<never, never>>
  proxy!: FaultProxy
  /** Every charge that was made, by whichever server. */
  readonly charged: number[] = []
  readonly aborted: unknown[] = []
  readonly errors: unknown[] = []
  readonly #options: Partial<Serving>
  #finish: ((value: string) => void)[] = []

  private constructor(options: Partial<Serving>) {
    this.#options = options
  }

  static async open(
    idempotency: Partial<IdempotencyOptions> = {},
    options: Partial<Serving> = {},
  ): Promise<Scene> {
    const scene = new Scene({
      ...options,
      idempotency: { store: memoryResultStore(), ...idempotency },
    })
    scene.proxy = await createFaultProxy({ port: await scene.serve() })
    opened.push(() => scene.proxy.close())
    return scene
  }

  /** Starts a server; another one than before may have other options. */
  async serve(options: { idempotency?: IdempotencyOptions | undefined } = {}): Promise<number> {
    const endpoint = createEndpoint<Server, Record<never, never>>({
      onError: [(_, error) => this.errors.push(error)],
      ...this.#options,
      ...(options as Partial<Serving>),
      methods: {
        charge: ({ cents }, { signal }) => {
          this.charged.push(cents)
          return new Promise((resolve, reject) => {
            this.#finish.push(resolve)
            signal.addEventListener('abort', () => {
              this.aborted.push(signal.reason)
              reject(signal.reason)
            })
          })
        },
        echo: ({ value }) => value,
        refuse: ({ cents }) => {
          this.charged.push(cents)
          throw new RpcError(4002, 'No money', { cents })
        },
        note: () => {},
      },
    })
    this.endpoint = endpoint
    opened.push(() => endpoint.close())
    return (await endpoint.listen()).port
  }

  client(options: Partial<ClientOptions<Record<never, never>, Server>> = {}) {
    const client = createClient<Server>({
      url: this.proxy.url(),
      retry,
      ...options,
    } as ClientOptions<Record<never, never>, Server>)
    opened.push(() => client.close())
    return client
  }

  /** Ends the charges that run. */
  finish(value = 'paid'): void {
    for (const resolve of this.#finish.splice(0)) resolve(value)
  }
}

describe.each(levels)('a key, %s,', (_, level) => {
  test('makes a call that is made again get the same result, and not run again', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client()
    const first = client.other.charge({ cents: 500 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([500])
    scene.finish()
    expect(await first).toBe('paid')
    expect(await client.other.charge({ cents: 500 }, { idempotencyKey })).toBe('paid')
    expect(await scene.client().other.charge({ cents: 500 }, { idempotencyKey })).toBe('paid')
    expect(scene.charged).toStrictEqual([500])
  })

  test('joins a call that runs', async () => {
    const scene = await Scene.open({}, level)
    const calls = [scene.client(), scene.client()].flatMap((client) => [
      client.other.charge({ cents: 500 }, { idempotencyKey }),
      client.other.charge({ cents: 500 }, { idempotencyKey }),
    ])
    await polled(() => [...scene.endpoint.channels].map(({ running }) => running)).toStrictEqual([
      2, 2,
    ])
    scene.finish()
    expect(await Promise.all(calls)).toStrictEqual(['paid', 'paid', 'paid', 'paid'])
    expect(scene.charged).toStrictEqual([500])
  })

  test('carries a call over a lost connection, to the run that goes on', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client()
    const call = client.other.charge({ cents: 500 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([500])
    const down = until(client, 'reconnecting')
    scene.proxy.cut()
    await down
    await until(client, 'connected')
    scene.finish()
    expect(await call).toBe('paid')
    expect(scene.charged).toStrictEqual([500])
    expect(scene.aborted).toStrictEqual([])
  })

  test('carries calls over many cuts at any byte, each run once', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client()
    let cents = 0
    for (let round = 0; round < 15; round++) {
      await until(client, 'connected')
      const calls = Array.from({ length: 4 }, () => {
        const call = { cents: cents++, key: `${round} ${cents}` }
        return client.other.charge({ cents: call.cents }, { idempotencyKey: call.key })
      })
      scene.proxy.cutAfter({ up: 60 + round * 31, once: true })
      const finishing = setInterval(() => scene.finish(), 2)
      const ended = await Promise.allSettled(calls)
      clearInterval(finishing)
      scene.proxy.heal()
      for (const one of ended) {
        // What the tokens do not last for says that it may have run, or that it has not.
        if (one.status === 'fulfilled') expect(one.value).toBe('paid')
        else expect(one.reason).toBeInstanceOf(RpcDisconnectedError)
      }
      // The calls that earn tokens for the next round.
      const echoes = Array.from({ length: 50 }, (_, n) => client.other.echo({ value: n }))
      await Promise.all(echoes)
    }
    expect(new Set(scene.charged).size).toBe(scene.charged.length)
    expect(scene.charged.length).toBeGreaterThan(40)
  })

  test('sends a call again ahead of what waits, in its order', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client({ resume: false })
    const first = client.other.charge({ cents: 1 }, { idempotencyKey: 'a' })
    await polled(() => scene.charged).toStrictEqual([1])
    const second = client.other.charge({ cents: 2 }, { idempotencyKey: 'b' })
    await polled(() => scene.charged).toStrictEqual([1, 2])
    scene.proxy.refuse()
    const down = until(client, 'reconnecting')
    scene.proxy.cut()
    await down
    expect(client.state).toMatchObject({ queued: 2, inFlight: 0 })
    const third = client.other.charge({ cents: 3 }, { idempotencyKey: 'c' })
    scene.proxy.accept()
    await polled(() => scene.charged).toStrictEqual([1, 2, 3])
    scene.finish()
    expect(await Promise.all([first, second, third])).toStrictEqual(['paid', 'paid', 'paid'])
  })

  test('lets a call that was cut off go on at another server that shares the store', async () => {
    const store = memoryResultStore()
    const scene = await Scene.open({ store }, level)
    const client = scene.client()
    const call = client.other.charge({ cents: 500 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([500])
    // The first one lives on, and runs the call.
    scene.proxy.retarget({ port: await scene.serve() })
    const down = until(client, 'reconnecting')
    scene.proxy.cut()
    await down
    await until(client, 'connected')
    await polled(() => client.state.inFlight).toBe(1)
    scene.finish()
    expect(await call).toBe('paid')
    expect(scene.charged).toStrictEqual([500])
  })

  test('never sends a call again to a server that has other results', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client()
    const call = rejection(client.other.charge({ cents: 500 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([500])
    scene.proxy.retarget({
      port: await scene.serve({ idempotency: { store: memoryResultStore() } }),
    })
    scene.proxy.cut()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    expect(scene.charged).toStrictEqual([500])
    // What was not sent before goes there as to any.
    const next = client.other.charge({ cents: 1 }, { idempotencyKey: 'another' })
    await polled(() => scene.charged).toStrictEqual([500, 1])
    scene.finish()
    expect(await next).toBe('paid')
  })

  test('never sends a call again to a server that keeps none', async () => {
    const scene = await Scene.open({}, level)
    const client = scene.client()
    const call = rejection(client.other.charge({ cents: 500 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([500])
    const { proxy } = scene
    proxy.retarget({ port: await scene.serve({ idempotency: undefined }) })
    proxy.cut()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    const fresh = await rejection(client.other.charge({ cents: 1 }, { idempotencyKey: 'b' }))
    expect(fresh).toBeInstanceOf(RpcConfigError)
    expect(scene.charged).toStrictEqual([500])
  })
})

describe('a key', () => {
  test('keeps an error that the handler answered', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    for (let time = 0; time < 2; time++) {
      expect(await rejection(client.other.refuse({ cents: 7 }, { idempotencyKey }))).toMatchObject({
        name: 'RpcError',
        code: 4002,
        message: 'No money',
        data: { cents: 7 },
      })
    }
    expect(scene.charged).toStrictEqual([7])
  })

  test.each([
    ['JSON', {}],
    ['MessagePack', { codec: msgpackCodec }],
  ])('keeps all that a result can hold, in %s', async (_, format) => {
    const scene = await Scene.open({}, format)
    const client = scene.client(format)
    const value = {
      bytes: new Uint8Array([1, 2, 3]),
      more: [new Uint8Array(0)],
      text: 'é',
      no: null,
    }
    for (let time = 0; time < 2; time++) {
      expect(await client.other.echo({ value }, { idempotencyKey })).toStrictEqual(value)
    }
  })

  test('goes with bytes in one rpc member', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({ url: server.url, retry })
    opened.push(() => client.close())
    const call = rejection(client.other.echo({ value: new Uint8Array([9]) }, { idempotencyKey }))
    const peer = await server.acceptExtended({ bytes: true, keys: { store: 'a', ttlMs: 1000 } })
    expect(await peer.next()).toBe(
      '{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":null},"rpc":{"key":"order-17","bytes":[{"at":["params","value"],"size":1}]}}',
    )
    await client.close()
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
  })

  test.each<[string, (scene: Scene) => Promise<unknown>]>([
    ['another method', (scene) => scene.client().other.refuse({ cents: 5 }, { idempotencyKey })],
    ['other params', (scene) => scene.client().other.charge({ cents: 6 }, { idempotencyKey })],
  ])('that comes again with %s is refused, running or done', async (_, again) => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = client.other.charge({ cents: 5 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([5])
    expect(await rejection(again(scene))).toMatchObject({ code: ErrorCode.keyReused })
    scene.finish()
    expect(await call).toBe('paid')
    expect(await rejection(again(scene))).toMatchObject({ code: ErrorCode.keyReused })
    expect(scene.charged).toStrictEqual([5])
  })

  test('knows params in whatever order their members come', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const first = { value: { a: 1, b: [{ c: 2, d: 3 }] } }
    const same = { value: { b: [{ d: 3, c: 2 }], a: 1 } }
    const other = { value: { a: 1, b: [{ c: 3, d: 2 }] } }
    await client.other.echo(first, { idempotencyKey })
    expect(await client.other.echo(same, { idempotencyKey })).toStrictEqual(first.value)
    expect(await rejection(client.other.echo(other, { idempotencyKey }))).toMatchObject({
      code: ErrorCode.keyReused,
    })
  })

  test('leaves no record where the call is refused before its handler runs', async () => {
    const contract = defineContract({
      server: {
        add: method({ params: z.object({ a: z.number() }), result: z.number() }),
        secret: method({ result: z.string() }),
      },
    })
    let isAllowed = false
    const store = memoryResultStore({ maxEntries: 1 })
    const endpoint = createEndpoint(contract, {
      idempotency: { store },
      authorize: (name) => name !== 'secret' || isAllowed,
      methods: { add: ({ a }) => a, secret: () => 'it' },
    })
    opened.push(() => endpoint.close())
    const client = createClient(contract, { url: (await endpoint.listen()).url, retry })
    opened.push(() => client.close())
    const wrong = { a: 'x' } as unknown as { a: number }
    const code = async (call: Promise<unknown>) => ((await rejection(call)) as RpcError).code
    expect(await code(client.other.add(wrong, { idempotencyKey }))).toBe(ErrorCode.invalidParams)
    expect(await code(client.other.secret(undefined, { idempotencyKey }))).toBe(
      ErrorCode.unauthorized,
    )
    isAllowed = true
    expect(await client.other.secret(undefined, { idempotencyKey })).toBe('it')
    // Who may not call any more does not get what was kept, either.
    isAllowed = false
    expect(await code(client.other.secret(undefined, { idempotencyKey }))).toBe(
      ErrorCode.unauthorized,
    )
  })

  test('of one user never yields the result of another', async () => {
    const scene = await Scene.open(
      { scope: (identity) => identity as string },
      { authenticate: (request) => request.headers['x-user'] },
    )
    const ann = scene.client({ headers: { 'x-user': 'ann' } })
    const bob = scene.client({ headers: { 'x-user': 'bob' } })
    expect(await ann.other.echo({ value: 1 }, { idempotencyKey })).toBe(1)
    expect(await bob.other.echo({ value: 2 }, { idempotencyKey })).toBe(2)
    expect(await ann.other.echo({ value: 1 }, { idempotencyKey })).toBe(1)
  })

  test('is not sent again by a client that has become another user', async () => {
    const scene = await Scene.open(
      { scope: (identity) => identity as string },
      { authenticate: (request) => request.headers['x-user'] },
    )
    const users = ['ann', 'bob']
    const client = scene.client({ headers: () => ({ 'x-user': users.shift() ?? 'bob' }) })
    const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([1])
    scene.proxy.cut()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    expect(scene.charged).toStrictEqual([1])
  })

  test('is not sent again once its result may be forgotten', async () => {
    const scene = await Scene.open({ store: memoryResultStore({ ttlMs: 100 }) })
    const client = scene.client()
    const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([1])
    await new Promise((resolve) => setTimeout(resolve, 60))
    scene.proxy.cut()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    expect(scene.charged).toStrictEqual([1])
  })

  test('that is too old runs anew, when it is asked for by hand', async () => {
    const scene = await Scene.open({ store: memoryResultStore({ ttlMs: 500 }) })
    const client = scene.client()
    const refused = () => rejection(client.other.refuse({ cents: 1 }, { idempotencyKey }))
    await refused()
    await refused()
    expect(scene.charged).toStrictEqual([1])
    await new Promise((resolve) => setTimeout(resolve, 600))
    await refused()
    expect(scene.charged).toStrictEqual([1, 1])
  })

  test('whose answer is too large to be kept is answered once, and is uncertain from then on', async () => {
    const scene = await Scene.open({ maxAnswerLength: 1_000 })
    const client = scene.client()
    const value = 'x'.repeat(2_000)
    expect(await client.other.echo({ value }, { idempotencyKey })).toBe(value)
    const error = await rejection(client.other.echo({ value }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcUncertainError)
    expect(error).toMatchObject({ code: -32005, outcome: 'maybe-executed', method: 'echo' })
  })

  test('is refused where the store is full, and the call has not run', async () => {
    const scene = await Scene.open({ store: memoryResultStore({ maxEntries: 1 }) })
    const client = scene.client()
    await client.other.echo({ value: 1 }, { idempotencyKey })
    const error = await rejection(client.other.echo({ value: 1 }, { idempotencyKey: 'b' }))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(error).toMatchObject({ outcome: 'not-received' })
    expect(await client.other.echo({ value: 1 }, { idempotencyKey })).toBe(1)
    expect(scene.errors).toMatchObject([{ code: ErrorCode.overloaded }])
  })

  test('that can’t be recorded runs nothing; an answer that can’t is known to this process', async () => {
    const memory = memoryResultStore()
    let failing: 'begin' | 'finish' | undefined = 'begin'
    const fail = () => {
      throw new Error('The disk is full')
    }
    const store: ResultStore = {
      id: memory.id,
      ttlMs: memory.ttlMs,
      begin: (...args) => (failing === 'begin' ? fail() : memory.begin(...args)),
      finish: (...args) => (failing === 'finish' ? fail() : memory.finish(...args)),
    }
    const scene = await Scene.open({ store })
    const client = scene.client()
    const refused = () => rejection(client.other.refuse({ cents: 1 }, { idempotencyKey }))
    const error = await refused()
    expect(error).toMatchObject({ code: ErrorCode.disconnected, outcome: 'not-received' })
    expect(String(error)).not.toContain('disk')
    expect(scene.charged).toStrictEqual([])
    failing = 'finish'
    expect(await refused()).toMatchObject({ code: 4002 })
    failing = undefined
    expect(await refused()).toMatchObject({ code: 4002 })
    expect(scene.charged).toStrictEqual([1])
    const told = ['begin', 'finish'].map((part) => ({
      message: `idempotency.store "${memory.id}" failed in ${part}(): The disk is full`,
      cause: { message: 'The disk is full' },
    }))
    expect(scene.errors).toMatchObject(told)
  })

  test('is refused by a server without a store, before anything is sent', async () => {
    const scene = await Scene.open()
    const port = await scene.serve({ idempotency: undefined })
    const client = createClient<Server>({ url: `ws://127.0.0.1:${port}`, retry })
    opened.push(() => client.close())
    const error = await rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcConfigError)
    expect(error).toMatchObject({ method: 'charge' })
    expect(String(error)).toMatch(/"charge" was not sent.*idempotency/)
    // A call that waited for the connection before it knew; nothing else is lost by it.
    expect(await client.other.echo({ value: 1 })).toBe(1)
    await using peer = await rawClient(`ws://127.0.0.1:${port}`)
    peer.send({ jsonrpc: '2.0', id: 1, method: 'refuse', params: { cents: 1 }, rpc: { key: 'a' } })
    expect(await peer.nextJson()).toMatchObject({
      id: 1,
      error: { code: -32600, message: expect.stringContaining('"refuse"') },
      rpc: { ran: false },
    })
    expect(scene.charged).toStrictEqual([])
  })

  test('is refused towards plain peers, ports and clients, which keep no results', async () => {
    await using server = await RawServer.listen()
    const plain = createClient<Server>({ url: server.url, retry })
    opened.push(() => plain.close())
    const call = rejection(plain.other.echo({ value: 1 }, { idempotencyKey }))
    await server.acceptPlain()
    expect(await call).toBeInstanceOf(RpcConfigError)

    const [one, other] = memoryTransportPair()
    await using service = createChannel<Server, Server>({
      side: 'server',
      transport: one,
      methods: { echo: ({ value }) => value },
    })
    await using page = createChannel<Server, Server>({
      side: 'client',
      transport: other,
      methods: { echo: ({ value }) => value },
    })
    for (const { other } of [page, service]) {
      expect(await rejection(other.echo({ value: 1 }, { idempotencyKey }))).toBeInstanceOf(
        RpcConfigError,
      )
      expect(await other.echo({ value: 1 })).toBe(1)
    }
  })

  test.each(['', 'x'.repeat(257), 17, null])(
    'that is %j is refused where it is written',
    async (key) => {
      const scene = await Scene.open()
      const client = scene.client()
      const options = { idempotencyKey: key as string }
      const error = await rejection(client.other.charge({ cents: 1 }, options))
      expect(error).toBeInstanceOf(RpcConfigError)
      expect(String(error)).toContain('"charge"')
      await using peer = await rawClient(scene.proxy.url())
      peer.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: {}, rpc: { key } })
      expect(await peer.nextJson()).toMatchObject({ error: { code: -32600 }, rpc: { ran: false } })
      expect(scene.charged).toStrictEqual([])
    },
  )

  test('of a notification is refused where it is written', async () => {
    const scene = await Scene.open()
    const error = await rejection(scene.client().notify('note', { n: 1 }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcConfigError)
    expect(String(error)).toContain('"note" is a notification')
  })

  test('of a plain client is honoured', async () => {
    const scene = await Scene.open()
    await using peer = await rawClient(scene.proxy.url())
    const call = { jsonrpc: '2.0', method: 'refuse', params: { cents: 1 }, rpc: { key: 'a' } }
    peer.send({ ...call, id: 'one' })
    peer.send({ ...call, id: 'two' })
    const answers = [await peer.nextJson(), await peer.nextJson()]
    expect(answers.map(({ id, error }) => [id, error.code])).toStrictEqual([
      ['one', 4002],
      ['two', 4002],
    ])
    expect(scene.charged).toStrictEqual([1])
  })
})

describe('a call with a key that was cut off', () => {
  test('ends maybe-executed when it is given up while it waits', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const giveUp = new AbortController()
    const aborted = rejection(
      client.other.charge({ cents: 1 }, { idempotencyKey, signal: giveUp.signal }),
    )
    const timedOut = rejection(
      client.other.charge({ cents: 2 }, { idempotencyKey: 'b', timeout: 300 }),
    )
    const closed = rejection(client.other.charge({ cents: 3 }, { idempotencyKey: 'c' }))
    await polled(() => scene.charged).toStrictEqual([1, 2, 3])
    scene.proxy.refuse()
    const down = until(client, 'reconnecting')
    scene.proxy.cut()
    await down
    giveUp.abort()
    const outcome = 'maybe-executed'
    expect(await aborted).toBeInstanceOf(RpcAbortedError)
    expect(await aborted).toMatchObject({ outcome })
    expect(await timedOut).toBeInstanceOf(RpcTimeoutError)
    expect(await timedOut).toMatchObject({ outcome })
    await client.close()
    expect(await closed).toBeInstanceOf(RpcDisconnectedError)
    expect(await closed).toMatchObject({ outcome })
  })

  test('spends tokens, and ends maybe-executed where there are none', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    const calls = Array.from({ length: 12 }, (_, n) =>
      client.other.charge({ cents: n }, { idempotencyKey: `order ${n}` }),
    )
    const ended = Promise.allSettled(calls)
    await polled(() => scene.charged.length).toBe(12)
    scene.proxy.cut()
    await polled(() => client.state.inFlight).toBe(10)
    scene.finish()
    const states = (await ended).map(({ status }) => status)
    expect(states.filter((status) => status === 'fulfilled')).toHaveLength(10)
    expect(await rejection(calls[11] as Promise<unknown>)).toMatchObject({
      name: 'RpcDisconnectedError',
      outcome: 'maybe-executed',
    })
    expect(scene.charged).toHaveLength(12)
  })

  test('is uncertain where it is refused when it is asked for again', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({ url: server.url, retry })
    opened.push(() => client.close())
    const call = rejection(client.other.echo({ value: 1 }, { idempotencyKey }))
    const keys = { store: 'a', ttlMs: 60_000 }
    const first = await server.acceptExtended({ keys })
    expect(await first.nextJson()).toMatchObject({ id: 1, rpc: { key: idempotencyKey } })
    first.socket.terminate()
    const second = await server.acceptExtended({ keys })
    const { id } = await second.nextJson()
    const error = { code: -32003, message: 'Too many calls run' }
    second.send({ jsonrpc: '2.0', id, error, rpc: { ran: false } })
    expect(await call).toBeInstanceOf(RpcUncertainError)
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
  })

  test('ends maybe-executed where the next server takes no message of its size', async () => {
    await using server = await RawServer.listen()
    const client = createClient<Server>({ url: server.url, retry })
    opened.push(() => client.close())
    const call = rejection(client.other.echo({ value: 'x'.repeat(500) }, { idempotencyKey }))
    const keys = { store: 'a', ttlMs: 60_000 }
    const first = await server.acceptExtended({ keys })
    await first.next()
    first.socket.terminate()
    await server.acceptExtended({ keys, limits: { msg: 400 } })
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
  })

  test('goes to the next server when the first one leaves, at no cost', async () => {
    const store = memoryResultStore()
    const scene = await Scene.open({ store })
    const client = scene.client()
    const calls = Array.from({ length: 15 }, (_, n) =>
      client.other.echo({ value: n }, { idempotencyKey: `order ${n}` }),
    )
    await Promise.all(calls)
    const before = scene.endpoint
    const call = client.other.charge({ cents: 1 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([1])
    scene.proxy.retarget({ port: await scene.serve() })
    await before.close()
    // Its signal aborted: how far it came is not known.
    expect(await rejection(call)).toBeInstanceOf(RpcUncertainError)
    expect(scene.charged).toStrictEqual([1])
  })
})

describe('the signal of a handler that runs for a key', () => {
  test('aborts when the last of those who wait has cancelled, which leaves the key uncertain', async () => {
    const scene = await Scene.open()
    const giveUp = [new AbortController(), new AbortController()]
    const calls = giveUp.map(({ signal }) =>
      rejection(scene.client().other.charge({ cents: 1 }, { idempotencyKey, signal })),
    )
    await polled(() => [...scene.endpoint.channels].map(({ running }) => running)).toStrictEqual([
      1, 1,
    ])
    giveUp[0]?.abort()
    expect(await calls[0]).toBeInstanceOf(RpcAbortedError)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(scene.aborted).toStrictEqual([])
    giveUp[1]?.abort()
    await polled(() => scene.aborted.length).toBe(1)
    const again = scene.client().other.charge({ cents: 1 }, { idempotencyKey })
    expect(await rejection(again)).toBeInstanceOf(RpcUncertainError)
    expect(scene.charged).toStrictEqual([1])
  })

  test('aborts when all of them have been gone for a while', async () => {
    const scene = await Scene.open({ graceMs: 50 })
    const client = scene.client()
    const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([1])
    await client.close()
    await polled(() => scene.aborted).toMatchObject([{ name: 'RpcDisconnectedError' }])
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
  })

  test('aborts when the endpoint closes, which waits for it as long as it was told', async () => {
    const scene = await Scene.open()
    const client = scene.client()
    void rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([1])
    await client.close()
    const closed = scene.endpoint.close({ drain: 60_000 })
    scene.finish()
    await closed
    expect(scene.aborted).toStrictEqual([])

    const other = await Scene.open()
    const stays = other.client()
    void rejection(stays.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => other.charged).toStrictEqual([1])
    await other.endpoint.close()
    expect(other.aborted).toHaveLength(1)
  })
})

describe('the option idempotency', () => {
  const store = memoryResultStore()

  test.each<[string, unknown, RegExp]>([
    ['is no object', 7, /idempotency takes an object of options/],
    ['has no store', {}, /idempotency\.store must be a ResultStore/],
    ['has a store that is none', { store: { id: 'a', ttlMs: 5 } }, /idempotency\.store/],
    ['has no scope, with authenticate', { store }, /idempotency\.scope is missing.*userId/],
    ['has a scope that is none', { store, scope: 'a' }, /idempotency: scope must be a function/],
    ['has no length', { store, scope: String, maxAnswerLength: 0 }, /maxAnswerLength/],
    ['has no time', { store, scope: String, graceMs: -1 }, /graceMs/],
  ])('that %s is refused', (_, idempotency, message) => {
    const make = () =>
      createEndpoint<{ ping(): string }>({
        authenticate: () => 'ann',
        idempotency: idempotency as IdempotencyOptions<unknown>,
        methods: { ping: () => 'pong' },
      })
    expect(make).toThrow(RpcConfigError)
    expect(make).toThrow(message)
  })

  test.each(['ttlMs', 'maxEntries', 'maxBytes'])('memoryResultStore refuses a wrong %s', (name) => {
    expect(() => memoryResultStore({ [name]: 0 })).toThrow(new RegExp(name))
  })

  test('lets nobody in whose scope can’t be told', async () => {
    const logged: unknown[] = []
    const log = (...args: unknown[]) => logged.push(args)
    const scene = await Scene.open(
      {
        scope: () => {
          throw new Error('Who?')
        },
      },
      { logger: { debug: log, warn: log, error: log } },
    )
    const client = scene.client()
    await until(client, 'reconnecting')
    await polled(() => client.state.lastError).toMatchObject({ closeCode: 1011 })
    expect(JSON.stringify(logged)).toContain('Who?')
  })
})

// ── Processes that die ────────────────────────────────────────────────────────────────────────────

/** A server process with a store on the disk, which dies where it is told to. */
class Shop implements AsyncDisposable {
  readonly folder: string
  readonly #mode: string
  /** At which points the process is killed, each once. */
  readonly #deaths: Point[] = []
  #child: ChildProcess | undefined
  #port = 0
  #isOver = false
  restarts = 0

  constructor(folder: string, mode: string) {
    this.folder = folder
    this.#mode = mode
  }

  static async open(mode: string): Promise<Shop> {
    const shop = new Shop(await mkdtemp(join(tmpdir(), 'flashrpc-shop-')), mode)
    await shop.#start()
    return shop
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Kills it, wherever it is. */
  kill(): void {
    if (this.#child) this.#die(this.#child)
  }

  dieAt(point: Point): void {
    this.#deaths.push(point)
  }

  async charges(): Promise<string[]> {
    const text = await readFile(join(this.folder, 'charges'), 'utf8').catch(() => '')
    return text.split('\n').filter(Boolean)
  }

  async #start(): Promise<void> {
    const child = forkProgram(new URL('./support/charging-process.ts', import.meta.url), {
      args: [this.folder, String(this.#port), this.#mode],
    })
    this.#child = child
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    this.#port = Number(new URL(url).port)
    child.on('message', (point: Point) => this.#reached(child, point))
  }

  #reached(child: ChildProcess, point: Point): void {
    const at = this.#deaths.indexOf(point)
    if (at < 0) return void (child.connected && child.send('go on', () => {}))
    this.#deaths.splice(at, 1)
    this.#die(child)
  }

  #die(child: ChildProcess): void {
    child.kill('SIGKILL')
    child.once('exit', () => {
      if (this.#isOver) return
      this.restarts++
      void this.#start()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(this.folder, { recursive: true })
  }
}

describe.each([
  ['with sessions', 'resume'],
  ['without sessions', 'plain'],
])('a server that is killed, and restarted with its store, %s,', (_, mode) => {
  test.each<[string, Point, 'answered' | 'uncertain', number]>([
    ['before the call is recorded: it runs', 'before-record', 'answered', 1],
    ['after that: it is not run again, and may have run', 'recorded', 'uncertain', 0],
    ['after the charge: it is not run again, and may have run', 'charged', 'uncertain', 1],
    ['after its answer is recorded: that is the answer', 'answer-recorded', 'answered', 1],
  ])(
    '%s',
    async (_, point, ending, charges) => {
      await using shop = await Shop.open(mode)
      await using client = createClient<Till>({ url: () => shop.url, retry })
      await client.connect()
      shop.dieAt(point)
      const call = client.other.charge({ order: 'a' }, { idempotencyKey, timeout: 20_000 })
      if (ending === 'answered') expect(await call).toBe('receipt of a')
      else expect(await rejection(call)).toBeInstanceOf(RpcUncertainError)
      expect(shop.restarts).toBe(1)
      expect(await shop.charges()).toHaveLength(charges)
      // By hand, it is no different.
      const again = client.other.charge({ order: 'a' }, { idempotencyKey })
      if (ending === 'answered') expect(await again).toBe('receipt of a')
      else expect(await rejection(again)).toBeInstanceOf(RpcUncertainError)
      expect(await shop.charges()).toHaveLength(charges)
      // The next order is a new one.
      expect(await client.other.charge({ order: 'b' }, { idempotencyKey: 'b' })).toBe(
        'receipt of b',
      )
    },
    30_000,
  )

  test('at any moment, has charged no order twice, and each that it answered once', async () => {
    await using shop = await Shop.open(mode)
    await using client = createClient<Till>({ url: () => shop.url, retry })
    await client.connect()
    const answered: string[] = []
    const uncertain: string[] = []
    const isOver = () => answered.length + uncertain.length >= 80
    const customer = async (name: string) => {
      for (let n = 0; n < 20; n++) {
        const order = `${name}-${n}`
        const options = { idempotencyKey: order, timeout: 20_000 }
        await client.other.charge({ order }, options).then(
          () => answered.push(order),
          (error) => {
            expect(error).toBeInstanceOf(RpcUncertainError)
            uncertain.push(order)
          },
        )
      }
    }
    // So many that the tokens last for all that each death cuts off.
    const shopping = Promise.all(['ann', 'bob', 'cleo', 'dan'].map(customer))
    for (const after of [10, 30, 50]) {
      await polled(() => answered.length).toBeGreaterThan(after)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      if (isOver()) break
      const { restarts } = shop
      shop.kill()
      await polled(() => shop.restarts).toBe(restarts + 1)
    }
    await shopping
    expect(shop.restarts).toBeGreaterThan(0)
    expect(answered.length + uncertain.length).toBe(80)
    // One of each customer a death, at the most.
    expect(uncertain.length).toBeLessThanOrEqual(12)
    const charges = await shop.charges()
    expect(new Set(charges).size).toBe(charges.length)
    expect(charges).toStrictEqual(expect.arrayContaining(answered))
  }, 40_000)
})
