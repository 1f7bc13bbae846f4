import { createClient, defineContract, method, notification } from '@flashrpc/core'
import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: {},
  client: {
    confirm: method({ params: z.object({ n: z.number() }), result: z.string() }),
    notify: notification({ params: z.object({ n: z.number() }) }),
  },
})
type Page = ServerChannel<typeof contract.server, typeof contract.client>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Longer than any test: where a wait of it ends, something has ended it. */
const LONG = 60_000

/** A page that nothing is mounted in, and the server's way to it. */
async function open(options: { waitForMount?: number } = {}) {
  const endpoint = createEndpoint(contract, { methods: {} })
  const { url } = await endpoint.listen()
  const errors: unknown[] = []
  const client = createClient(contract, {
    url,
    onError: [(_, error) => errors.push(error)],
    ...options,
  })
  opened.push(
    () => endpoint.close(),
    () => client.close(),
  )
  await client.connect()
  await polled(() => endpoint.channels.size).toBe(1)
  const page = [...endpoint.channels][0] as Page
  return { client, page, other: page.other, errors }
}

const answers =
  (name: string) =>
  ({ n }: { n: number }) =>
    `${name} ${n}`

describe('waitForMount', () => {
  test('by default, a call does not wait', async () => {
    const { other } = await open()
    expect(await rejection(other.confirm({ n: 1 }))).toMatchObject({
      code: -32601,
      data: { reason: 'not-mounted' },
    })
  })

  test('calls and notifications wait, in their order, for the handler', async () => {
    const { client, other, page } = await open({ waitForMount: LONG })
    const heard: number[] = []
    const calls = [1, 2, 3].map((n) => other.confirm({ n }))
    for (const n of [1, 2, 3]) await other.notify({ n })
    // What comes behind them has come when this one is told.
    client.expose('notify', ({ n }) => void heard.push(n))
    await other.notify({ n: 4 })
    expect(page.has('confirm')).toBe(false)
    client.expose('confirm', answers('mounted'))
    expect(await Promise.all(calls)).toEqual(['mounted 1', 'mounted 2', 'mounted 3'])
    await polled(() => heard).toEqual([1, 2, 3, 4])
  })

  test('no longer than it says', async () => {
    const { client, other } = await open({ waitForMount: 20 })
    expect(await rejection(other.confirm({ n: 1 }))).toMatchObject({
      code: -32601,
      data: { reason: 'not-mounted' },
    })
    client.expose('confirm', answers('late'))
    expect(await other.confirm({ n: 2 })).toBe('late 2')
  })

  test('a handler may say it of the time after it', async () => {
    const { client, other } = await open()
    const take = client.expose('confirm', answers('first'), { waitForMount: LONG })
    expect(await other.confirm({ n: 1 })).toBe('first 1')
    take()
    const between = other.confirm({ n: 2 })
    expect(await rejection(other.confirm({ n: Number.NaN }))).toMatchObject({ code: -32602 })
    client.expose('confirm', answers('second'))
    expect(await between).toBe('second 2')
  })

  test('one that comes and goes within the turn serves nobody, and nobody is lost', async () => {
    const { client, other } = await open({ waitForMount: LONG })
    const call = other.confirm({ n: 1 })
    // It has come when a later one has been answered.
    expect(await rejection(other.confirm({ n: Number.NaN }))).toMatchObject({ code: -32602 })
    client.expose('confirm', answers('gone'))()
    client.expose('confirm', answers('there'))
    expect(await call).toBe('there 1')
  })

  test('a call that is given up, or whose time is over, is not run later', async () => {
    const { client, other } = await open({ waitForMount: LONG })
    const controller = new AbortController()
    const given = rejection(other.confirm({ n: 1 }, { signal: controller.signal }))
    const late = rejection(other.confirm({ n: 2 }, { timeout: 20 }))
    controller.abort()
    expect(await given).toMatchObject({ name: 'RpcAbortedError' })
    expect(await late).toMatchObject({ name: 'RpcTimeoutError' })
    // The page has heard of both, when a later call has been answered.
    expect(await rejection(other.confirm({ n: Number.NaN }))).toMatchObject({ code: -32602 })
    const ran: number[] = []
    client.expose('confirm', ({ n }) => {
      ran.push(n)
      return 'ran'
    })
    expect(await other.confirm({ n: 3 })).toBe('ran')
    expect(ran).toEqual([3])
  })

  test('ends with the connection', async () => {
    const { client, other } = await open({ waitForMount: LONG })
    const call = rejection(other.confirm({ n: 1 }))
    await client.close()
    expect(await call).toMatchObject({ name: 'RpcDisconnectedError' })
  })

  test('is for channels of one connection, too', async () => {
    const { server, client } = pairOf(contract, { client: { waitForMount: LONG } })
    const call = server.other.confirm({ n: 1 })
    await new Promise((resolve) => setTimeout(resolve))
    client.expose('confirm', answers('over a pair'))
    expect(await call).toBe('over a pair 1')
    await server.close()
  })

  test('refuses what is no number of ms', async () => {
    const { client } = await open()
    const expose = (waitForMount: number) => () =>
      client.expose('confirm', answers(''), { waitForMount })
    for (const wrong of [-1, Number.NaN, '5' as unknown as number]) {
      expect(expose(wrong)).toThrow('waitForMount must be a number of ms, 0 or more')
      expect(() =>
        createClient(contract, { url: 'ws://127.0.0.1:1', waitForMount: wrong }),
      ).toThrow('waitForMount must be a number of ms, 0 or more')
    }
  })
})
