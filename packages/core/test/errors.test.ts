import {
  createChannel,
  createClient,
  defineContract,
  ErrorCode,
  memoryTransportPair,
  method,
  notification,
  RpcConfigError,
  RpcError,
  RpcOverloadedError,
  RpcValidationError,
} from '@flashrpc/core'
import { createEndpoint, type Endpoint } from '@flashrpc/core/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { pairOf, plainPairOf } from './support/pair.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Server {
  fail(): void
  give(): unknown
  echo(params: object): unknown
}

const SECRET = 'secret: the password is 1234'

/** Things that can be thrown, and that say more than a caller should learn. */
const thrown: [string, () => unknown][] = [
  ['an Error', () => new Error(SECRET, { cause: new Error(SECRET) })],
  ['a TypeError', () => new TypeError(SECRET)],
  ['a string', () => SECRET],
  ['null', () => null],
  ['undefined', () => undefined],
  ['0', () => 0],
  ['a symbol', () => Symbol(SECRET)],
  ['a BigInt', () => 10n],
  ['an object like an error', () => ({ code: 1, message: SECRET })],
  ['an error with a code', () => Object.assign(new Error(SECRET), { code: 5 })],
  ['a frozen error', () => Object.freeze(new Error(SECRET))],
  [
    'an error whose members throw',
    () =>
      Object.defineProperties(new Error(), {
        stack: {
          get: () => {
            throw new Error(SECRET)
          },
        },
        message: {
          get: () => {
            throw new Error(SECRET)
          },
        },
        code: {
          get: () => {
            throw new Error(SECRET)
          },
        },
      }),
  ],
  [
    'an error whose message is a symbol',
    () => Object.defineProperty(new Error(), 'message', { value: Symbol(SECRET) }),
  ],
  [
    'a cyclic error',
    () => {
      const error: Error & { self?: unknown } = new Error(SECRET)
      error.self = error
      error.cause = error
      return error
    },
  ],
  [
    'a proxy that throws at everything',
    () => {
      const fail = () => {
        throw new Error(SECRET)
      }
      return new Proxy({}, { get: fail, getPrototypeOf: fail, has: fail, ownKeys: fail })
    },
  ],
]

