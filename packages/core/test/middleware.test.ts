import {
  createAudience,
  createClient,
  defineContract,
  type Middleware,
  type MiddlewareCall,
  method,
  notification,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcValidationError,
  stream,
  under,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { createEndpoint, type EndpointOptions, memoryResultStore } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf } from './support/pair.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'
import { until } from './support/until.js'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    fail: method(),
    refuse: method(),
    hang: method(),
    metaOf: method({ result: z.record(z.string(), z.string()) }),
    askBack: method({ result: z.string() }),
    ticks: stream({ params: z.object({ count: z.number() }), item: z.number() }),
    sum: method({ input: z.number(), result: z.number() }),
    note: notification({ params: z.object({ text: z.string() }) }),
  },
  client: {
    confirm: method({ result: z.string() }),
    toast: notification({ params: z.object({ text: z.string() }) }),
  },
})
type Server = typeof contract.server
type Client = typeof contract.client
type Options = EndpointOptions<Server, Client, unknown>

const opened: (() => unknown)[] = []
const noted: string[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  noted.length = 0
})

class Broken extends Error {}

const methods: Options['methods'] = {
  add: ({ a, b }) => a + b,
  fail: () => {
    throw new Broken('the disk is full')
  },
  refuse: () => {
    throw new RpcError(4004, 'No such report', { id: 7 })
  },
  hang: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
  metaOf: (_, { meta }) => ({ ...meta }),
  askBack: (_, { channel, signal }) => channel.other.confirm(undefined, { signal }),
  async *ticks({ count }) {
    if (count < 0) throw new RpcError(4005, 'No such count')
    for (let n = 0; n < count; n++) yield n
  },
  async sum(_, { input }) {
    let sum = 0
    for await (const n of input) sum += n
    return sum
  },
  note: ({ text }) => noted.push(text),
}

/** A client and a server over a real socket. */
async function connected(
  use: { server?: Options['use']; client?: Middleware | readonly Middleware[] } = {},
  options: Partial<Options> = {},
) {
  const errors: unknown[] = []
  const onError = [(_: unknown, error: unknown) => errors.push(error)]
  const endpoint = createEndpoint(contract, {
    onError,
    ...options,
    ...(use.server && { use: use.server }),
    methods,
  })
  const { url } = await endpoint.listen()
  opened.push(() => endpoint.close())
  const client = createClient(contract, {
    url,
    onError,
    ...(use.client && { use: use.client }),
    methods: { confirm: () => 'yes', toast: () => {} },
  })
  opened.push(() => client.close())
  await client.connect()
  return { client, endpoint, url, errors }
}

/** Writes down what goes by: on its way in, and what comes of it. */
function recorder() {
  const seen: string[] = []
  const calls: MiddlewareCall[] = []
  const middleware: Middleware = async (call, next) => {
    calls.push(call)
    seen.push(`${call.direction} ${call.kind} ${call.method}`)
    try {
      const result = await next()
      seen.push(`${call.method} gave ${JSON.stringify(result)}`)
      return result
    } catch (error) {
      seen.push(`${call.method} failed ${(error as RpcError).code}`)
      throw error
    }
  }
  return { seen, calls, middleware }
}

/** A promise, and what settles it. */
function gate() {
  let open = () => {}
  const opens = new Promise<void>((resolve) => (open = resolve))
  return { opens, open: () => open() }
}

describe('middleware surrounds', () => {
  test('calls in both directions, on either side', async () => {
    const server = recorder()
    const client = recorder()
    const { client: peer } = await connected({
      server: server.middleware,
      client: client.middleware,
    })
    expect(await peer.other.askBack()).toBe('yes')
    expect(server.seen).toEqual([
      'in method askBack',
      'out method confirm',
      'confirm gave "yes"',
      'askBack gave "yes"',
    ])
    expect(client.seen).toEqual([
      'out method askBack',
      'in method confirm',
      'confirm gave "yes"',
      'askBack gave "yes"',
    ])
  })

  test('notifications and streams, until these have ended', async () => {
    const server = recorder()
    const client = recorder()
    const { client: peer } = await connected({
      server: server.middleware,
      client: client.middleware,
    })
    const items = []
    for await (const n of peer.other.ticks({ count: 3 })) items.push(n)
    expect(items).toEqual([0, 1, 2])
    await peer.other.note({ text: 'hello' })
    await polled(() => server.seen.length).toBe(4)
    expect(noted).toEqual(['hello'])
    expect(server.seen).toEqual([
      'in stream ticks',
      'ticks gave null',
      'in notification note',
      'note gave undefined',
    ])
    expect(client.seen.filter((line) => !line.includes('gave'))).toEqual([
      'out stream ticks',
      'out notification note',
    ])
    await polled(() => client.seen.length).toBe(4)
  })

  test('each other, the first of them all', async () => {
    const order: string[] = []
    const named =
      (name: string): Middleware =>
      async (_, next) => {
        order.push(`${name} in`)
        const result = await next()
        order.push(`${name} out`)
        return result
      }
    const { client } = await connected({
      client: [named('first'), named('second')],
      server: [named('third'), named('fourth')],
    })
    await client.other.add({ a: 1, b: 2 })
    const names = ['first', 'second', 'third', 'fourth']
    expect(order).toEqual([
      ...names.map((name) => `${name} in`),
      ...names.reverse().map((name) => `${name} out`),
    ])
  })

  test('what the other side asks of what can be called', async () => {
    const server = recorder()
    const { url } = await connected({ server: server.middleware }, { discover: true })
    const client = createClient<Record<string, () => unknown>>({ url })
    opened.push(() => client.close())
    expect(await client.call('rpc.discover')).toMatchObject({ openrpc: expect.any(String) })
    expect(server.seen[0]).toBe('in method rpc.discover')
  })
})

