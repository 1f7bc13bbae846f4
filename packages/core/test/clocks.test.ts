import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type ClientOptions, createClient, RpcTimeoutError } from '@flashrpc/core'
import { memoryResultStore } from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { polled } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'
import { httpServer, refuse } from './support/http-server.js'
import { rejection } from './support/rejection.js'
import type { Heard, Till, Told } from './support/stepped-process.js'
import { until } from './support/until.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const idempotencyKey = 'order-17'
/** How far a clock is set. */
const steps: [string, number][] = [
  ['61 minutes on', 61 * MINUTE_MS],
  ['61 minutes back', -61 * MINUTE_MS],
  ['a day on', 24 * HOUR_MS],
  ['a day back', -24 * HOUR_MS],
]

const opened: (() => unknown)[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server in a process of its own, whose wall clock is set, and a proxy in front of it. */
class Scene {
  readonly charged: string[] = []
  /** The reasons with which signals of calls were aborted there. */
  readonly late: string[] = []
  /** The close codes of the channels that ended there. */
  readonly ended: number[] = []
  readonly proxy: FaultProxy
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, proxy: FaultProxy) {
    this.#child = child
    this.proxy = proxy
    child.on('message', (heard: Heard) => {
      if ('charged' in heard) this.charged.push(heard.charged)
      if ('late' in heard) this.late.push(heard.late)
      if ('ended' in heard) this.ended.push(heard.ended)
    })
  }

  static async open({
    ttlMs = HOUR_MS,
    windowMs,
  }: {
    ttlMs?: number
    windowMs?: number
  } = {}): Promise<Scene> {
    const args = [ttlMs, windowMs].filter((arg) => arg !== undefined).map(String)
    const child = forkProgram(new URL('./support/stepped-process.ts', import.meta.url), { args })
    opened.push(async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    const proxy = await createFaultProxy({ port: Number(new URL(url).port) })
    opened.push(() => proxy.close())
    return new Scene(child, proxy)
  }

  client(options: Partial<ClientOptions<Record<never, never>, Till>> = {}) {
    const client = createClient<Till>({
      url: this.proxy.url(),
      retry: { minDelayMs: 5, maxDelayMs: 20 },
      ...options,
    } as ClientOptions<Record<never, never>, Till>)
    opened.push(() => client.close())
    return client
  }

  /** Sets the server's clock. */
  async step(ms: number): Promise<void> {
    const told: Told = { step: ms }
    this.#child.send(told)
    for (;;) {
      const [heard] = (await once(this.#child, 'message')) as [Heard]
      if ('stepped' in heard) return
    }
  }
}

/** Sets the clock of this process, where the clients are. */
function stepHere(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describe.each([
  ['with sessions', { windowMs: 100 }],
  ['without sessions', {}],
])('a call with a key whose answer is lost, %s,', (_, options) => {
  test.each(steps)('runs once when the server’s clock is set %s', async (_, ms) => {
    const scene = await Scene.open(options)
    const client = scene.client()
    const call = client.other.charge({ order: 'a', ms: 50 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual(['a'])
    scene.proxy.refuse()
    scene.proxy.cut()
    // The call has been answered by then, and the session is over.
    await pause(200)
    await scene.step(ms)
    scene.proxy.accept()
    expect(await call).toBe('receipt of a')
    expect(await scene.client().other.charge({ order: 'a', ms: 50 }, { idempotencyKey })).toBe(
      'receipt of a',
    )
    expect(scene.charged).toStrictEqual(['a'])
  })
})

describe('a client', () => {
  test.each<[string, number, 'sent again' | 'maybe-executed']>([
    // Its machine may have slept for that time, so the server may have forgotten the key.
    ['61 minutes on', 61 * MINUTE_MS, 'maybe-executed'],
    ['a day on', 24 * HOUR_MS, 'maybe-executed'],
    ['61 minutes back', -61 * MINUTE_MS, 'sent again'],
    ['a day back', -24 * HOUR_MS, 'sent again'],
  ])('whose clock is set %s makes no call run twice', async (_, ms, end) => {
    const scene = await Scene.open()
    const client = scene.client()
    const call = client.other.charge({ order: 'a', ms: 50 }, { idempotencyKey })
    const ended = call.catch((error: unknown) => error)
    await polled(() => scene.charged).toStrictEqual(['a'])
    stepHere(ms)
    scene.proxy.cut()
    if (end === 'sent again') expect(await ended).toBe('receipt of a')
    else expect(await ended).toMatchObject({ name: 'RpcDisconnectedError', outcome: end })
    expect(scene.charged).toStrictEqual(['a'])
  })

  test('whose clock is set back does not trust a server’s results for longer', async () => {
    const scene = await Scene.open({ ttlMs: 400 })
    const client = scene.client()
    await client.connect()
    scene.proxy.stall({ down: true })
    const call = rejection(client.other.charge({ order: 'a' }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual(['a'])
    stepHere(-HOUR_MS)
    await pause(500)
    scene.proxy.cut()
    scene.proxy.heal()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    expect(scene.charged).toStrictEqual(['a'])
  })
})

describe('memoryResultStore', () => {
  test('keeps an answer until both clocks say that its time is over', async () => {
    const store = memoryResultStore({ ttlMs: 60 })
    await store.begin('a', 'print')
    await store.finish('a', 'answer')
    stepHere(HOUR_MS)
    expect(await store.begin('a', 'print')).toMatchObject({ state: 'done' })
    stepHere(-2 * HOUR_MS)
    await pause(100)
    expect(await store.begin('a', 'print')).toMatchObject({ state: 'done' })
    stepHere(2 * HOUR_MS)
    expect(await store.begin('a', 'print')).toStrictEqual({ state: 'new' })
  })

  test('whose clock is set back a year is not full for a year', async () => {
    const store = memoryResultStore({ ttlMs: 60, maxEntries: 2 })
    for (const key of ['a', 'b']) {
      await store.begin(key, 'print')
      await store.finish(key, 'answer')
    }
    stepHere(-365 * 24 * HOUR_MS)
    expect(() => store.begin('c', 'print')).toThrow(/full/)
    await pause(100)
    expect(await store.begin('c', 'print')).toStrictEqual({ state: 'new' })
  })
})

describe('a deadline', () => {
  test.each(steps)('comes as it was told when the clocks are set %s', async (_, ms) => {
    const scene = await Scene.open()
    const client = scene.client()
    await client.connect()
    const begin = performance.now()
    const late = rejection(client.other.charge({ order: 'a', ms: 3_000 }, { timeout: 400 }))
    const watching = client.other.watch({}, { timeout: 2_000 })
    await polled(() => scene.charged).toStrictEqual(['a'])
    await scene.step(ms)
    stepHere(ms)
    expect(await watching).toBeGreaterThan(1_000)
    expect(await late).toBeInstanceOf(RpcTimeoutError)
    expect(performance.now() - begin).toBeGreaterThan(390)
    expect(performance.now() - begin).toBeLessThan(2_500)
    expect(scene.late).toStrictEqual([])
    expect(client.state.status).toBe('connected')
  })
})

describe('a session', () => {
  test.each(steps)('goes on in its window when the clocks are set %s', async (_, ms) => {
    const scene = await Scene.open({ windowMs: 20_000 })
    const client = scene.client()
    const call = client.other.charge({ order: 'a', ms: 200 })
    await polled(() => scene.charged).toStrictEqual(['a'])
    scene.proxy.refuse()
    scene.proxy.cut()
    await scene.step(ms)
    stepHere(ms)
    scene.proxy.accept()
    expect(await call).toBe('receipt of a')
    expect(client.state.resumed).toBe(true)
    expect(scene.charged).toStrictEqual(['a'])
  })

  test.each(steps)('ends after its window when the server’s clock is set %s', async (_, ms) => {
    const scene = await Scene.open({ windowMs: 100 })
    const client = scene.client()
    await client.connect()
    scene.proxy.refuse()
    scene.proxy.cut()
    await scene.step(ms)
    await pause(300)
    scene.proxy.accept()
    await until(client, 'connected')
    expect(client.state.resumed).toBe(false)
  })
})

describe('credentials', () => {
  test.each<[string, 'ends' | 'goes on', number]>([
    ['61 minutes on', 'ends', 61 * MINUTE_MS],
    ['a day on', 'ends', 24 * HOUR_MS],
    ['61 minutes back', 'goes on', -61 * MINUTE_MS],
    ['a day back', 'goes on', -24 * HOUR_MS],
  ])('of an hour, where the clock is set %s: the connection %s', async (_, what, ms) => {
    const scene = await Scene.open({ windowMs: 20_000 })
    const client = scene.client({ url: `${scene.proxy.url()}?for=${HOUR_MS}` })
    await client.connect()
    await scene.step(ms)
    if (what === 'ends') {
      await until(client, 'unauthorized')
      expect(scene.ended).toStrictEqual([4401])
      return
    }
    await pause(1_500)
    expect(await client.other.whoAmI({})).toBe(HOUR_MS)
    expect(scene.ended).toStrictEqual([])
  })

  test.each(steps)('end after their time, where the clock is set %s', async (_, ms) => {
    const scene = await Scene.open({ windowMs: 20_000 })
    const client = scene.client({ url: `${scene.proxy.url()}?for=1200` })
    await client.connect()
    await scene.step(ms)
    await until(client, 'unauthorized')
    expect(scene.ended).toStrictEqual([4401])
  })
})

describe('Retry-After', () => {
  test.each(steps)(
    'as a date is told by the server’s clock, where this one is set %s',
    async (_, ms) => {
      const now = Date.now()
      const date = new Date(now).toUTCString()
      const later = new Date(now + 3_000).toUTCString()
      await using server = await httpServer(
        refuse('503 Service Unavailable', `Date: ${date}\r\nRetry-After: ${later}`),
      )
      stepHere(ms)
      const client = createClient<Till>({
        url: server.url,
        retry: { minDelayMs: 1, maxDelayMs: 1 },
      })
      opened.push(() => client.close())
      const { retryAt } = await until(client, 'reconnecting')
      const waitMs = (retryAt as number) - Date.now()
      expect(waitMs).toBeGreaterThan(2_000)
      expect(waitMs).toBeLessThanOrEqual(3_001)
      expect(server.upgrades).toBe(1)
    },
  )

  test.each(steps)('is waited for when the clock is set %s meanwhile', async (_, ms) => {
    await using server = await httpServer(refuse('503 Service Unavailable', 'Retry-After: 1'))
    const client = createClient<Till>({ url: server.url, retry: { minDelayMs: 1, maxDelayMs: 1 } })
    opened.push(() => client.close())
    const begin = performance.now()
    await until(client, 'reconnecting')
    stepHere(ms)
    await polled(() => server.upgrades).toBe(2)
    expect(performance.now() - begin).toBeGreaterThan(990)
  })
})
