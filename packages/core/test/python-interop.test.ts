import {
  type ClientOptions,
  createClient,
  defineContract,
  method,
  notification,
  RpcDisconnectedError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint, type EndpointOptions, RejectUpgrade } from '@flashrpc/core/server'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { findPython } from '../../../scripts/python.js'
import { eventually, polled } from './support/eventually.js'
import { PythonProgram, requirements, requirementsWithPydantic1 } from './support/python-program.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

/** Against the library itself, fastapi_websocket_rpc from PyPI: see test/python. */

const found = await findPython(requirements)
const python = found.path ?? ''
if (found.missing !== undefined) {
  console.warn(`\nSkipped: all tests against Python's library. ${found.missing}.\n`)
}
const older = await findPython(requirementsWithPydantic1)
if (older.missing !== undefined) {
  console.warn(`\nSkipped: the tests against pydantic 1. ${older.missing}.\n`)
}
/** An interpreter takes its time to start where others are busy. */
const PATIENCE = 30_000

const report = z.object({
  title: z.string(),
  pages: z.number(),
  authors: z.array(z.object({ name: z.string(), email: z.string().nullable() })),
})

/** What test/python/server.py has. */
const theirs = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    add_untyped: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.string() }),
    report: method({ params: z.object({ title: z.string() }), result: report }),
    reports: method({ result: z.array(report) }),
    nothing: method({ result: z.void() }),
    numbers: method({ result: z.array(z.number().nullable()) }),
    slow: method({ params: z.object({ ms: z.number() }), result: z.string() }),
    fail: method({}),
    misuse: method({}),
    unknown: method({}),
    ask: notification({ params: z.object({ text: z.string() }) }),
    answers_so_far: method({ result: z.array(z.string()) }),
    ask_at_once: method({ params: z.object({ text: z.string() }), result: z.string() }),
    ping_me: method({}),
    who_am_i: method({ result: z.string() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.string() }),
    notify: notification({ params: z.object({ text: z.string() }) }),
  },
})
type Theirs = (typeof theirs)['server']
type TheirClient = (typeof theirs)['client']

/** What test/python/client.py calls, and can be called for. */
const ours = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    nothing: method({ result: z.void() }),
    report: method({ params: z.object({ title: z.string() }), result: report }),
    deploy: method({ params: z.object({ version: z.string() }), result: z.string() }),
    name: method({ result: z.string() }),
    fail: method({}),
    hang: method({}),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    answer: method({
      params: z.object({ text: z.string() }),
      result: z.object({ answer: z.string(), sure: z.boolean() }),
    }),
    notify: notification({ params: z.object({ text: z.string() }) }),
    fail: method({}),
  },
})
type Ours = (typeof ours)['server']
type OurClient = (typeof ours)['client']

/** What every peer of theirs has. */
interface Builtin {
  _ping_(): string
  _get_channel_id_(): string
}

/** What is to be closed when a test is over. */
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]()
})

function open<T extends AsyncDisposable>(resource: T): T {
  opened.push(resource)
  return resource
}