describe('an audience', () => {
  test('goes through the middleware of each channel', async () => {
    const server = recorder()
    const { client, endpoint } = await connected({
      server: [
        server.middleware,
        (call, next) => {
          call.meta.to = call.channel.id
          return next()
        },
      ],
      client: (call, next) => {
        if (call.direction === 'in') noted.push(`${call.method} ${call.meta.to}`)
        return next()
      },
    })
    const audience = createAudience<typeof contract.client>(() => endpoint.channels)
    const [channel] = [...endpoint.channels]
    expect(await audience.notify('toast', { text: 'hello' })).toBe(1)
    expect(await audience.call('confirm')).toMatchObject([{ status: 'ok', value: 'yes' }])
    expect(noted).toEqual([`toast ${channel?.id}`, `confirm ${channel?.id}`])
    expect(client.otherId).toBe(channel?.id)
    expect(server.seen).toEqual([
      'out notification toast',
      'toast gave undefined',
      'out method confirm',
      'confirm gave "yes"',
    ])
  })

  test('that is called by a handler is called for its call', async () => {
    const server = recorder()
    const { client, endpoint } = await connected({ server: server.middleware })
    const audience = createAudience<typeof contract.client>(() => endpoint.channels)
    for (const channel of endpoint.channels) {
      channel.expose('askBack', async (_, { signal }) => {
        const [outcome] = await audience.call('confirm', undefined, { signal })
        return outcome?.status === 'ok' ? outcome.value : 'no'
      })
    }
    expect(await client.other.askBack()).toBe('yes')
    expect(server.calls[1]?.parent).toBe(server.calls[0])
  })
})

describe('a call tells middleware', () => {
  test('what it is', async () => {
    const server = recorder()
    const client = recorder()
    const { client: peer, endpoint } = await connected(
      { server: server.middleware, client: client.middleware },
      { authenticate: () => ({ userId: 'ada' }) },
    )
    const params = { a: 1, b: 2 }
    await peer.other.add(params)
    const [channel] = [...endpoint.channels]
    const [out] = client.calls
    const [into] = server.calls
    expect(out).toMatchObject({ direction: 'out', kind: 'method', method: 'add' })
    expect(out?.params).toBe(params)
    expect(out?.channel).toBe(peer)
    expect(out?.identity).toBeUndefined()
    expect(into).toMatchObject({ direction: 'in', kind: 'method', method: 'add', params })
    expect(into?.channel).toBe(channel)
    expect(into?.identity).toEqual({ userId: 'ada' })
    expect(into?.id).toBe(out?.id)
    expect(typeof out?.id).toBe('number')
    await peer.other.note({ text: 'hello' })
    expect(client.calls[1]?.id).toBeUndefined()
  })

  test('on a server who is called, too', async () => {
    const server = recorder()
    const { endpoint } = await connected(
      { server: server.middleware },
      { authenticate: () => 'ada' },
    )
    for (const channel of endpoint.channels) await channel.other.confirm()
    expect(server.calls[0]).toMatchObject({ direction: 'out', identity: 'ada' })
  })

  test('which call it is made for, where the handler passed its signal on', async () => {
    const server = recorder()
    const { client } = await connected({ server: server.middleware })
    await client.other.askBack()
    const [asked, confirmed] = server.calls
    expect(confirmed?.parent).toBe(asked)
    expect(asked?.parent).toBeUndefined()
  })

  test('by its signal that it failed, or is not wanted any more', async () => {
    const server = recorder()
    const client = recorder()
    const { client: peer } = await connected({
      server: server.middleware,
      client: client.middleware,
    })
    const controller = new AbortController()
    const call = rejection(peer.other.hang(undefined, { signal: controller.signal }))
    await polled(() => server.calls.length).toBe(1)
    const [out] = client.calls
    const [into] = server.calls
    expect([out?.signal.aborted, into?.signal.aborted]).toEqual([false, false])
    controller.abort()
    expect(await call).toBeInstanceOf(RpcAbortedError)
    await polled(() => into?.signal.aborted).toBe(true)
    expect(out?.signal.reason).toBeInstanceOf(RpcAbortedError)
  })
})

