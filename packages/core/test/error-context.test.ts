import {
  type ClientOptions,
  createChannel,
  createClient,
  defineContract,
  type ErrorContext,
  type Logger,
  memoryTransportPair,
  method,
  notification,
  stream,
} from '@flashrpc/core'
import { createEndpoint, type EndpointOptions, type ResultStore } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: {
    fail: method(),
    cycle: method({ result: z.unknown() }),
    pay: method(),
    copy: method({ progress: z.number() }),
    note: notification({ params: z.object({ text: z.string() }) }),
    broken: notification(),
    ticks: stream({ item: z.unknown() }),
  },
})

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Notes with which context a side's hooks and its logger are told of errors. */
function listener() {
  const told: ErrorContext[] = []
  const logged: (ErrorContext | undefined)[] = []
  const logger: Logger = {
    debug: () => {},
    warn: () => {},
    error: (_, context) => logged.push(context),
  }
  const onError = [(_: unknown, __: unknown, context: ErrorContext) => void told.push(context)]
  return { told, logged, options: { logger, onError } }
}

const fail = () => {
  throw new Error('on purpose')
}

type Contract = typeof contract

async function serve(
  server: Partial<EndpointOptions<Contract['server'], Contract['client']>> = {},
  own: Partial<ClientOptions<Contract['client'], Contract['server']>> = {},
) {
  const here = listener()
  const there = listener()
  const ring: { self?: unknown } = {}
  ring.self = ring
  const endpoint = createEndpoint(contract, {
    methods: {
      fail,
      cycle: () => ring,
      pay: () => {},
      copy: (_, { progress }) => progress(1),
      note: () => {},
      broken: fail,
      ticks: async function* () {
        yield ring
      },
    },
    ...here.options,
    ...server,
  })
  opened.push(() => endpoint.close())
  const { url } = await endpoint.listen()
  const client = createClient(contract, { url, ...there.options, ...own } as never)
  opened.push(() => client.close())
  await client.connect()
  return { url, client, server: here, own: there }
}

type Scene = Awaited<ReturnType<typeof serve>>

/** Sends what no client of ours would. */
async function sendRaw({ url }: Scene, text: string): Promise<void> {
  const socket = new WebSocket(url)
  opened.push(() => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(text)
}

const id = expect.any(Number)

describe('onError and the logger learn where it failed:', () => {
  const onServer: Record<string, [(scene: Scene) => unknown, ErrorContext]> = {
    'a handler of a method': [
      ({ client }) => rejection(client.other.fail()),
      { phase: 'handler', method: 'fail', kind: 'method', direction: 'in', id },
    ],
    'a handler of a notification': [
      ({ client }) => client.other.broken(),
      { phase: 'handler', method: 'broken', kind: 'notification', direction: 'in' },
    ],
    'params of a notification': [
      ({ client }) => client.other.note({ text: 5 } as never),
      { phase: 'params', method: 'note', kind: 'notification', direction: 'in' },
    ],
    'a notification that nobody knows': [
      (scene) => sendRaw(scene, '{"jsonrpc":"2.0","method":"noet"}'),
      { phase: 'refused', method: 'noet', kind: 'notification', direction: 'in' },
    ],
    'a result that can’t be sent': [
      ({ client }) => rejection(client.other.cycle()),
      { phase: 'answer', method: 'cycle', kind: 'method', direction: 'in', id },
    ],
    'an item that can’t be sent': [
      ({ client }) => rejection(client.other.ticks().next()),
      { phase: 'answer', method: 'ticks', kind: 'stream', direction: 'in', id },
    ],
    'a frame': [(scene) => sendRaw(scene, 'no JSON'), { phase: 'frame', direction: 'in' }],
  }

  test.each(Object.entries(onServer))('%s', async (_, [cause, expected]) => {
    const scene = await serve()
    await cause(scene)
    await expect.poll(() => scene.server.told).toStrictEqual([expected])
    expect(scene.server.logged).toStrictEqual([expected])
  })

  test('a hook', async () => {
    const { server } = await serve({ onConnect: [fail] }, { retry: { maxAttempts: 0 } } as never)
    await expect.poll(() => server.told).toStrictEqual([{ phase: 'hook', hook: 'onConnect' }])
    expect(server.logged).toStrictEqual(server.told)
  })

  test('the store of keys', async () => {
    const store: ResultStore = { id: 'broken', ttlMs: 60_000, begin: fail, finish: () => {} }
    const scene = await serve({ idempotency: { store } } as never)
    await rejection(scene.client.other.pay(undefined, { idempotencyKey: 'one' }))
    const expected = { phase: 'store', method: 'pay', kind: 'method', direction: 'in', id }
    expect(scene.server.told).toStrictEqual([expected])
  })

  test('a listener of progress', async () => {
    const { client, own } = await serve()
    await client.other.copy(undefined, { onProgress: fail })
    const expected = { phase: 'progress', method: 'copy', kind: 'method', direction: 'out', id }
    expect(own.told).toStrictEqual([expected])
    expect(own.logged).toStrictEqual([expected])
  })

  test('a notification that can’t be sent', async () => {
    const { client, own } = await serve()
    await rejection(client.other.note({ text: 1n } as never))
    expect(own.told).toStrictEqual([
      { phase: 'send', method: 'note', kind: 'notification', direction: 'out' },
    ])
  })

  test('a listener of the state', async () => {
    const { client, own } = await serve()
    client.subscribe(fail)
    await client.close()
    expect(own.told).toStrictEqual([{ phase: 'hook', hook: 'subscribe' }])
  })

  test('a transport', async () => {
    const { told, options } = listener()
    const [transport] = memoryTransportPair()
    createChannel({
      side: 'client',
      transport: Object.assign(transport, { send: fail }),
      ...options,
    })
    await expect.poll(() => told[0]).toStrictEqual({ phase: 'connection' })
  })
})