describe('a handler that throws', () => {
  test.each(thrown)('%s tells its caller that it failed, and nothing else', async (_, make) => {
    await using endpoint = createEndpoint<Server>({
      methods: {
        fail: () => {
          throw make()
        },
        give: () => Promise.reject(make()),
        echo: (params) => params,
      },
    })
    await using peer = await rawClient((await endpoint.listen()).url)
    for (const name of ['fail', 'give']) {
      peer.send({ jsonrpc: '2.0', method: name, id: 1 })
      const text = await peer.next()
      expect(JSON.parse(text)).toStrictEqual({
        jsonrpc: '2.0',
        id: 1,
        error: { code: -32603, message: `Internal error in "${name}"` },
      })
    }
    peer.send({ jsonrpc: '2.0', method: 'echo', id: 2, params: {} })
    expect(await peer.nextJson()).toMatchObject({ id: 2, result: {} })
  })

  test.each(thrown)('%s is told to onError as it is', async (_, make) => {
    const errors: unknown[] = []
    const value = make()
    const { client } = plainPairOf<Server>({
      server: {
        methods: {
          fail: () => {
            throw value
          },
        },
        onError: [(_, error) => errors.push(error)],
      },
    })
    expect(await rejection(client.other.fail())).toMatchObject({ code: -32603 })
    // Not shown to `expect`, which would read it.
    expect(errors.length === 1 && Object.is(errors[0], value)).toBe(true)
  })

  test.each(thrown)('%s does no harm where errors are exposed', async (_, make) => {
    const { client } = plainPairOf<Server>({
      server: {
        exposeErrors: true,
        methods: {
          fail: () => {
            throw make()
          },
        },
      },
    })
    const error = (await rejection(client.other.fail())) as RpcError
    expect(error).toMatchObject({ code: -32603, data: undefined })
    expect(error.message).toContain('Internal error in "fail": ')
    expect(error.message).not.toMatch(/\.ts:/)
  })

  test('tells the text of its error where errors are exposed', async () => {
    const { client } = plainPairOf<Server>({
      server: {
        exposeErrors: true,
        methods: {
          fail: () => {
            throw new Error('No disk')
          },
        },
      },
    })
    expect(await rejection(client.other.fail())).toHaveProperty(
      'message',
      'Internal error in "fail": No disk',
    )
  })

  test('an RpcError hands on its code, message and data, and neither stack nor cause', async () => {
    await using endpoint = createEndpoint<Server>({
      methods: {
        fail: () => {
          throw new RpcError(4004, 'No such report', { id: 7 }, { cause: new Error(SECRET) })
        },
        give: () => null,
        echo: () => null,
      },
    })
    await using peer = await rawClient((await endpoint.listen()).url)
    peer.send({ jsonrpc: '2.0', method: 'fail', id: 1 })
    expect(await peer.nextJson()).toStrictEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: 4004, message: 'No such report', data: { id: 7 } },
    })
  })

  test('an RpcError without a code that JSON-RPC allows is an internal error', async () => {
    const { client } = plainPairOf<Server>({
      server: {
        methods: {
          fail: () => {
            throw new RpcError(1.5, SECRET)
          },
        },
      },
    })
    expect(await rejection(client.other.fail())).toMatchObject({
      code: -32603,
      message: 'Internal error in "fail"',
    })
  })

  test('a handler of a notification that throws is told to onError; the others still hear', async () => {
    const errors: unknown[] = []
    const heard: string[] = []
    const contract = defineContract({ server: { note: notification() } })
    const { server, client } = pairOf(contract, {
      server: { onError: [(_, error) => errors.push(error)] },
    })
    server.expose('note', () => {
      throw new Error('first')
    })
    server.expose('note', () => Promise.reject(new Error('second')))
    server.expose('note', () => void heard.push('third'))
    await client.other.note()
    await polled(() => heard).toStrictEqual(['third'])
    await polled(() => errors).toStrictEqual([new Error('first'), new Error('second')])
  })

  test('an onError that fails harms nobody, and the next one still hears', async () => {
    const errors: unknown[] = []
    const { client } = plainPairOf<Server>({
      server: {
        methods: {
          fail: () => {
            throw new Error('No disk')
          },
          echo: (params) => params,
        },
        onError: [
          () => {
            throw new Error('Not now')
          },
          () => Promise.reject(new Error('Not now')),
          (_, error) => errors.push(error),
        ],
      },
    })
    await rejection(client.other.fail())
    expect(errors).toStrictEqual([new Error('No disk')])
    expect(await client.other.echo({ a: 1 })).toStrictEqual({ a: 1 })
  })
})

describe('values that JSON cannot carry', () => {
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const values: [string, unknown][] = [
    ['a BigInt', { big: 10n }],
    ['a cycle', cyclic],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error(SECRET)
        },
      },
    ],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error(SECRET)
        },
      },
    ],
    [
      'nesting that is too deep',
      Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], null),
    ],
  ]

  test.each(values)('%s in params is refused before it is sent', async (_, value) => {
    const seen: unknown[] = []
    const { client } = plainPairOf<Server>({
      server: { methods: { echo: (p) => void seen.push(p) } },
    })
    const error = await rejection(client.other.echo({ value }))
    expect(error).toBeInstanceOf(RpcValidationError)
    expect(error).toMatchObject({ outcome: 'not-sent', method: 'echo' })
    expect(await rejection(client.notify('echo', { value }))).toBeInstanceOf(RpcValidationError)
    expect(await client.other.echo({ a: 1 })).toBeNull()
    expect(seen).toStrictEqual([{ a: 1 }])
  })

  test.each(values)('%s in a result is an error, and nothing of it is told', async (_, value) => {
    const errors: unknown[] = []
    const { client } = plainPairOf<Server>({
      server: {
        methods: { give: () => value, echo: (params) => params },
        onError: [(_, error) => errors.push(error)],
      },
    })
    const error = (await rejection(client.other.give())) as RpcError
    expect(error).toMatchObject({ code: -32603, data: undefined })
    expect(error.message).toContain('"give"')
    expect(error.message).not.toContain('secret')
    expect(errors).toHaveLength(1)
    expect(await client.other.echo({ a: 1 })).toStrictEqual({ a: 1 })
  })

  test.each(values)('%s in the data of an error is an error of its own', async (_, value) => {
    const { client } = plainPairOf<Server>({
      server: {
        methods: {
          fail: () => {
            throw new RpcError(5, 'With data', value)
          },
        },
      },
    })
    expect(await rejection(client.other.fail())).toMatchObject({ code: -32603 })
  })

  test.each([
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
  ])('%s as a result is an error', async (_, value) => {
    const { client } = plainPairOf<Server>({ server: { methods: { give: () => value } } })
    expect(await rejection(client.other.give())).toMatchObject({ code: -32603 })
  })

  test('undefined as a result arrives as null', async () => {
    const { client } = plainPairOf<Server>({ server: { methods: { give: () => undefined } } })
    expect(await client.other.give()).toBeNull()
  })

  test('a promise of a result is waited for', async () => {
    // biome-ignore lint/suspicious/noThenProperty: it is the subject
    const later = { then: (resolve: (value: number) => void) => resolve(7) }
    const { client } = plainPairOf<Server>({ server: { methods: { give: () => later } } })
    expect(await client.other.give()).toBe(7)
  })

  test('params are taken as they are when the call is made', async () => {
    const { client } = plainPairOf<Server>({ server: { methods: { echo: (params) => params } } })
    const params = { a: 1 }
    const calling = client.other.echo(params)
    params.a = 2
    expect(await calling).toStrictEqual({ a: 1 })
  })
})

