import {
  type AnyClient,
  createClient as createStandardClient,
  defineContract,
  memoryTransportPair,
  method,
  RpcConfigError,
  RpcError,
  type ServerChannel,
  stream,
} from '@flashrpc/core'
import {
  bytes,
  deadlines,
  diagnostics,
  discovery,
  drain,
  type Feature,
  keepalive,
  keys,
  members,
  middleware,
  presence,
  progress,
  sessions,
  streams,
  tap,
} from '@flashrpc/core/features'
import { createChannel, createClient } from '@flashrpc/core/lite'
import { createEndpoint } from '@flashrpc/core/lite/server'
import { createEndpoint as createStandardEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

const ALL: readonly Feature[] = [
  streams(),
  progress(),
  deadlines(),
  keys(),
  middleware(),
  presence(),
  discovery(),
  members(),
  drain(),
  sessions(),
  tap(),
  bytes(),
]

interface Server {
  add(params: { a: number; b: number }): number
  count(params: { upTo: number }): AsyncIterable<number>
  heard(params: { text: string }): void
  fail(): never
  half(): string
  charge(): number
  turned(params: { file: Uint8Array }): { file: Uint8Array }
}

// biome-ignore lint/suspicious/noExplicitAny: of every contract
type AnyServerChannel = ServerChannel<any, any>

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const SETS: readonly (readonly [name: string, features: readonly Feature[] | 'standard'])[] = [
  ['none', []],
  ...ALL.map((feature) => [feature.name, [feature]] as const),
  // Diagnostics change texts, and a keepalive asks after a silence only.
  ['all', [...ALL, keepalive(), diagnostics()]],
  ['standard', 'standard'],
]

const PAIRS = SETS.flatMap(([server, serving]) =>
  SETS.map(([client, calling]) => [server, client, serving, calling] as const),
)

function has(features: readonly Feature[] | 'standard', name: string): boolean {
  return features === 'standard' || features.some((feature) => feature.name === name)
}

async function scene(
  serving: readonly Feature[] | 'standard',
  calling: readonly Feature[] | 'standard',
) {
  const heard: string[] = []
  let charged = 0
  const server = {
    ...(has(serving, 'sessions') && { resume: {} }),
    ...(has(serving, 'keys') && { idempotency: { store: memoryResultStore() } }),
    ...(has(serving, 'discovery') && { discover: true }),
    logger: false as const,
    methods: {
      add: ({ a, b }: { a: number; b: number }) => a + b,
      async *count({ upTo }: { upTo: number }) {
        for (let n = 1; n <= upTo; n++) yield n
      },
      heard: ({ text }: { text: string }) => void heard.push(text),
      fail() {
        throw new RpcError(7, 'as it should')
      },
      half(_: unknown, { progress: tell }: { progress: (value: unknown) => void }) {
        tell(50)
        return 'done'
      },
      charge: () => ++charged,
      turned: ({ file }: { file: Uint8Array }) => ({ file: file.toReversed() }),
    },
  }
  const endpoint =
    serving === 'standard'
      ? createStandardEndpoint<Server>(server)
      : createEndpoint<Server>({ ...server, features: serving })
  closing.push(() => endpoint.close())
  const { port } = await endpoint.listen()
  const proxy = await createFaultProxy({ port })
  closing.push(() => proxy.close())
  const options = {
    url: `ws://127.0.0.1:${proxy.port}/`,
    retry: { minDelayMs: 1 },
    logger: false as const,
    methods: { here: () => 'here' },
  }
  const client: AnyClient =
    calling === 'standard'
      ? createStandardClient<Server, { here(): string }>(options)
      : createClient<Server, { here(): string }>({ ...options, features: calling })
  closing.push(() => client.close())
  await client.connect()
  return { endpoint, client, proxy, heard, charged: () => charged }
}

describe('features', () => {
  test.each(PAIRS)('a server with %s, and a client with %s', async (_, __, serving, calling) => {
    const both = (name: string) => has(serving, name) && has(calling, name)
    const { endpoint, client, proxy, heard, charged } = await scene(serving, calling)
    const [channel]: Iterable<AnyServerChannel> = endpoint.channels
    expect(await client.call('add', { a: 1, b: 2 })).toBe(3)
    await client.notify('heard', { text: 'hi' })
    await polled(() => heard).toStrictEqual(['hi'])
    expect(await rejection(client.call('fail'))).toMatchObject({ code: 7 })
    expect(await channel?.call('here')).toBe('here')
    const controller = new AbortController()
    const aborted = rejection(client.call('add', { a: 1, b: 2 }, { signal: controller.signal }))
    controller.abort()
    expect(await aborted).toMatchObject({ name: 'RpcAbortedError' })

    if (!has(calling, 'streams')) {
      expect(() => client.stream('count', { upTo: 3 })).toThrow(/add streams\(\) to features/)
    } else {
      const items: unknown[] = []
      const taken = (async () => {
        const counted = client.stream('count', { upTo: 3 })
        for await (const item of counted) items.push(item)
      })()
      if (both('streams')) {
        await taken
        expect(items).toStrictEqual([1, 2, 3])
      } else {
        const refused = { code: -32600, message: expect.stringContaining('streams()') }
        expect(await rejection(taken)).toMatchObject(refused)
      }
    }

    const told: unknown[] = []
    const half = client.call('half', undefined, {
      onProgress: (value: unknown) => told.push(value),
    } as never)
    if (!has(calling, 'progress')) {
      expect(await rejection(half)).toBeInstanceOf(RpcConfigError)
    } else {
      expect(await half).toBe('done')
      expect(told).toStrictEqual(both('progress') ? [50] : [])
    }

    const charge = () => client.call('charge', undefined, { idempotencyKey: 'k' })
    if (both('keys')) {
      expect([await charge(), await charge(), charged()]).toStrictEqual([1, 1, 1])
    } else {
      expect(await rejection(charge())).toBeInstanceOf(RpcConfigError)
      expect(charged()).toBe(0)
    }

    const turned = client.call('turned', { file: Uint8Array.of(1, 2) })
    if (both('bytes')) expect(await turned).toStrictEqual({ file: Uint8Array.of(2, 1) })
    else {
      const missing = has(calling, 'bytes')
        ? /the other side can't take: it has not offered to.* add bytes\(\) to its features/
        : /params\.file is a Uint8Array, and JSON carries no bytes: add bytes\(\) to features/
      const refused = { outcome: 'not-sent', message: expect.stringMatching(missing) }
      expect(await rejection(turned)).toMatchObject(refused)
    }

    expect(channel?.has('here')).toBe(both('presence') ? true : channelHas(serving))

    const lost = new Promise<void>((resolve) => {
      client.subscribe(({ status }) => status !== 'connected' && resolve())
    })
    proxy.cut()
    await lost
    await client.connect()
    expect(client.state.resumed).toBe(both('sessions'))
    expect(await client.call('add', { a: 2, b: 2 })).toBe(4)
  })
})

/** What a server says of a client that tells nothing: a standard one takes a hello without methods for none. */
function channelHas(serving: readonly Feature[] | 'standard'): boolean | undefined {
  return has(serving, 'presence') ? false : undefined
}

describe('a missing feature is named', () => {
  const item = z.number()
  test.each([
    ['a stream', { rows: stream({ item }) }, '"rows" is a stream: add streams() to features'],
    ['input', { up: method({ input: item }) }, '"up" takes input: add streams() to features'],
    [
      'progress',
      { slow: method({ progress: item }) },
      '"slow" tells its progress: add progress() to features',
    ],
  ])('for %s in a contract', (_, server, text) => {
    const contract = defineContract({ server, client: {} })
    expect(() => createClient(contract, { url: 'ws://127.0.0.1:1/', autoConnect: false })).toThrow(
      text,
    )
    const [transport] = memoryTransportPair()
    expect(() => createChannel(contract, { side: 'client', transport })).toThrow(text)
    expect(() => createEndpoint(contract, { methods: {} as never })).toThrow(text)
  })

  test.each([
    ['use', { use: () => {} }, 'middleware'],
    ['waitForMount', { waitForMount: 5 }, 'presence'],
    ['resume', { resume: true }, 'sessions'],
    ['traceCalls', { traceCalls: true }, 'diagnostics'],
    ['heartbeat', { heartbeat: { intervalMs: 5 } }, 'keepalive'],
  ])('for the option %s', (option, options, feature) => {
    const given = { url: 'ws://127.0.0.1:1/', autoConnect: false, ...options }
    expect(() => createClient<Server>(given as never)).toThrow(
      `The option "${option}" needs a feature: add ${feature}() to features`,
    )
  })

  test.each([
    ['idempotencyKey', { idempotencyKey: 'k' }, 'keys'],
    ['input', { input: [1] }, 'streams'],
    ['onProgress', { onProgress: () => {} }, 'progress'],
  ])('for the option %s of a call, which is not made', async (option, options, feature) => {
    const [here, there] = memoryTransportPair()
    const ran: unknown[] = []
    const given = {
      logger: false,
      methods: { add: (params: unknown) => ran.push(params) },
    } as const
    createChannel<object, object>({ ...given, side: 'server', transport: there })
    const caller = createChannel<object, Server>({ side: 'client', transport: here, logger: false })
    const refused = await rejection(caller.call('add', { a: 1, b: 1 }, options as never))
    expect(refused).toBeInstanceOf(RpcConfigError)
    expect(refused).toMatchObject({
      method: 'add',
      message: `"add" is called with ${option}: add ${feature}() to features`,
    })
    // An option that has no value asks for nothing.
    expect(await caller.call('add', { a: 2, b: 2 }, { [option]: undefined } as never)).toBe(1)
    expect(ran).toStrictEqual([{ a: 2, b: 2 }])
  })

  test.each([
    ['a function that makes one', [streams]],
    ['null', [null]],
    ['undefined', [undefined]],
    ['an object without a name', [{}]],
    ['the name of one', ['streams']],
    ['text', 'streams'],
    ['a set', new Set([streams()])],
  ])('and %s in place of a feature is refused', (_, features) => {
    const text =
      /^features must be a list of what the functions of @flashrpc\/core\/features return/
    const given = { url: 'ws://127.0.0.1:1/', autoConnect: false, features }
    expect(() => createClient<Server>(given as never)).toThrow(text)
    expect(() => createEndpoint<Server>({ methods: {}, features } as never)).toThrow(text)
    const [transport] = memoryTransportPair()
    expect(() => createChannel({ side: 'client', transport, features } as never)).toThrow(text)
  })
})

describe('diagnostics', () => {
  const options = { url: 'ws://127.0.0.1:1/', autoConnect: false, logger: false } as const
  const features = [diagnostics()]
  const contract = defineContract({
    server: { add: method({ params: z.object({ at: z.date() }) }) },
    client: { show: method() },
  })

  /** What a function throws, or rejects with, as the text of the error. */
  async function textOf(act: () => unknown): Promise<string> {
    return ((await rejection((async () => act())())) as Error).message
  }

  const MISTAKES: readonly (readonly [
    name: string,
    act: (chosen: { features?: readonly Feature[] }) => unknown,
    always: string,
    hint: string,
  ])[] = [
    [
      'an unknown option',
      (chosen) => createClient(contract, { ...options, ...chosen, heartbeats: {} } as never),
      'createClient has no option "heartbeats". ',
      'Did you mean "heartbeat"?',
    ],
    [
      'an unknown limit',
      (chosen) => createClient(contract, { ...options, ...chosen, limits: { mesage: 1 } } as never),
      'limits has no option "mesage". ',
      'Did you mean "message"?',
    ],
    [
      'an unknown option of retry',
      (chosen) => createClient(contract, { ...options, ...chosen, retry: { delay: 1 } } as never),
      'retry has no option "delay". ',
      'Did you mean',
    ],
    [
      'an unknown option of a call',
      (chosen) => {
        const client = createClient(contract, { ...options, ...chosen })
        return client.call('add', { at: new Date() }, { timeuot: 1 } as never)
      },
      'A call of "add" has no option "timeuot". ',
      'Did you mean "timeout"?',
    ],
    [
      'a method that is not in the contract',
      (chosen) => {
        const client: AnyClient = createClient(contract, { ...options, ...chosen })
        return client.call('ad')
      },
      'Unknown method "ad": the other side of the contract has ',
      'Did you mean "add"?',
    ],
    [
      'a handler that is not in the contract',
      (chosen) =>
        createClient(contract, { ...options, ...chosen, methods: { shwo: () => {} } } as never),
      '"shwo" can\'t be exposed: the contract\'s client side has ',
      'Did you mean "show"?',
    ],
    [
      'a value that JSON does not carry',
      (chosen) => createClient<Server>({ ...options, ...chosen }).call('add', { a: 1n } as never),
      'The params of "add" can\'t be sent as json: ',
      'give both sides codec: msgpackCodec',
    ],
  ]

  test.each(MISTAKES)('%s is told, and what to do with diagnostics', async (...mistake) => {
    const [, act, always, hint] = mistake
    const without = await textOf(() => act({}))
    expect(without).toContain(always)
    expect(without).not.toContain(hint)
    const withThem = await textOf(() => act({ features }))
    expect(withThem).toContain(always)
    expect(withThem).toContain(hint)
  })

  test('a date that the contract does not take as text is refused here with them, and there without', async () => {
    const call = (chosen: { features?: readonly Feature[] }) => {
      const [here, there] = memoryTransportPair()
      createChannel(contract, {
        side: 'server',
        transport: there,
        methods: { add: () => null },
        logger: false,
      })
      const given = { side: 'client', transport: here, logger: false, ...chosen } as const
      return rejection(createChannel(contract, given).call('add', { at: new Date() }))
    }
    expect(await call({ features })).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('a Date arrives as its text'),
    })
    expect(await call({})).toMatchObject({ code: -32602 })
  })

  test('failures are printed with them, and otherwise go to a logger only', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const logged: string[] = []
    const logger = { debug() {}, warn() {}, error: (text: string) => logged.push(text) }
    const fail = async (chosen: { features?: readonly Feature[]; logger?: typeof logger }) => {
      const [here, there] = memoryTransportPair()
      const methods = {
        fail() {
          throw new Error('as it should')
        },
      }
      createChannel<typeof methods, object>({
        side: 'server',
        transport: there,
        methods,
        ...chosen,
      })
      const side = 'client'
      const caller = createChannel<object, typeof methods>({ side, transport: here, logger: false })
      await rejection(caller.call('fail'))
    }
    try {
      await fail({})
      expect(printed).not.toHaveBeenCalled()
      await fail({ logger })
      expect(logged).toEqual([expect.stringContaining('"fail" failed: Error: as it should')])
      await fail({ features })
      expect(printed).toHaveBeenCalledOnce()
    } finally {
      printed.mockRestore()
    }
  })
})