describe.skipIf(found.missing !== undefined)('a client of ours and a server of theirs', () => {
  let server: PythonProgram
  let port: number

  beforeAll(async () => {
    server = new PythonProgram(python, 'server.py')
    port = await server.next()
  }, PATIENCE)

  afterAll(() => server[Symbol.asyncDispose]())

  function connect(path = '/text', options: Partial<ClientOptions<TheirClient, Theirs>> = {}) {
    const told: string[] = []
    const errors: unknown[] = []
    const client = createClient(theirs, {
      url: `ws://127.0.0.1:${port}${path}`,
      dialect: pythonDialect(),
      retry: { minDelayMs: 5, maxDelayMs: 20 },
      methods: {
        confirm: ({ text }) => (text.includes('?') ? 'yes' : 'no'),
        notify: ({ text }) => void told.push(text),
      },
      onError: [(_, error) => errors.push(error)],
      ...options,
    } as ClientOptions<TheirClient, Theirs>)
    return { client: open(client), told, errors }
  }

  test('the client calls', async () => {
    const { client, errors } = connect()
    expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
    expect(await client.other.nothing()).toBeUndefined()
    expect(client.state).toMatchObject({ status: 'connected', latencyMs: expect.any(Number) })
    expect(errors).toEqual([])
  })

  test('models of pydantic arrive as objects that the contract checks', async () => {
    const { client } = connect()
    const one = {
      title: 'one',
      pages: 3,
      authors: [
        { name: 'Ada', email: null },
        { name: 'Alan', email: null },
      ],
    }
    expect(await client.other.report({ title: 'one' })).toEqual(one)
    expect(await client.other.reports()).toEqual([one, { ...one, title: 'two' }])
  })

  test('a method without a return type gives text, as it does in Python', async () => {
    const { client } = connect()
    expect(await client.other.add_untyped({ a: 5, b: 10 })).toBe('15')
  })

  test('many calls may be open at once; their server runs them one by one', async () => {
    const { client } = connect()
    const sums = Array.from({ length: 50 }, (_, n) => client.other.add({ a: n, b: 1 }))
    expect(await Promise.all(sums)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1))
    const done: string[] = []
    await Promise.all([
      client.other.slow({ ms: 100 }).then(() => done.push('slow')),
      client.other.add({ a: 1, b: 1 }).then(() => done.push('fast')),
    ])
    expect(done).toEqual(['slow', 'fast'])
  })

  test('the server calls the client, as it connects and later', async () => {
    const { client, told, errors } = connect()
    await polled(() => told).toEqual(['Welcome!'])
    await client.other.ask({ text: 'go?' })
    await polled(() => told).toEqual(['Welcome!', 'you said yes'])
    expect(await client.other.answers_so_far()).toEqual(['yes'])
    expect(errors).toEqual([])
  })

  test('either side pings the other in their way', async () => {
    const { client, told } = connect()
    await client.other.ping_me()
    await polled(() => told).toEqual(['Welcome!', 'ping: pong'])
    const untyped = open(
      createClient<Builtin, { notify(): void }>({
        url: `ws://127.0.0.1:${port}/text`,
        dialect: pythonDialect(),
        // Called as it connects; without it, it would have to end the connection.
        methods: { notify: () => {} },
      }),
    )
    expect(await untyped.call('_ping_')).toBe('pong')
    expect(await untyped.call('_get_channel_id_')).toMatch(/^[0-9a-f]{32}$/)
  })

  test('the heartbeat of a client in Node keeps to pings of the WebSocket', async () => {
    const { client, errors } = connect('/text', {
      heartbeat: { intervalMs: 20, timeoutMs: 2_000 },
    })
    await client.connect()
    const before = client.state.latencyMs
    await eventually(() => expect(client.state.latencyMs).not.toBe(before))
    expect(await client.other.add({ a: 1, b: 1 })).toBe(2)
    expect(client.state.attempt).toBe(0)
    expect(errors).toEqual([])
  })

  test('the server learns who the client is', async () => {
    const { client } = connect('/identified')
    expect(await client.other.who_am_i()).toBe(client.id)
  })

  test('binary frames go both ways', async () => {
    const { client } = connect('/binary', { frameType: 'binary' })
    expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
    expect((await client.other.report({ title: 'öffentlich' })).title).toBe('öffentlich')
  })

  test('the headers of the client reach their Depends, and its refusal stops the client', async () => {
    const { client } = connect('/guarded', { headers: { 'x-token': 'right' } })
    expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
    const { client: stranger } = connect('/guarded', { headers: { 'x-token': 'wrong' } })
    const error = await rejection(stranger.other.add({ a: 5, b: 10 }))
    expect(error).toMatchObject({ outcome: 'not-sent' })
    expect(String(error)).toContain('403')
    expect(stranger.state.status).toBe('failed')
  })

  test.each(['fail', 'unknown'] as const)(
    'at "%s" their server drops the connection: calls end with what to do, and the client goes on',
    async (name) => {
      const { client } = connect()
      const error = await rejection(client.call(name, undefined))
      expect(error).toBeInstanceOf(RpcDisconnectedError)
      expect(error).toMatchObject({ outcome: 'maybe-executed', method: name })
      expect(String(error)).toMatch(/a method is unknown, lacks an argument or raises; its log/)
      expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
    },
  )

  test('every other call on the connection goes with it', async () => {
    const { client } = connect()
    await client.connect()
    // Run one by one: the second is still waiting when the first fails.
    const outcomes = [rejection(client.other.fail()), rejection(client.other.add({ a: 1, b: 2 }))]
    for (const error of await Promise.all(outcomes)) {
      expect(error).toMatchObject({ outcome: 'maybe-executed' })
    }
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('what their server never answers ends at its timeout', async () => {
    const { client } = connect()
    const misused = await rejection(client.other.misuse(undefined, { timeout: 500 }))
    expect(misused).toBeInstanceOf(RpcTimeoutError)
    expect(misused).toMatchObject({ outcome: 'maybe-executed' })
    expect(await client.other.add({ a: 1, b: 2 })).toBe(3)
  })

  test('a call that their server makes within a call is never answered, and what follows waits', async () => {
    const asked: string[] = []
    const { client } = connect('/text', {
      methods: { confirm: ({ text }) => String(asked.push(text)), notify: () => {} },
    })
    const nested = await rejection(client.other.ask_at_once({ text: 'go?' }, { timeout: 500 }))
    expect(nested).toBeInstanceOf(RpcTimeoutError)
    expect(asked).toEqual(['go?'])
    const next = await rejection(client.other.add({ a: 1, b: 2 }, { timeout: 500 }))
    expect(next).toBeInstanceOf(RpcTimeoutError)
  })

  test('two clients at once are two', async () => {
    const [one, two] = [connect(), connect()]
    await one.client.other.ask({ text: 'go?' })
    await two.client.other.ask({ text: 'no' })
    await polled(() => [one.told, two.told]).toEqual([
      ['Welcome!', 'you said yes'],
      ['Welcome!', 'you said no'],
    ])
    expect(await one.client.other.answers_so_far()).toEqual(['yes'])
    expect(await two.client.other.answers_so_far()).toEqual(['no'])
  })
})

describe.skipIf(found.missing !== undefined)('a server of ours and clients of theirs', () => {
  async function serve(options: Partial<EndpointOptions<Ours, OurClient, string>> = {}) {
    const errors: unknown[] = []
    const endpoint = createEndpoint<Ours, OurClient, string>(ours, {
      dialect: pythonDialect(),
      methods: {
        add: ({ a, b }) => a + b,
        nothing: () => {},
        report: ({ title }) => ({ title, pages: 3, authors: [{ name: 'Ada', email: null }] }),
        async deploy({ version }, { channel }) {
          const answer = await channel.other.confirm({ text: `${version}?` })
          return `${version}: ${answer}`
        },
        name: (_, { identity }) => identity,
        fail: () => {
          throw new Error('a secret')
        },
        hang: () => new Promise(() => {}),
      },
      onError: [(_, error) => errors.push(error)],
      ...options,
    })
    open(endpoint)
    const { url } = await endpoint.listen()
    return { endpoint, url, errors }
  }

  function run(scenario: string, url: string): PythonProgram {
    return open(new PythonProgram(python, 'client.py', scenario, url))
  }

  test(
    'the client calls, many times at once',
    async () => {
      const { url, errors } = await serve()
      expect(await run('calls', url).next()).toEqual({
        result: 15,
        type: 'int',
        many: Array.from({ length: 50 }, (_, n) => n + 1),
        nothing: null,
        report: { title: 'one', pages: 3, authors: [{ name: 'Ada', email: null }] },
      })
      expect(errors).toEqual([])
    },
    PATIENCE,
  )

  test(
    'the server calls its clients, from onConnect on, and each for itself',
    async () => {
      const answers: string[] = []
      const { endpoint, url, errors } = await serve({
        onConnect: [
          async (channel) => {
            answers.push(await channel.other.confirm({ text: 'go?' }))
            await channel.other.notify({ text: 'Welcome!' })
          },
        ],
      })
      const clients = [run('called', url), run('called', url)]
      await expect.poll(() => answers, { timeout: PATIENCE }).toEqual(['yes', 'yes'])
      const channels = [...endpoint.channels]
      expect(channels).toHaveLength(2)
      for (const [n, { other }] of channels.entries()) {
        // A model of pydantic as the result.
        expect(await other.answer({ text: `${n}` })).toEqual({ answer: `${n}`, sure: true })
        const many = Array.from({ length: 20 }, () => other.confirm({ text: 'no' }))
        expect(new Set(await Promise.all(many))).toEqual(new Set(['no']))
        await other.notify({ text: `you are ${n}` })
        await other.notify({ text: 'go' })
      }
      const told = await Promise.all(clients.map((client) => client.next()))
      expect(told.sort()).toEqual([0, 1].map((n) => ['Welcome!', `you are ${n}`, 'go']))
      expect(errors).toEqual([])
    },
    PATIENCE,
  )

  test(
    'a method may call the client back while the client waits for it',
    async () => {
      const { url } = await serve()
      expect(await run('nested', url).next()).toBe('v2: yes')
    },
    PATIENCE,
  )

  test(
    'their keep-alive is answered, and the server says who it is',
    async () => {
      const ids: string[] = []
      const { url } = await serve({ onConnect: [(channel) => ids.push(channel.id)] })
      const seen = await run('keep_alive', url).next()
      expect(seen).toEqual({ alive: true, closed: false, id: ids[0] })
    },
    PATIENCE,
  )

  test(
    'a call that fails ends its connection, the reason is told here, and a new one goes on',
    async () => {
      const { url, errors } = await serve()
      expect(await run('failing', url).next()).toEqual([...Array(6).fill('closed'), 3])
      expect(errors.map(String)).toEqual([
        'Error: a secret',
        expect.stringMatching(/Internal error in "fail"\. .*the connection was closed/),
        expect.stringMatching(/Method not found: "unknown"\. .*the connection was closed/),
        expect.stringMatching(/Invalid params for "add".*\. .*the connection was closed/),
      ])
    },
    PATIENCE,
  )

  test(
    'a method of theirs that raises leaves our call to its timeout: their client reads no more',
    async () => {
      const { endpoint, url } = await serve()
      run('called', url)
      await expect.poll(() => endpoint.channels.size, { timeout: PATIENCE }).toBe(1)
      const [channel] = endpoint.channels
      await channel?.other.confirm({ text: 'there?' })
      const error = await rejection(
        channel?.other.fail(undefined, { timeout: 500 }) ?? Promise.resolve(),
      )
      expect(error).toBeInstanceOf(RpcTimeoutError)
      expect(error).toMatchObject({ outcome: 'maybe-executed' })
    },
    PATIENCE,
  )

  test(
    'their headers reach authenticate, and a refusal reaches them',
    async () => {
      const { url } = await serve({
        authenticate: ({ headers }) => {
          if (headers['x-token'] !== 'right') throw new RejectUpgrade(401, 'Who are you?')
          return 'Ada'
        },
      })
      expect(await run('authenticated', url).next()).toEqual({ refused: 401, name: 'Ada' })
    },
    PATIENCE,
  )

  test(
    'one that speaks binary frames is answered in them',
    async () => {
      const { url } = await serve()
      expect(await run('binary', url).next()).toBe(15)
    },
    PATIENCE,
  )

  test(
    'clients of three kinds share an endpoint, told apart by their first frames',
    async () => {
      const { endpoint, url, errors } = await serve()
      const pythonClient = run('called', url)
      const client = open(
        createClient(ours, {
          url,
          methods: { confirm: () => 'no' as const, notify: () => {} },
        }),
      )
      expect(await client.other.deploy({ version: 'v1' })).toBe('v1: no')
      const raw = open(await rawClient(url))
      raw.send({ jsonrpc: '2.0', id: 'x', method: 'add', params: { a: 5, b: 10 } })
      expect(await raw.nextJson()).toEqual({ jsonrpc: '2.0', id: 'x', result: 15 })
      // A client of ours that has the dialect is one like theirs.
      const alike = open(
        createClient(ours, {
          url,
          dialect: pythonDialect(),
          methods: { confirm: () => 'yes' as const, notify: () => {} },
        }),
      )
      expect(await alike.other.deploy({ version: 'v2' })).toBe('v2: yes')
      await expect.poll(() => endpoint.channels.size, { timeout: PATIENCE }).toBe(4)
      for (const { other } of endpoint.channels) await other.notify({ text: 'go' })
      expect(await pythonClient.next()).toEqual(['go'])
      expect(await raw.nextJson()).toMatchObject({ method: 'notify', params: { text: 'go' } })
      expect(errors).toEqual([])
    },
    PATIENCE,
  )
})

describe.each([
  ['pydantic 2', found],
  ['pydantic 1', older],
])(
  'NaN and Infinity of a peer with %s are null, and the connection goes on',
  (_, { path, missing }) => {
    test.skipIf(missing !== undefined)(
      'in results of a server',
      async () => {
        const server = open(new PythonProgram(path ?? '', 'server.py'))
        const port = await server.next()
        const errors: unknown[] = []
        for (const [route, frameType] of [
          ['/text', 'text'],
          ['/binary', 'binary'],
        ] as const) {
          const client = open(
            createClient(theirs, {
              url: `ws://127.0.0.1:${port}${route}`,
              dialect: pythonDialect(),
              frameType,
              methods: { confirm: () => 'yes', notify: () => {} },
              onError: [(_, error) => errors.push(error)],
            }),
          )
          await client.connect()
          let changes = 0
          client.subscribe(({ status }) => void (status === 'connected' || changes++))
          expect(await client.other.numbers()).toEqual([1.5, null, null, null])
          expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
          expect(changes).toBe(0)
        }
        expect(errors).toEqual([])
      },
      2 * PATIENCE,
    )

    test.skipIf(missing !== undefined)(
      'in calls of a client',
      async () => {
        const errors: unknown[] = []
        const endpoint = open(
          createEndpoint<{
            echo(params: { value: unknown }): unknown
            add(params: { a: number; b: number }): number
          }>({
            dialect: pythonDialect(),
            methods: { echo: ({ value }) => value, add: ({ a, b }) => a + b },
            onError: [(_, error) => errors.push(error)],
          }),
        )
        const { url } = await endpoint.listen()
        const client = open(new PythonProgram(path ?? '', 'client.py', 'not_a_number', url))
        expect(await client.next()).toEqual([[1.5, null, null, 'NaN'], 15])
        expect(errors).toEqual([])
      },
      2 * PATIENCE,
    )
  },
)