describe('what an outgoing call is sent', () => {
  test('goes out in the turn of the call, where middleware lets it at once', async () => {
    const order: string[] = []
    const { client } = await connected({ client: [async (_, next) => next()] })
    const params = { a: 1, b: 2 }
    const sum = client.other.add(params)
    params.a = 100
    const other = client.other.add({ a: 2, b: 2 })
    await Promise.all([
      sum.then((value) => order.push(`sum ${value}`)),
      other.then((value) => order.push(`other ${value}`)),
    ])
    expect(order).toEqual(['sum 3', 'other 4'])
  })

  test('gives middleware the result, and the caller what that makes of it', async () => {
    const double: Middleware = async (_, next) => ((await next()) as number) * 2
    const { client } = await connected({ client: double })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(6)
  })

  test('gives middleware the error that the caller would get', async () => {
    const seen: unknown[] = []
    const { client } = await connected({
      client: (_, next) =>
        next().catch((error: unknown) => {
          seen.push(error)
          throw error
        }),
    })
    const error = await rejection(client.other.refuse())
    expect(error).toMatchObject({ code: 4004, message: 'No such report', data: { id: 7 } })
    expect(seen).toEqual([error])
    expect(seen[0]).toBe(error)
    const late = await rejection(client.other.hang(undefined, { timeout: 20 }))
    expect(late).toBeInstanceOf(RpcTimeoutError)
    expect(seen[1]).toBe(late)
  })

  test('a result that breaks its schema among them', async () => {
    const seen: unknown[] = []
    const { client } = await connected({
      server: () => 'no number',
      client: (_, next) =>
        next().catch((error: unknown) => {
          seen.push(error)
          throw error
        }),
    })
    const error = await rejection(client.other.add({ a: 1, b: 2 }))
    expect(error).toBeInstanceOf(RpcValidationError)
    expect(seen[0]).toBe(error)
  })

  test('may be answered without being sent', async () => {
    const server = recorder()
    const { client } = await connected({ server: server.middleware, client: () => 42 })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(42)
    await client.other.note({ text: 'unheard' })
    for await (const _ of client.other.ticks({ count: 3 })) throw new Error('No item was sent')
    let isReturned = false
    async function* input() {
      try {
        yield 1
      } finally {
        isReturned = true
      }
    }
    const source = input()
    expect(await client.other.sum(undefined, { input: source })).toBe(42)
    expect(await source.next()).toEqual({ done: true, value: undefined })
    expect(isReturned).toBe(false)
    expect(server.seen).toEqual([])
    expect(client.state).toMatchObject({ inFlight: 0, queued: 0 })
  })

  test('may be refused without being sent', async () => {
    const server = recorder()
    const refusal = new RpcOverloadedError('Too many today')
    const refuse: Middleware = () => {
      throw refusal
    }
    const { client, errors } = await connected({ server: server.middleware, client: refuse })
    expect(await rejection(client.other.add({ a: 1, b: 2 }))).toBe(refusal)
    expect(await rejection(client.other.note({ text: 'unheard' }))).toBe(refusal)
    expect(await rejection(client.other.ticks({ count: 1 }).next())).toBe(refusal)
    expect(errors).toEqual([refusal])
    expect(server.seen).toEqual([])
  })

  test('fails as −32603 with what a middleware threw that is no RpcError', async () => {
    const cause = new Broken('no log')
    const { client } = await connected({
      client: async () => {
        throw cause
      },
    })
    const error = await rejection(client.other.add({ a: 1, b: 2 }))
    expect(error).toBeInstanceOf(RpcError)
    expect(error).toMatchObject({ code: -32603, method: 'add', cause })
    expect((error as Error).message).toBe('A middleware of "add" failed: no log')
  })
})

