import {
  type ClientSettings,
  createChannel,
  createClient,
  memoryTransportPair,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { afterEach, expect, test, vi } from 'vitest'
import { rejection } from './support/rejection.js'
import { createWorker } from './tabs/worker.js'

/** More than a timer takes: `setTimeout` would fire at once. */
const LONG_MS = 2 ** 40

interface Server {
  echo(params: { value: number }): number
  hold(): never
}

afterEach(() => vi.restoreAllMocks())

/** The longest delay of all timers that `run` has set, in ms. */
async function longestTimer(run: () => Promise<void>): Promise<number> {
  const timeouts = vi.spyOn(globalThis, 'setTimeout')
  const intervals = vi.spyOn(globalThis, 'setInterval')
  await run()
  const calls = [...timeouts.mock.calls, ...intervals.mock.calls]
  return Math.max(...calls.map(([, delay = 0]) => delay))
}

type Options = [ClientSettings, Partial<EndpointOptions<Server, object>>]

test.each<[string, ...Options]>([
  ['connectTimeoutMs', { connectTimeoutMs: LONG_MS }, {}],
  ['timeout', { timeout: LONG_MS }, { timeout: LONG_MS }],
  ['timeout.idle', { timeout: { idle: LONG_MS, total: LONG_MS } }, {}],
  ['heartbeat.intervalMs', { heartbeat: { intervalMs: LONG_MS } }, {}],
  ['heartbeat.timeoutMs', { heartbeat: { intervalMs: 5, timeoutMs: LONG_MS } }, {}],
  ['heartbeat of a server', {}, { heartbeat: { intervalMs: LONG_MS, timeoutMs: LONG_MS } }],
  ['retry', { retry: { minDelayMs: LONG_MS, maxDelayMs: LONG_MS } }, {}],
  ['waitForMount', { waitForMount: LONG_MS }, { waitForMount: LONG_MS }],
  ['handshakeTimeoutMs', {}, { handshakeTimeoutMs: LONG_MS }],
  ['authenticateTimeoutMs', {}, { authenticate: () => 'one', authenticateTimeoutMs: LONG_MS }],
])('a very long %s sets no timer that fires at once', async (_, settings, options) => {
  const held: AbortSignal[] = []
  const longest = await longestTimer(async () => {
    const endpoint = createEndpoint<Server, object>({
      methods: {
        echo: ({ value }) => value,
        hold: (_, { signal }) => {
          held.push(signal)
          return new Promise<never>(() => {})
        },
      },
      logger: false,
      ...options,
    })
    const { port } = await endpoint.listen()
    const client = createClient<Server>({
      url: `ws://127.0.0.1:${port}`,
      logger: false,
      ...settings,
    })
    const left = rejection(client.other.hold())
    for (let value = 0; value < 20; value++) expect(await client.other.echo({ value })).toBe(value)
    expect(held.map(({ aborted }) => aborted)).toEqual([false])
    await endpoint.close({ retryAfterMs: LONG_MS })
    await client.close()
    await left
  })
  expect(longest).toBeLessThan(2 ** 31)
})

test('a very long connectTimeoutMs of a tab sets no timer that fires at once', async () => {
  const longest = await longestTimer(async () => {
    const endpoint = createEndpoint<Server>({
      methods: { echo: ({ value }) => value, hold: () => new Promise<never>(() => {}) },
      logger: false,
    })
    const { port } = await endpoint.listen()
    const tab = createClient<Server>({
      url: `ws://127.0.0.1:${port}`,
      share: createWorker().share,
      connectTimeoutMs: LONG_MS,
      logger: false,
    })
    expect(await tab.other.echo({ value: 1 })).toBe(1)
    await tab.close()
    await endpoint.close()
  })
  expect(longest).toBeLessThan(2 ** 31)
})

test('a very long helloTimeoutMs of a channel sets no timer that fires at once', async () => {
  const longest = await longestTimer(async () => {
    const [here, there] = memoryTransportPair()
    const options = { helloTimeoutMs: LONG_MS, logger: false } as const
    const server = createChannel<Server, object>({
      ...options,
      side: 'server',
      transport: here,
      methods: { echo: ({ value }) => value, hold: () => new Promise<never>(() => {}) },
    })
    const client = createChannel<object, Server>({ ...options, side: 'client', transport: there })
    expect(await client.other.echo({ value: 1 })).toBe(1)
    await client.close()
    await server.close()
  })
  expect(longest).toBeLessThan(2 ** 31)
})