describe('a method that cannot be called', () => {
  const contract = defineContract({
    server: { add: method(), note: notification() },
    client: { ask: method() },
  })

  test('is refused on this side where the contract does not have it', async () => {
    const { client } = pairOf(contract)
    for (const name of ['sub', 'ask', 'toString', '__proto__', 'rpc.hello', 'rpc.ping', '']) {
      const error = await rejection(client.call(name as 'add'))
      expect(error).toBeInstanceOf(RpcConfigError)
      expect(error).toMatchObject({ method: name, message: expect.stringContaining('add, note') })
      expect(await rejection(client.notify(name as 'add'))).toBeInstanceOf(RpcConfigError)
    }
    expect(await rejection(client.call(1 as unknown as 'add'))).toBeInstanceOf(RpcConfigError)
  })

  test('names the nearest one of the own contract, and the first of many', async () => {
    const { client, server } = pairOf(contract)
    const config = { name: 'RpcConfigError' }
    expect(await rejection(client.call('ad' as 'add'))).toMatchObject({
      ...config,
      message: `Unknown method "ad": the other side of the contract has add, note. Did you mean "add"?`,
    })
    expect(await rejection(client.notify('Noet' as 'note'))).toMatchObject({
      ...config,
      message: expect.stringMatching(/Did you mean "note"\?$/),
    })
    expect(await rejection(client.call('remove' as 'add'))).toMatchObject({
      message: expect.stringMatching(
        /has add, note\. Check the spelling, or add it to the contract$/,
      ),
    })
    expect(await rejection(server.call('aks' as 'ask'))).toMatchObject({
      message: expect.stringMatching(/has ask\. Did you mean "ask"\?$/),
    })
    expect(() => server.expose('adds' as 'add', () => {})).toThrow(
      `"adds" can't be exposed: the contract's server side has add, note. Did you mean "add"?`,
    )
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`get${n}`, method()]))
    const large = pairOf(defineContract({ server: many }))
    expect(await rejection(large.client.call('gte499'))).toMatchObject({
      message: expect.stringMatching(/has get0, .*get9 and 490 more\. Did you mean "get499"\?$/),
    })
  })

  test('says that the other side may be older, which tells no name of its own', async () => {
    const newer = defineContract({ server: { add: method(), addAll: method() } })
    const older = defineContract({ server: { add: method(), secret: method() } })
    const [near, far] = memoryTransportPair()
    const server = createChannel(older, {
      side: 'server',
      transport: far,
      methods: { add() {}, secret() {} },
    })
    const client = createChannel(newer, { side: 'client', transport: near })
    const error = await rejection(client.other.addAll())
    expect(error).toMatchObject({
      code: ErrorCode.methodNotFound,
      message:
        'Method not found: "addAll". The contract here has it, so the other side may be older',
    })
    expect(error).not.toHaveProperty('data.known')
    await client.close()
    await server.close()
    const { client: untyped } = plainPairOf<Server>()
    expect(await rejection(untyped.other.fail())).toMatchObject({
      message:
        'Method not found: "fail". Correct the name, unless the other side is older and lacks it',
    })
  })

  test('is no error of a handler whose code says something else', async () => {
    const text = 'Method not found: "fail"'
    const fail = () => {
      throw new RpcError(-32050, text)
    }
    const { client } = plainPairOf<Server>({ server: { methods: { fail } as never } })
    expect(await rejection(client.other.fail())).toMatchObject({ code: -32050, message: text })
  })

  test('is told in the words of a handler that says so itself', async () => {
    const text = 'There is no such report'
    const fail = () => {
      throw new RpcError(ErrorCode.methodNotFound, text)
    }
    const { client } = plainPairOf<Server>({ server: { methods: { fail } as never } })
    expect(await rejection(client.other.fail())).toMatchObject({ code: -32601, message: text })
  })

  test('is answered -32601 where nobody has that name', async () => {
    const { client } = plainPairOf<Server>()
    expect(await rejection(client.other.fail())).toMatchObject({
      code: ErrorCode.methodNotFound,
      method: 'fail',
      data: undefined,
    })
  })

  test('says so where it is in the contract but not mounted', async () => {
    const { client, server } = pairOf(contract)
    const error = await rejection(client.other.add())
    expect(error).toMatchObject({ code: -32601, data: { reason: 'not-mounted' } })
    expect(await rejection(server.other.ask())).toMatchObject({ data: { reason: 'not-mounted' } })
  })

  test.each([Number.NaN, -1, '5'])('is refused a timeout of %s', async (timeout) => {
    const { client } = pairOf(contract, { server: { methods: { add: () => 1 } } })
    const error = await rejection(client.other.add(undefined, { timeout: timeout as number }))
    expect(error).toBeInstanceOf(RpcConfigError)
    expect(error).toMatchObject({ message: expect.stringContaining('"add"') })
    expect(await client.other.add(undefined, { timeout: Number.POSITIVE_INFINITY })).toBe(1)
  })
})