describe('while middleware holds an outgoing call up', () => {
  test('an abort ends it at once, and nothing is sent', async () => {
    const server = recorder()
    const { opens, open } = gate()
    let late: unknown
    const { client } = await connected({
      server: server.middleware,
      client: async (_, next) => {
        await opens
        late = await rejection(next())
        throw late
      },
    })
    const controller = new AbortController()
    const call = rejection(client.other.add({ a: 1, b: 2 }, { signal: controller.signal }))
    controller.abort()
    expect(await call).toMatchObject({ outcome: 'not-sent' })
    expect(await call).toBeInstanceOf(RpcAbortedError)
    open()
    await polled(() => late).toBeDefined()
    expect(late).toBe(await call)
    expect(server.seen).toEqual([])
  })

  test('its time runs, and it was not sent', async () => {
    const { client } = await connected({ client: () => new Promise(() => {}) })
    const error = await rejection(client.other.add({ a: 1, b: 2 }, { timeout: 20 }))
    expect(error).toBeInstanceOf(RpcTimeoutError)
    expect(error).toMatchObject({ outcome: 'not-sent' })
  })

  test('the end of the client ends it', async () => {
    const { client } = await connected({ client: () => new Promise(() => {}) })
    const call = rejection(client.other.add({ a: 1, b: 2 }))
    await client.close()
    expect(await call).toBeInstanceOf(RpcDisconnectedError)
    expect(await call).toMatchObject({ outcome: 'not-sent' })
  })

  test('a stream can be left, and is never asked for', async () => {
    const server = recorder()
    const { opens, open } = gate()
    let isOver = false
    const { client } = await connected({
      server: server.middleware,
      client: async (_, next) => {
        await opens
        await next()
        isOver = true
      },
    })
    const items = client.other.ticks({ count: 3 })
    const first = items.next()
    await items.return()
    expect(await first).toEqual({ done: true, value: undefined })
    open()
    await polled(() => isOver).toBe(true)
    expect(server.seen).toEqual([])
  })

  test('an abort ends a stream at once, whatever middleware makes of it', async () => {
    const { client } = await connected({
      client: (_, next) => next().catch(() => new Promise(() => {})),
    })
    const controller = new AbortController()
    const items = client.other.ticks({ count: 1_000_000 }, { signal: controller.signal })
    await items.next()
    controller.abort()
    expect(await rejection(items.next())).toBeInstanceOf(RpcAbortedError)
  })

  test('others overtake it', async () => {
    const { opens, open } = gate()
    const { client } = await connected({
      client: async (call, next) => {
        if (call.method === 'metaOf') await opens
        return next()
      },
    })
    const held = client.other.metaOf()
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    open()
    expect(await held).toEqual({})
  })
})

