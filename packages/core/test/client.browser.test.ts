import { type AnyClient, type ClientStatus, createClient } from '@flashrpc/core'
import { afterAll, afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import type { Control } from '../../../scripts/test-server/control.js'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

const control = createClient<Control>({ url: inject('controlUrl') })
let port: number
let url: string

beforeEach(async () => {
  ;({ port, url } = await control.other.start({}))
})

afterEach(async () => {
  vi.restoreAllMocks()
  await control.other.stop({ port }).catch(() => {})
})

afterAll(() => control.close())

function statusesOf(client: AnyClient): ClientStatus[] {
  const statuses = [client.state.status]
  client.subscribe(({ status }) => {
    if (status !== statuses.at(-1)) statuses.push(status)
  })
  return statuses
}

const soon = { minDelayMs: 10, maxDelayMs: 50 }

test('a page calls a server and is called by it', async () => {
  await using client = createClient(contract, {
    url,
    methods: { upper: ({ text }) => text.toUpperCase() },
  })
  expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
  expect(await client.other.askBack({ text: 'hi' })).toBe('the page says HI')
})

test('a page finds its server again, with one socket', async () => {
  await using client = createClient(contract, { url, retry: soon })
  await client.connect()
  const statuses = statusesOf(client)
  const cut = rejection(client.other.slow({ ms: 1_000 }))
  await client.other.add({ a: 1, b: 1 })
  await control.other.stop({ port })
  expect(await cut).toMatchObject({ outcome: 'maybe-executed', closeCode: 1001 })
  const waiting = client.other.add({ a: 1, b: 2 })
  await control.other.start({ port })
  expect(await waiting).toBe(3)
  expect(statuses).toStrictEqual(['connected', 'reconnecting', 'connected'])
  expect(await control.other.count({ port })).toStrictEqual({ open: 1, ever: 1 })
})

test('a page whose server is down says where it looked, and what may be wrong', async () => {
  await control.other.stop({ port })
  await using client = createClient(contract, { url, retry: { minDelayMs: 600_000 } })
  await vi.waitFor(() => expect(client.state.lastError).not.toBeNull(), { timeout: 10_000 })
  const thrown = await rejection(client.other.add({ a: 1, b: 2 }, { timeout: 1 }))
  expect(thrown).toMatchObject({
    name: 'RpcTimeoutError',
    message: `"add" timed out after 1 ms: never connected (${url}: the connection could not be opened). Is the server running, and does it let pages of ${location.origin} in (allowedOrigins)?`,
    cause: client.state.lastError,
  })
})

test('a page is not told that its own server may not let it in', async () => {
  // Its server speaks no TLS.
  const own = `wss://${location.host}/`
  await using client = createClient(contract, { url: own, retry: { minDelayMs: 600_000 } })
  await vi.waitFor(() => expect(client.state.lastError).not.toBeNull(), { timeout: 10_000 })
  const thrown = await rejection(client.other.add({ a: 1, b: 2 }, { timeout: 1 }))
  expect((thrown as Error).message).toMatch(/Is the server running\?$/)
})

test('a page that has no network says so, and connects at once when it is back', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.99)
  const retry = { minDelayMs: 600_000, maxDelayMs: 600_000 }
  await using client = createClient(contract, { url, retry })
  await client.connect()
  const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
  const statuses = statusesOf(client)
  await control.other.stop({ port })
  await polled(() => client.state.status).toBe('offline')
  await control.other.start({ port })
  onLine.mockReturnValue(true)
  dispatchEvent(new Event('online'))
  await polled(() => client.state.status).toBe('connected')
  expect(statuses).toStrictEqual(['connected', 'offline', 'reconnecting', 'connected'])
})

test('a page that closes its client leaves no socket', async () => {
  for (let n = 0; n < 20; n++) {
    const client = createClient(contract, { url, retry: soon })
    if (n % 2 === 0) await client.connect()
    await client.close()
  }
  await polled(() => control.other.count({ port })).toMatchObject({ open: 0 })
})

test('a page replaces an attempt that it leaves in any turn of its beginning', async () => {
  const silent = await control.other.startSilent({})
  const options = { retry: { minDelayMs: 600_000 }, connectTimeoutMs: 50 }
  const turns = Array.from({ length: 12 }, (_, turn) => turn)
  const clients = await Promise.all(
    turns.map(async (turn) => {
      const client = createClient(contract, { url: silent.url, ...options })
      for (let n = 0; n < turn; n++) await undefined
      client.reconnect()
      return client
    }),
  )
  // Only the attempt that replaces it fails.
  for (const client of clients) {
    await polled(() => client.state.lastError?.message).toContain('no connection within 50 ms')
    await client.close()
  }
  await control.other.stop({ port: silent.port })
})

test('a page is told at once of an address that is none', () => {
  for (const wrong of ['http://127.0.0.1', '/ws', 'ws://127.0.0.1/#x']) {
    expect(() => createClient({ url: wrong })).toThrow(/url/)
  }
})
