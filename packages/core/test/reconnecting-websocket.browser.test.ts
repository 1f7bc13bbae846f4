import { createClient } from '@flashrpc/core'
import { fromReconnectingWebSocket } from '@flashrpc/core/reconnecting-websocket'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import type { Control } from '../../../scripts/test-server/control.js'
import { polled } from './support/eventually.js'
import { libraries, libraryNames, partySocket } from './support/reconnecting-sockets.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

const control = createClient<Control>({ url: inject('controlUrl') })
/** Delays that nobody waits for. */
const soon = { minReconnectionDelay: 5, maxReconnectionDelay: 20 }
let port: number
let url: string

beforeEach(async () => {
  ;({ port, url } = await control.other.startProxied({}))
})

afterEach(() => control.other.stop({ port }))

afterAll(() => control.close())

function connect(socket: Parameters<typeof fromReconnectingWebSocket>[0]) {
  return createClient(contract, {
    socket: fromReconnectingWebSocket(socket),
    logger: false,
    methods: { upper: ({ text }) => text.toUpperCase() },
  })
}

test('a page calls a server through a PartySocket, and is called by it', async () => {
  await using client = connect(partySocket(url, soon))
  expect(await client.other.askBack({ text: 'hi' })).toBe('the page says HI')
})

describe.each(libraryNames)('a page with a socket of %s', (name) => {
  const create = libraries[name]

  test('calls its server, is called by it, and reads its streams', async () => {
    await using client = connect(create(url, soon))
    expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
    expect(await client.other.askBack({ text: 'hi' })).toBe('the page says HI')
    const items: number[] = []
    for await (const item of client.other.count({ to: 3 })) items.push(item)
    expect(items).toStrictEqual([1, 2, 3])
  })

  test('goes on with its session after its connection is cut', async () => {
    await using client = connect(create(url, soon))
    await client.connect()
    const { sessionId } = client.state
    for (let cuts = 0; cuts < 2; cuts++) {
      const slow = client.other.slow({ ms: 500 })
      await expect.poll(() => control.other.running({ port })).toBe(1)
      await control.other.cut({ port })
      expect((await until(client, 'reconnecting')).lastError).toMatchObject({ closeCode: 1006 })
      expect(await slow).toBe('done')
      expect(client.state).toMatchObject({ sessionId, resumed: true })
    }
    expect(await control.other.count({ port })).toStrictEqual({ open: 1, ever: 1 })
  })

  test('stops when its credentials are refused', async () => {
    let asked = 0
    const provider = () => Promise.resolve(`${url}?token=bad&n=${++asked}`)
    await using client = connect(create(provider, soon))
    const { lastError } = await until(client, 'unauthorized')
    expect(lastError).toMatchObject({ closeCode: 4401 })
    expect(lastError?.message).toContain('unknown token')
    // Once more, since they may have been old.
    expect(asked).toBe(2)
  })

  test('finds a server that is stopped and started', async () => {
    const first = await control.other.start({})
    await using client = connect(create(first.url, soon))
    await client.connect()
    await control.other.stop({ port: first.port })
    await polled(() => client.state.attempt).toBeGreaterThan(1)
    expect(client.state).toMatchObject({ status: 'reconnecting', retryAt: null })
    const waiting = client.other.add({ a: 1, b: 2 })
    await control.other.start({ port: first.port })
    expect(await waiting).toBe(3)
    await control.other.stop({ port: first.port })
  })

  test('stops when the application closes the socket, and is connected again by connect()', async () => {
    const socket = create(url, soon)
    await using client = connect(socket)
    await client.connect()
    const slow = rejection(client.other.slow({ ms: 60_000 }))
    await expect.poll(() => control.other.running({ port })).toBe(1)
    socket.close()
    expect((await until(client, 'failed')).lastError?.message).toContain('the application closed')
    expect(await slow).toMatchObject({ outcome: 'maybe-executed' })
    await client.connect()
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
  })

  test('goes on with its session when the application has the socket reconnect', async () => {
    const socket = create(url, soon)
    await using client = connect(socket)
    await client.connect()
    const { sessionId } = client.state
    socket.reconnect()
    await until(client, 'reconnecting')
    await client.connect()
    expect(client.state).toMatchObject({ sessionId, resumed: true })
  })

  test('closes the socket with the client', async () => {
    const socket = create(url, soon)
    const client = connect(socket)
    await client.connect()
    await client.close()
    expect(socket.readyState).toBe(3)
    await expect.poll(() => control.other.count({ port })).toMatchObject({ open: 0 })
  })
})