describe('an incoming call', () => {
  test('reaches middleware as it came, before anything is checked', async () => {
    const server = recorder()
    const { url } = await connected(
      { server: server.middleware },
      { authorize: (name) => name !== 'hang' },
    )
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    raw.send({ jsonrpc: '2.0', id: 1, method: 'add', params: { a: 'one' } })
    expect((await raw.nextJson()).error.code).toBe(-32602)
    raw.send({ jsonrpc: '2.0', id: 2, method: 'hang' })
    expect((await raw.nextJson()).error.code).toBe(-32002)
    raw.send({ jsonrpc: '2.0', id: 3, method: 'nothing' })
    expect((await raw.nextJson()).error.code).toBe(-32601)
    expect(server.calls[0]?.params).toEqual({ a: 'one' })
    expect(server.seen).toEqual([
      'in method add',
      'add failed -32602',
      'in method hang',
      'hang failed -32002',
      'in method nothing',
      'nothing failed -32601',
    ])
  })

  test('may be answered by middleware', async () => {
    const { client } = await connected({
      server: async (call, next) => (call.method === 'fail' ? 'all is well' : next()),
    })
    expect(await client.other.fail()).toBe('all is well')
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('refused before it ran, is known not to have run', async () => {
    const { client } = await connected({
      server: (call, next) => {
        if (call.direction === 'in') throw new RpcOverloadedError('Slow down')
        return next()
      },
    })
    const error = await rejection(client.other.add({ a: 1, b: 2 }))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(error).toMatchObject({ outcome: 'not-received', message: 'Slow down' })
    expect(await rejection(client.other.ticks({ count: 1 }).next())).toMatchObject({
      outcome: 'not-received',
    })
  })

  test('refused after it ran, is not said not to have', async () => {
    const { url } = await connected({
      server: async (_, next) => {
        await next()
        throw new RpcError(4999, 'Never mind')
      },
    })
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    raw.send({ jsonrpc: '2.0', id: 1, method: 'add', params: { a: 1, b: 2 } })
    const error = { code: 4999, message: 'Never mind' }
    expect(await raw.nextJson()).toEqual({ jsonrpc: '2.0', id: 1, error })
  })

  test('shows what its caller is told, and what it was thrown as', async () => {
    let seen: unknown
    const { client, errors } = await connected({
      server: (_, next) =>
        next().catch((error: unknown) => {
          seen = error
          throw error
        }),
    })
    expect(await rejection(client.other.refuse())).toMatchObject({ code: 4004, data: { id: 7 } })
    expect(seen).toMatchObject({ code: 4004, message: 'No such report', data: { id: 7 } })
    expect(await rejection(client.other.fail())).toMatchObject({
      code: -32603,
      message: 'Internal error in "fail"',
    })
    expect(seen).toMatchObject({ code: -32603, message: 'Internal error in "fail"' })
    expect((seen as Error).cause).toBeInstanceOf(Broken)
    expect(errors).toEqual([(seen as Error).cause])
  })

  test('may fail with another error, and then onError has nothing to hear of', async () => {
    const { client, errors } = await connected({
      server: (_, next) =>
        next().catch((error: RpcError) => {
          if (error.cause instanceof Broken) throw new RpcError(5001, 'Try again later')
          throw error
        }),
    })
    expect(await rejection(client.other.fail())).toMatchObject({
      code: 5001,
      message: 'Try again later',
    })
    expect(errors).toEqual([])
  })

  test('fails as a handler does with what a middleware threw that is no RpcError', async () => {
    const { client, errors } = await connected({
      server: () => {
        throw new Broken('no log')
      },
    })
    expect(await rejection(client.other.add({ a: 1, b: 2 }))).toMatchObject({
      code: -32603,
      message: 'Internal error in "add"',
    })
    expect(errors).toEqual([new Broken('no log')])
  })

  test.each([
    ['nothing', () => undefined],
    ['an object without a prototype', () => Object.create(null)],
    [
      'what throws when it is looked at',
      () =>
        new Proxy(
          {},
          {
            get: () => {
              throw new Error('get')
            },
            getPrototypeOf: () => {
              throw new Error('getPrototypeOf')
            },
          },
        ),
    ],
  ])('whose handler throws %s fails as it does without middleware', async (_, make) => {
    const thrown: unknown = make()
    const { client, endpoint, errors } = await connected({ server: (_, next) => next() })
    for (const channel of endpoint.channels) {
      channel.expose('fail', () => {
        throw thrown
      })
    }
    expect(await rejection(client.other.fail())).toMatchObject({ code: -32603 })
    // Not shown to `expect`, which would read it.
    expect(errors.length === 1 && Object.is(errors[0], thrown)).toBe(true)
    const failing = await connected({
      client: () => {
        throw thrown
      },
    })
    expect(await rejection(failing.client.other.fail())).toMatchObject({ code: -32603 })
  })

  test('that is a notification tells onError of what failed', async () => {
    const { client, errors } = await connected({
      server: (call, next) => {
        if ((call.params as { text: string }).text === 'spam') throw new RpcError(4003, 'No spam')
        return next()
      },
    })
    await client.other.note({ text: 'spam' })
    await client.other.note({ text: 'hello' })
    await polled(() => noted).toEqual(['hello'])
    expect(errors).toEqual([new RpcError(4003, 'No spam')])
  })

  test('that nobody waits for any more when middleware lets it go on is not begun', async () => {
    const { opens, open } = gate()
    const server = recorder()
    const hold: Middleware = async (_, next) => {
      await opens
      return next()
    }
    const { url } = await connected({ server: [server.middleware, hold] })
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    raw.send({ jsonrpc: '2.0', id: 1, method: 'add', params: { a: 1, b: 2 } })
    raw.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 1 } })
    raw.send({ jsonrpc: '2.0', id: 2, method: 'fail', rpc: { deadlineMs: 1 } })
    await polled(() => server.calls.map(({ signal }) => signal.aborted)).toEqual([true, true])
    open()
    const answers = [await raw.nextJson(), await raw.nextJson()]
    expect(answers.sort((one, other) => one.id - other.id)).toEqual([
      {
        jsonrpc: '2.0',
        id: 1,
        error: { code: -32800, message: '"add" was cancelled' },
        rpc: { ran: false },
      },
      {
        jsonrpc: '2.0',
        id: 2,
        error: { code: -32001, message: `"fail" was not run: its caller's time had run out` },
        rpc: { ran: false },
      },
    ])
    expect([...server.seen].sort()).toEqual([
      'add failed -32800',
      'fail failed -32001',
      'in method add',
      'in method fail',
    ])
  })

  test('with a key goes through it each time that it comes, and runs once', async () => {
    const server = recorder()
    let runs = 0
    const endpoint = createEndpoint<{ charge(): string }>({
      idempotency: { store: memoryResultStore() },
      use: server.middleware,
      methods: { charge: () => `charged ${++runs}` },
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = createClient<{ charge(): string }>({ url })
    opened.push(() => client.close())
    const idempotencyKey = 'order-7'
    expect(await client.other.charge(undefined, { idempotencyKey })).toBe('charged 1')
    expect(await client.other.charge(undefined, { idempotencyKey })).toBe('charged 1')
    expect(server.seen.filter((line) => line === 'in method charge')).toHaveLength(2)
    expect(runs).toBe(1)
  })
})

describe('next()', () => {
  for (const side of ['client', 'server'] as const) {
    test(`called twice fails the call, on the ${side}`, async () => {
      const twice: Middleware = async (_, next) => {
        await next()
        return next()
      }
      const { client, errors } = await connected({ [side]: twice })
      const error = (await rejection(client.other.add({ a: 1, b: 2 }))) as RpcError
      const what = {
        code: -32008,
        message: 'A middleware called next() twice for "add": call it once',
      }
      if (side === 'client') return expect(error).toMatchObject(what)
      // Callers are not told what is wrong with the server.
      expect(error).toMatchObject({ code: -32603, message: 'Internal error in "add"' })
      expect(errors).toMatchObject([what])
    })

    test(`called when all is over fails, on the ${side}`, async () => {
      let error: unknown
      const late: Middleware = (_, next) => {
        setTimeout(async () => {
          error = await rejection(next())
        })
        return 5
      }
      const { client } = await connected({ [side]: late })
      expect(await client.other.add({ a: 1, b: 2 })).toBe(5)
      await polled(() => error).toBeDefined()
      expect(error).toBeInstanceOf(RpcConfigError)
      expect((error as Error).message).toBe(
        'A middleware called next() after it had returned for "add": await it, or return it',
      )
    })

    test(`need not be waited for, on the ${side}`, async () => {
      const server = recorder()
      const early: Middleware = (_, next) => {
        void next()
        return 5
      }
      const { client } = await connected(
        side === 'client'
          ? { client: early, server: server.middleware }
          : { server: [early, server.middleware] },
      )
      expect(await client.other.add({ a: 1, b: 2 })).toBe(5)
      await client.other.refuse()
      await polled(() => [...server.seen].sort()).toEqual([
        'add gave 3',
        'in method add',
        'in method refuse',
        'refuse failed 4004',
      ])
    })
  }

  for (const side of ['client', 'server'] as const) {
    test(`need not be waited for by who surrounds a stream, on the ${side}: all items come`, async () => {
      const { client } = await connected({
        [side]: (_: MiddlewareCall, next: () => Promise<unknown>) => {
          void next()
        },
      })
      let items = 0
      for await (const _ of client.other.ticks({ count: 100 })) items++
      expect(items).toBe(100)
      const failed = client.other.ticks({ count: -1 })
      expect(await rejection(failed.next())).toMatchObject({ code: 4005 })
    })

    test(`whose failure is passed over ends a stream as if it had not failed, on the ${side}`, async () => {
      const { client } = await connected({
        [side]: (_: MiddlewareCall, next: () => Promise<unknown>) => next().catch(() => {}),
      })
      expect(await client.other.ticks({ count: -1 }).next()).toEqual({ done: true })
    })
  }

  test('gives nothing, and no error, of a stream that was left, on either side', async () => {
    const [client, server] = [recorder(), recorder()]
    const { client: peer } = await connected({
      client: client.middleware,
      server: server.middleware,
    })
    for await (const _ of peer.other.ticks({ count: 1_000_000 })) break
    await polled(() => client.seen).toEqual(['out stream ticks', 'ticks gave undefined'])
    await polled(() => server.seen).toEqual(['in stream ticks', 'ticks gave undefined'])
  })

  test.each<[string, (context: { signal: AbortSignal }) => AsyncGenerator<number>, string[]]>([
    [
      'waits for what is given up with it',
      async function* ({ signal }) {
        yield 0
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        })
      },
      [],
    ],
    [
      'fails while it cleans up',
      async function* () {
        try {
          for (;;) yield 0
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: it is the subject
          throw new Broken('The disk is full')
        }
      },
      ['The disk is full'],
    ],
  ])('gives nothing of a stream that was left whose source %s', async (_, ticks, told) => {
    const server = recorder()
    const errors: Error[] = []
    const endpoint = createEndpoint<{ ticks(): AsyncIterable<number> }>({
      use: server.middleware,
      methods: { ticks: (_, context) => ticks(context) },
      onError: [(_, error) => errors.push(error as Error)],
    })
    const { url } = await endpoint.listen()
    opened.push(() => endpoint.close())
    const client = createClient<{ ticks(): AsyncIterable<number> }>({ url })
    opened.push(() => client.close())
    for await (const _ of client.stream('ticks')) break
    await polled(() => server.seen).toEqual(['in stream ticks', 'ticks gave undefined'])
    expect(errors.map(({ message }) => message)).toEqual(told)
  })
})