describe('keepalive', () => {
  const heartbeat = { intervalMs: 50, timeoutMs: 50 }

  /** A client of a server, over a network that goes silent. */
  async function silent(client: { features?: readonly Feature[] }, server: object = {}) {
    const ended: number[] = []
    const endpoint = createEndpoint<Server>({
      methods: {} as never,
      logger: false,
      onDisconnect: (_, { code }) => void ended.push(code),
      ...server,
    })
    closing.push(() => endpoint.close())
    const { port } = await endpoint.listen()
    const proxy = await createFaultProxy({ port })
    closing.push(() => proxy.close())
    const options = { url: proxy.url(), logger: false, retry: { minDelayMs: 1 } } as const
    const caller = createClient<Server>({ ...options, ...client })
    closing.push(() => caller.close())
    await caller.connect()
    const statuses: string[] = []
    caller.subscribe(({ status }) => statuses.push(status))
    proxy.blackHole()
    return { caller, statuses, ended }
  }

  test('a client with it notices that its server is silent, and one without goes on', async () => {
    const withIt = { features: [keepalive()], heartbeat }
    const noticing = await silent(withIt)
    const other = await silent({})
    await polled(() => noticing.statuses.includes('reconnecting')).toBe(true)
    expect(noticing.caller.state.lastError?.message).toContain('No sign of life')
    expect(other.statuses).toEqual([])
    expect(other.caller.state.status).toBe('connected')
  })

  test('an endpoint always has it', async () => {
    const { ended } = await silent({}, { heartbeat })
    await polled(() => ended).toEqual([4408])
  })

  test('a ping is answered without it', async () => {
    const endpoint = createStandardEndpoint<Server>({
      methods: {} as never,
      heartbeat,
      logger: false,
    })
    closing.push(() => endpoint.close())
    const { port } = await endpoint.listen()
    const client = createClient<Server>({ url: `ws://127.0.0.1:${port}/`, logger: false })
    closing.push(() => client.close())
    await client.connect()
    const statuses: string[] = []
    client.subscribe(({ status }) => statuses.push(status))
    // Several times as long as a client that does not answer would be kept.
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(statuses).toEqual([])
  })
})