describe('messages that are too large', () => {
  interface Both {
    echo(params: { text: string }): string
    give(params: { bytes: number }): string
  }
  const methods = {
    echo: ({ text }: { text: string }) => text,
    give: ({ bytes }: { bytes: number }) => 'x'.repeat(bytes),
  }
  let endpoint: Endpoint<Both, Both>
  let url: string

  beforeEach(async () => {
    endpoint = createEndpoint<Both, Both>({ methods, limits: { message: 1_000 } })
    ;({ url } = await endpoint.listen())
  })

  afterEach(() => endpoint.close())

  test('are refused by their sender, and the connection goes on', async () => {
    await using client = createClient<Both, Both>({ url, methods })
    await client.connect()
    const calling = client.other.echo({ text: 'other' })
    for (const text of ['x'.repeat(1_000), 'ü'.repeat(500)]) {
      const error = await rejection(client.other.echo({ text }))
      expect(error).toBeInstanceOf(RpcOverloadedError)
      expect(error).toMatchObject({
        outcome: 'not-sent',
        message: expect.stringMatching(/"echo".*1000 bytes/),
      })
      expect(await rejection(client.notify('echo', { text }))).toBeInstanceOf(RpcOverloadedError)
    }
    expect(await calling).toBe('other')
    expect(await client.other.echo({ text: 'ü'.repeat(400) })).toHaveLength(400)
    expect(endpoint.channels.size).toBe(1)
  })

  test('are refused too where they waited for the connection', async () => {
    await using client = createClient<Both, Both>({ url })
    const calls = [
      rejection(client.other.echo({ text: 'x'.repeat(1_000) })),
      client.other.echo({ text: 'small' }),
    ]
    expect(await calls[0]).toBeInstanceOf(RpcOverloadedError)
    expect(await calls[1]).toBe('small')
  })

  test('are not answered with either: the caller is told why', async () => {
    await using client = createClient<Both, Both>({ url, limits: { message: 500 } })
    const error = await rejection(client.other.give({ bytes: 600 }))
    expect(error).toMatchObject({
      code: -32003,
      message: expect.stringMatching(/"give".*500 bytes/),
    })
    expect(await client.other.give({ bytes: 100 })).toHaveLength(100)
  })

  test('end the connection of a peer that sends them all the same, with 1009', async () => {
    await using peer = await rawClient(url)
    peer.send({ jsonrpc: '2.0', method: 'echo', id: 1, params: { text: 'x'.repeat(1_000) } })
    expect((await peer.closed).code).toBe(1009)
    expect(peer.unread).toStrictEqual([])
    await polled(() => endpoint.channels.size).toBe(0)
  })

  test('end the connection of a client with 1009 too, and it comes back', async () => {
    await using server = await RawServer.listen()
    const retry = { minDelayMs: 5, maxDelayMs: 20 }
    await using client = createClient<Both>({ url: server.url, limits: { message: 500 }, retry })
    const peer = await server.acceptPlain()
    const cut = rejection(client.other.echo({ text: '' }))
    const { id } = await peer.nextJson()
    peer.send({ jsonrpc: '2.0', id, result: 'x'.repeat(500) })
    expect((await peer.closed).code).toBe(1009)
    expect(await cut).toMatchObject({ outcome: 'maybe-executed' })
    await server.acceptPlain()
  })
})