describe('what travels beside a call', () => {
  const stamp: Middleware = (call, next) => {
    if (call.direction === 'out') call.meta.requestId = `r-${call.method}`
    return next()
  }

  test('is found by the other side, in its middleware and in the handler', async () => {
    const server = recorder()
    const { client } = await connected({ server: server.middleware, client: stamp })
    expect(await client.other.metaOf()).toEqual({ requestId: 'r-metaOf' })
    await client.other.note({ text: 'hello' })
    for await (const _ of client.other.ticks({ count: 1 }));
    expect(server.calls.map(({ meta }) => ({ ...meta }))).toEqual([
      { requestId: 'r-metaOf' },
      { requestId: 'r-note' },
      { requestId: 'r-ticks' },
    ])
  })

  test('may be added to for the handler', async () => {
    const { client } = await connected({
      client: stamp,
      server: (call, next) => {
        call.meta.from = 'a page'
        return next()
      },
    })
    expect(await client.other.metaOf()).toEqual({ requestId: 'r-metaOf', from: 'a page' })
  })

  test('has whatever names it likes', async () => {
    const server = recorder()
    const { client } = await connected({
      server: server.middleware,
      client: (call, next) => {
        Object.assign(call.meta, JSON.parse('{"__proto__":"p","constructor":"c"}'))
        return next()
      },
    })
    await client.other.metaOf()
    const [call] = server.calls
    expect(Object.entries(call?.meta ?? {})).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ])
  })

  test('travels in MessagePack, too', async () => {
    const { server, client } = pairOf(contract, {
      server: { codec: msgpackCodec, methods: { metaOf: (_, { meta }) => ({ ...meta }) } },
      client: { codec: msgpackCodec, use: stamp },
    })
    opened.push(() => server.close())
    expect(await client.other.metaOf()).toEqual({ requestId: 'r-metaOf' })
  })

  test('is on the wire beside the params', async () => {
    const server = await RawServer.listen()
    const client = createClient(contract, { url: server.url, use: stamp })
    opened.push(
      () => server[Symbol.asyncDispose](),
      () => client.close(),
    )
    // Said before it is known who is there.
    const early = client.other.add({ a: 1, b: 2 })
    const peer = await server.acceptExtended()
    const sent = await peer.nextJson()
    expect(sent).toEqual({
      jsonrpc: '2.0',
      id: sent.id,
      method: 'add',
      params: { a: 1, b: 2 },
      rpc: { meta: { requestId: 'r-add' } },
    })
    peer.send({ jsonrpc: '2.0', id: sent.id, result: 3 })
    await early
    await client.other.note({ text: 'hello' }, { signal: AbortSignal.timeout(5_000) })
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      method: 'note',
      params: { text: 'hello' },
      rpc: { meta: { requestId: 'r-note' } },
    })
  })

  test('is not told to a plain peer, neither before nor after that is known', async () => {
    const server = await RawServer.listen()
    const client = createClient(contract, { url: server.url, use: stamp })
    opened.push(
      () => server[Symbol.asyncDispose](),
      () => client.close(),
    )
    const early = client.other.add({ a: 1, b: 2 })
    const note = client.other.note({ text: 'early' })
    const peer = await server.acceptPlain()
    const sent = await peer.nextJson()
    expect(sent).not.toHaveProperty('rpc')
    expect(await peer.nextJson()).not.toHaveProperty('rpc')
    await note
    peer.send({ jsonrpc: '2.0', id: sent.id, result: 3 })
    await early
    await client.other.note({ text: 'late' })
    expect(await peer.nextJson()).toEqual({
      jsonrpc: '2.0',
      method: 'note',
      params: { text: 'late' },
    })
  })

  test('goes along again with a call that is sent again', async () => {
    const server = recorder()
    const { url } = await connected({ server: server.middleware }, { resume: {} })
    const proxy = await createFaultProxy({ targets: [{ port: Number(new URL(url).port) }] })
    opened.push(() => proxy.close())
    const client = createClient(contract, {
      url: `ws://127.0.0.1:${proxy.port}`,
      retry: { minDelayMs: 5, maxDelayMs: 20 },
      use: stamp,
    })
    opened.push(() => client.close())
    await client.connect()
    // It is cut off on its way.
    const down = until(client, 'reconnecting')
    const call = client.other.metaOf()
    proxy.cut()
    await down
    expect(await call).toEqual({ requestId: 'r-metaOf' })
    expect(server.calls).toHaveLength(1)
  })

  test.each([
    ['a number', { count: 1 }, 'must have nothing but texts'],
    [
      'too many',
      Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`n${n}`, ''])),
      'may have 32 entries, and has 33',
    ],
    ['too much', { text: 'x'.repeat(16_384) }, 'may have 16384 characters, and has 16388'],
  ])('is not sent where it can’t travel: %s', async (_, meta, why) => {
    const server = recorder()
    const { client } = await connected({
      server: server.middleware,
      client: (call, next) => {
        Object.assign(call.meta, meta)
        return next()
      },
    })
    const error = await rejection(client.other.metaOf())
    expect(error).toBeInstanceOf(RpcConfigError)
    expect((error as Error).message).toBe(`call.meta of "metaOf" ${why}`)
    expect(server.seen).toEqual([])
  })

  test.each([
    [[]],
    ['text'],
    [null],
    [{ count: 1 }],
    [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`n${n}`, '']))],
    [{ text: 'x'.repeat(16_384) }],
  ])('is refused where it should not have come: %j', async (meta) => {
    const server = recorder()
    const { url, errors } = await connected({ server: server.middleware })
    const raw = await rawClient(url)
    opened.push(() => raw[Symbol.asyncDispose]())
    raw.send({ jsonrpc: '2.0', method: 'note', params: { text: 'hello' }, rpc: { meta } })
    raw.send({ jsonrpc: '2.0', id: 1, method: 'metaOf', rpc: { meta } })
    const answer = await raw.nextJson()
    expect(answer).toMatchObject({ id: 1, error: { code: -32600 }, rpc: { ran: false } })
    expect(answer.error.message).toMatch(/^rpc\.meta of "metaOf" (must|may) /)
    expect(errors).toEqual([expect.objectContaining({ code: -32600 })])
    expect(noted).toEqual([])
    expect(server.seen).toEqual([])
  })

  test('fills the most there may be', async () => {
    const meta = Object.fromEntries(
      Array.from({ length: 32 }, (_, n) => [`${n + 10}`, 'x'.repeat(510)]),
    )
    const { client } = await connected({
      client: (call, next) => {
        Object.assign(call.meta, meta)
        return next()
      },
    })
    expect(await client.other.metaOf()).toEqual(meta)
  })
})