describe('frames that cannot be read', () => {
  test('are answered -32700, told to onError, and harm no call', async () => {
    const errors: unknown[] = []
    let release: (value: null) => void = () => {}
    await using endpoint = createEndpoint<Server>({
      methods: {
        fail: () => {},
        give: () =>
          new Promise((resolve) => {
            release = resolve
          }),
        echo: (params) => params,
      },
      onError: [(_, error) => errors.push(error)],
    })
    await using peer = await rawClient((await endpoint.listen()).url)
    peer.send({ jsonrpc: '2.0', method: 'give', id: 1 })
    const frames = ['', '{', 'hello', '\u0000', '{"a":1}}', new Uint8Array(), new Uint8Array([255])]
    for (const frame of frames) {
      peer.send(frame)
      expect(await peer.nextJson()).toMatchObject({ id: null, error: { code: -32700 } })
    }
    release(null)
    expect(await peer.nextJson()).toStrictEqual({ jsonrpc: '2.0', id: 1, result: null })
    expect(errors).toHaveLength(frames.length)
    expect(errors[0]).toMatchObject({ code: ErrorCode.protocol })
  })

  test('are told to onError where the other side says that ours was one', async () => {
    await using server = await RawServer.listen()
    const errors: unknown[] = []
    await using client = createClient<Server>({
      url: server.url,
      onError: [(_, error) => errors.push(error)],
    })
    const peer = await server.acceptPlain()
    peer.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } })
    await polled(() => errors).toMatchObject([
      { code: ErrorCode.protocol, message: expect.stringContaining('-32700') },
    ])
    expect(client.state.status).toBe('connected')
  })

  test('end the connection where text is no UTF-8 (RFC 6455, section 8.1)', async () => {
    await using endpoint = createEndpoint<Server>({
      methods: { fail: () => {}, give: () => null, echo: (params) => params },
    })
    const { url } = await endpoint.listen()
    await using peer = await rawClient(url)
    await using neighbour = await rawClient(url)
    peer.socket.send(new Uint8Array([0x22, 0xff, 0x22]), { binary: false })
    expect((await peer.closed).code).toBe(1007)
    neighbour.send({ jsonrpc: '2.0', method: 'give', id: 1 })
    expect(await neighbour.nextJson()).toMatchObject({ id: 1 })
  })
})

describe("an error of this library's own", () => {
  interface Near {
    fail(params: { way: string }): void
    note(params: { way: string }): void
  }
  interface Far {
    wait(): void
    give(): number
    refuse(): void
    read(): void
  }
  const shape = defineContract({
    server: { give: method({ result: z.string() }), wait: method(), refuse: method() },
  })

  async function served() {
    const far = createEndpoint<Far>({
      methods: {
        wait: () => new Promise(() => {}),
        give: () => 5,
        refuse: () => {
          throw new RpcError(4004, 'No such report', { id: 7 })
        },
        read: async (_, { input }) => {
          for await (const _ of input);
        },
      },
    })
    const { url } = await far.listen()
    const toFar = createClient<Far>({ url })
    const typed = createClient(shape, { url })
    const closed = createClient<Far>({ url })
    await closed.close()
    const middle = createClient<Far>({
      url,
      use: () => {
        throw new Error(SECRET)
      },
    })
    /** Failures on the handler's side, each with the error that `onError` must be told. */
    const ways: Record<string, [() => unknown, object]> = {
      'a wrong timeout': [
        () => toFar.other.wait(undefined, { timeout: -1 }),
        { name: 'RpcConfigError' },
      ],
      'a bigint in params': [
        () => toFar.call('wait', { a: 1n } as never),
        { name: 'RpcValidationError' },
      ],
      'a key where none are kept': [
        () => toFar.other.wait(undefined, { idempotencyKey: 'a' }),
        { name: 'RpcConfigError' },
      ],
      'a closed client': [() => closed.other.wait(), { name: 'RpcDisconnectedError' }],
      'a closed client that is to connect': [
        () => closed.connect(),
        { name: 'RpcDisconnectedError' },
      ],
      'a timeout of its own': [
        () => toFar.other.wait(undefined, { timeout: 20 }),
        { name: 'RpcTimeoutError' },
      ],
      'a signal of its own': [
        () => toFar.other.wait(undefined, { signal: AbortSignal.timeout(20) }),
        { name: 'RpcAbortedError' },
      ],
      'a signal that is aborted already': [
        () => toFar.other.wait(undefined, { signal: AbortSignal.abort() }),
        { name: 'RpcAbortedError' },
      ],
      'an input that fails': [
        () =>
          toFar.call('read', undefined, {
            input: (async function* () {
              yield 1
              throw new Error(SECRET)
            })(),
          } as never),
        { name: 'RpcAbortedError' },
      ],
      'a middleware that fails': [
        () => middle.other.wait(),
        { code: -32603, message: expect.stringContaining(SECRET) },
      ],
      'a result that breaks its schema': [() => typed.other.give(), { name: 'RpcValidationError' }],
      'an option that is wrong': [
        () => createClient({ url: 'http://127.0.0.1' }),
        { name: 'RpcConfigError' },
      ],
    }
    const errors: unknown[] = []
    const run = ({ way }: { way: string }) => ways[way]?.[0]() as undefined
    const near = createEndpoint<Near>({
      methods: {
        fail: run,
        note: run,
        refused: () => toFar.other.refuse(),
      } as never,
      onError: [(_, error) => errors.push(error)],
    })
    const client = createClient<Near & { refused(): void }>({ url: (await near.listen()).url })
    const close = async () => {
      const clients = [client, toFar, typed, middle]
      await Promise.all(clients.map((one) => one.close()))
      await Promise.all([near, far].map((one) => one.close()))
    }
    return { client, ways, errors, [Symbol.asyncDispose]: close }
  }

  test('is told to onError where a handler does not catch it, and not to the caller', async () => {
    await using scene = await served()
    const { client, ways, errors } = scene
    for (const [way, [, known]] of Object.entries(ways)) {
      const error = await rejection(client.other.fail({ way }))
      expect(error, way).toMatchObject({
        name: 'RpcError',
        code: -32603,
        message: 'Internal error in "fail"',
        data: undefined,
      })
      expect(errors.splice(0), way).toMatchObject([known])
    }
  })

  test('is the answer of another call no more than that', async () => {
    await using scene = await served()
    const error = await rejection(scene.client.other.refused())
    expect(error).toMatchObject({ code: 4004, message: 'No such report', data: { id: 7 } })
    expect(scene.errors).toEqual([])
  })

  test('of what decides over a call is no refusal of it', async () => {
    const errors: unknown[] = []
    await using far = createEndpoint<Far>({
      methods: { wait: () => new Promise(() => {}) } as never,
    })
    await using toFar = createClient<Far>({ url: (await far.listen()).url })
    await using near = createEndpoint<{ give(): number }>({
      authorize: async () => {
        await toFar.other.wait(undefined, { timeout: 20 })
        return true
      },
      discover: true,
      methods: { give: () => 5 },
      onError: [(_, error) => errors.push(error)],
    })
    await using client = createClient<{ give(): number }>({ url: (await near.listen()).url })
    expect(await rejection(client.other.give())).toMatchObject({ code: -32603 })
    const anyClient: { call(method: string): Promise<unknown> } = client
    expect(await rejection(anyClient.call('rpc.discover'))).toMatchObject({ code: -32603 })
    expect(errors).toMatchObject([{ name: 'RpcTimeoutError' }, { name: 'RpcTimeoutError' }])
  })
})