describe('an option use', () => {
  test.each([
    ['log', 'string'],
    [null, 'null'],
    [[undefined], 'undefined'],
    [[(_: unknown, next: () => unknown) => next(), 5], 'number'],
  ])('that is %j is refused where it is written', (use, type) => {
    const url = 'ws://127.0.0.1:1'
    const options = { url, autoConnect: false, use: use as unknown as Middleware }
    const message = `use must be a middleware, (call, next) => …, or a list of them. One of them is of type ${type}`
    expect(() => createClient(contract, options)).toThrow(new RpcConfigError(message))
    expect(() => createEndpoint(contract, { methods, use: options.use })).toThrow(message)
  })

  test('that is an empty list is none', async () => {
    const { client } = await connected({ client: [], server: [] })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })
})

describe('under', () => {
  const nested = defineContract({
    server: {
      users: {
        get: method(),
        admin: { remove: method(), log: notification(), watch: stream({ item: z.number() }) },
        administer: method(),
      },
      ping: method(),
    },
    client: { users: { ask: method() } },
  })

  const methodsOfUsers = {
    users: {
      get: () => 'got',
      admin: { remove: () => 'removed', log: () => {}, watch: () => [1] },
      administer: () => 'administered',
    },
    ping: () => 'pong',
  }

  test('surrounds the methods of a group, in their order, and no others', async () => {
    const seen: string[] = []
    const tell =
      (by: string): Middleware =>
      ({ method: name, direction }, next) => {
        seen.push(`${by} ${direction} ${name}`)
        return next()
      }
    const requireAdmin: Middleware = ({ method: name }, next) => {
      if (name === 'users.admin.remove') throw new RpcError(-32_002, 'Only for admins')
      return next()
    }
    const use = [
      tell('all'),
      under('users.admin', [tell('admin'), requireAdmin]),
      under('users.get', tell('get')),
    ]
    const { client } = pairOf(nested, { server: { methods: methodsOfUsers, use } })
    const { other } = client
    expect(await rejection(other.users.admin.remove())).toMatchObject({ code: -32_002 })
    expect(await other.users.get()).toBe('got')
    expect(await other.users.administer()).toBe('administered')
    for await (const n of other.users.admin.watch()) expect(n).toBe(1)
    await other.users.admin.log()
    expect(await other.ping()).toBe('pong')
    expect(seen).toEqual([
      'all in users.admin.remove',
      'admin in users.admin.remove',
      'all in users.get',
      'get in users.get',
      'all in users.administer',
      'all in users.admin.watch',
      'admin in users.admin.watch',
      'all in users.admin.log',
      'admin in users.admin.log',
      'all in ping',
    ])
  })

  test('surrounds calls in both directions', async () => {
    const seen: string[] = []
    const use = under('users', ({ method: name, direction }, next) => {
      seen.push(`${direction} ${name}`)
      return next()
    })
    const ends = {
      server: { methods: methodsOfUsers, use },
      client: { methods: { users: { ask: () => 1 } } },
    }
    const { server, client } = pairOf(nested, ends)
    await client.other.users.get()
    expect(await server.other.users.ask()).toBe(1)
    expect(seen).toEqual(['in users.get', 'out users.ask'])
  })

  test('of a path that the contract does not have is refused, at any depth', () => {
    const pass: Middleware = (_, next) => next()
    for (const path of ['user', 'users.adm', 'users.admin.', 'ping.pong']) {
      for (const use of [under(path, pass), [under('users', [pass, under(path, pass)])]]) {
        expect(() => pairOf(nested, { server: { use } })).toThrow(
          new RpcConfigError(
            `under("${path}") would surround nothing: the contract has no group and no method of that path. Correct the path`,
          ),
        )
        expect(() =>
          createClient(nested, { url: 'ws://127.0.0.1', use, autoConnect: false }),
        ).toThrow(RpcConfigError)
      }
    }
    expect(() => under('', pass)).toThrow(/needs the path of a group first/)
    expect(() => under('users', [])).toThrow(/needs a middleware/)
    expect(() => under('users', undefined as never)).toThrow(/needs a middleware/)
    expect(() => under('users', 5 as never)).toThrow(/use must be a middleware/)
  })
})
