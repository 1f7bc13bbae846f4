import { createServer } from 'node:http'
import {
  type CallOptions,
  type ClientOptions,
  type ContractSide,
  type CreateServerChannelOptions,
  createAudience,
  createChannel,
  createClient,
  createGroup,
  defineContract,
  type ExposeOptions,
  type HeartbeatOptions,
  memoryTransportPair,
  messagePortTransport,
  method,
  notification,
  type RetryOptions,
  type SendOptions,
  stream,
  type Timeout,
  type TlsSettings,
  webSocketTransport,
} from '@flashrpc/core'
import {
  type ClusterOptions,
  createCluster,
  memoryEngines,
  type RelayOptions,
} from '@flashrpc/core/cluster'
import { createDiscovery, type DiscoveryInfo, resolveDiscovery } from '@flashrpc/core/discovery'
import { errorForCaller, plain, plainLines, quoted } from '@flashrpc/core/internal'
import { type TracingOptions, tracing } from '@flashrpc/core/opentelemetry'
import { type PythonDialectOptions, pythonDialect } from '@flashrpc/core/python'
import {
  type AttachOptions,
  type CloseOptions,
  createEndpoint,
  type EndpointOptions,
  type IdempotencyOptions,
  type ListenOptions,
  type MemoryResultStoreOptions,
  memoryResultStore,
  type PresenceOptions,
  RejectUpgrade,
  type RejectUpgradeOptions,
  type ResumeOptions,
  utilityMethods,
} from '@flashrpc/core/server'
import {
  type BetweenTabsOptions,
  betweenTabs,
  serveTabs,
  type TabsOptions,
} from '@flashrpc/core/tabs'
import {
  type AfterBytes,
  createFaultProxy,
  type DelayOptions,
  type EachWay,
} from '@flashrpc/core/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  CHANNEL,
  FLAG,
  FUNCTIONS,
  failureOf,
  hook,
  NUMBER,
  type OptionCase,
  optionCase,
  testNonsense,
  testOptions,
} from './support/option-cases.js'
import { rejection } from './support/rejection.js'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number() }), result: z.number() }),
    feed: method({ input: z.number(), progress: z.number() }),
    count: stream({ item: z.number() }),
    log: notification({ params: z.object({ text: z.string() }) }),
  },
  client: { ask: method() },
})
const schema = z.object({})
const url = 'ws://127.0.0.1:1'
const HOOKS = {
  onConnect: FUNCTIONS,
  onDisconnect: FUNCTIONS,
  onError: [
    [hook, hook],
    [hook, 'x'],
  ],
} as const

const LIMITS = {
  message: NUMBER,
  depth: NUMBER,
  batch: NUMBER,
  running: NUMBER,
  runningBytes: NUMBER,
  messagesPerSecond: NUMBER,
  bytesPerSecond: NUMBER,
  sendBuffer: NUMBER,
  waitingMessages: NUMBER,
  waitingBytes: NUMBER,
  answerBytes: NUMBER,
  stalledMs: NUMBER,
  queuedMessages: NUMBER,
  queuedBytes: NUMBER,
  unackedMessages: NUMBER,
  unackedBytes: NUMBER,
  streamItems: NUMBER,
  streamBytes: NUMBER,
  allStreamBytes: NUMBER,
  groups: NUMBER,
} as const

const untyped = (): object => ({ url, autoConnect: false })
const client = (options: object) => createClient(contract, { ...untyped(), ...options } as never)
const endpoint = (options: object) => createEndpoint({ methods: {}, ...options } as never)
type Proxy = Awaited<ReturnType<typeof createFaultProxy>>
const onProxy = (run: (proxy: Proxy) => unknown) => async () => {
  await using proxy = await createFaultProxy({ port: 80 })
  return run(proxy)
}
/** Of a call that can't be sent: whether its options are taken is known at once. */
async function call(
  run: (client: ReturnType<typeof createClient<ContractSide, ContractSide>>) => unknown,
) {
  const aClient = createClient({ url, autoConnect: false })
  const outcome = Promise.resolve(run(aClient as never)).catch((error: unknown) => error)
  await aClient.close()
  const error = await outcome
  if (error instanceof Error && error.constructor.name !== 'RpcDisconnectedError') throw error
}

const CALL = {
  timeout: NUMBER,
  signal: [new AbortController().signal, 'x'],
  idempotencyKey: ['key', 5],
} as const

const cases: readonly OptionCase[] = [
  optionCase<ClientOptions<object, object>>(
    'createClient',
    (options) => createClient(contract, options as never),
    {
      ...CHANNEL,
      ...HOOKS,
      url: [() => url, 5],
      transport: [undefined, {}],
      socket: [undefined, {}],
      headers: [{ a: 'b' }, 5],
      proxy: [false, 5],
      tls: [{}, 5],
      fastPath: [false, 'x'],
      share: [betweenTabs(() => ({}) as never), 'x'],
      retry: [{ maxAttempts: 1 }, 5],
      connectTimeoutMs: NUMBER,
      resume: FLAG,
      autoConnect: [false, 'x'],
      methods: [{ ask: () => 5 }, 'x'],
    },
    { url, autoConnect: false },
  ),
  optionCase<CreateServerChannelOptions<object, object>>(
    'createChannel',
    (options) => createChannel(options as never),
    {
      ...CHANNEL,
      ...HOOKS,
      helloTimeoutMs: NUMBER,
      transport: [memoryTransportPair()[0], {}],
      side: ['client', 'x'],
      methods: [{ ask: () => 5 }, 'x'],
      identity: ['anybody'],
      authorize: FUNCTIONS,
    },
    { side: 'server', transport: memoryTransportPair()[0] },
  ),
  optionCase<EndpointOptions<object, object>>(
    'createEndpoint',
    (options) => createEndpoint(options as never),
    {
      ...CHANNEL,
      ...HOOKS,
      helloTimeoutMs: NUMBER,
      discover: [{ title: 'x' }, 'x'],
      presence: [{ allow: () => true }, { allow: 'x' }],
      methods: [{ ask: () => 5 }, 'x'],
      authorize: FUNCTIONS,
      authenticate: FUNCTIONS,
      authenticateTimeoutMs: NUMBER,
      expiresAt: FUNCTIONS,
      handshakeTimeoutMs: NUMBER,
      trustProxy: [1, {}],
      owner: FUNCTIONS,
      onReject: FUNCTIONS,
      resume: [{}, true],
      spreadMs: NUMBER,
      idempotency: [{ store: memoryResultStore() }, true],
      allowedOrigins: [['https://a.example'], 'https://a.example'],
      allowedHosts: [['a.example'], 'a.example'],
      fastPath: [false, 'x'],
      // Each endpoint needs one of its own.
      get cluster() {
        return [createCluster({ engine: memoryEngines()(), app: 'app' }), {}] as const
      },
    },
    { methods: {} },
  ),
  optionCase<PresenceOptions>(
    'presence',
    (presence) => endpoint({ presence }),
    { allow: [() => true, 'x'] },
    { allow: () => true },
  ),
  optionCase<ClusterOptions>(
    'createCluster',
    createCluster,
    {
      // Each cluster needs one of its own.
      get engine() {
        return [memoryEngines()(), {}] as const
      },
      app: ['app', 'My App'],
      name: ['one', 5],
      graceMs: NUMBER,
      outageMs: NUMBER,
      relay: [{ maxLanes: 5 }, 5],
      identity: [{ encode: hook, decode: hook }, { encode: hook }],
      use: FUNCTIONS,
    },
    {
      get engine() {
        return memoryEngines()()
      },
      app: 'app',
    },
  ),
  optionCase<RelayOptions>(
    'createCluster: relay',
    (relay) => createCluster({ engine: memoryEngines()(), app: 'app', relay }),
    { maxLanes: NUMBER, rehomeAfterMs: NUMBER },
  ),
  optionCase<TabsOptions>(
    'serveTabs',
    (options) => {
      vi.stubGlobal('SharedWorkerGlobalScope', class {})
      vi.stubGlobal('addEventListener', () => {})
      serveTabs(options)
    },
    {
      connectTimeoutMs: NUMBER,
      resume: FLAG,
      retry: [{ maxAttempts: 1 }, 5],
      codec: CHANNEL.codec,
      dialect: CHANNEL.dialect,
      frameType: CHANNEL.frameType,
      heartbeat: CHANNEL.heartbeat,
      limits: CHANNEL.limits,
      logger: CHANNEL.logger,
      plain: CHANNEL.plain,
    },
  ),
  optionCase<HeartbeatOptions>('heartbeat', (heartbeat) => client({ heartbeat }), {
    intervalMs: NUMBER,
    timeoutMs: NUMBER,
  }),
  optionCase<RetryOptions>('retry', (retry) => client({ retry }), {
    minDelayMs: NUMBER,
    maxDelayMs: NUMBER,
    maxAttempts: NUMBER,
  }),
  optionCase('limits', (limits) => client({ limits }), LIMITS),
  optionCase('limits', (limits) => endpoint({ limits }), {
    ...LIMITS,
    connections: NUMBER,
    connectionsPerAddress: NUMBER,
    connectionsPerSecond: NUMBER,
    authentications: NUMBER,
    share: [0.5, 'x'],
  }),
  optionCase<TlsSettings>('tls', (tls) => client({ tls }), {
    ca: ['x'],
    cert: ['x'],
    key: ['x'],
    passphrase: ['x', 5],
    servername: ['x', 5],
    rejectUnauthorized: FLAG,
  }),
  optionCase<ResumeOptions>('resume', (resume) => endpoint({ resume }), {
    windowMs: NUMBER,
    maxDetached: NUMBER,
    maxDetachedBytes: NUMBER,
    sameIdentity: [() => true, 'x'],
  }),
  optionCase<IdempotencyOptions>(
    'idempotency',
    (idempotency) => endpoint({ idempotency }),
    {
      store: [memoryResultStore(), 'x'],
      scope: [() => '', 'x'],
      maxAnswerLength: NUMBER,
      graceMs: NUMBER,
      storeTimeoutMs: NUMBER,
    },
    { store: memoryResultStore() },
  ),
  optionCase<DiscoveryInfo>('discover', (info) => createDiscovery(info), {
    title: ['x', 5],
    version: ['x', 5],
    description: ['x', 5],
  }),
  optionCase<AttachOptions>(
    'attach',
    (options) => createEndpoint({ methods: {} }).attach(createServer(), options),
    { path: ['/ws', 'ws'] },
  ),
  optionCase<ListenOptions>(
    'listen',
    async (options) => {
      const listening = createEndpoint({ methods: {} })
      try {
        await listening.listen(options)
      } finally {
        await listening.close()
      }
    },
    { port: [0], host: ['127.0.0.1', 5], path: ['/ws', 5] },
  ),
  optionCase<CloseOptions>('close', (options) => createEndpoint({ methods: {} }).close(options), {
    drain: NUMBER,
    retryAfterMs: NUMBER,
  }),
  optionCase<MemoryResultStoreOptions>('memoryResultStore', memoryResultStore, {
    ttlMs: NUMBER,
    maxEntries: NUMBER,
    maxBytes: NUMBER,
    share: [0.5, 'x'],
  }),
  optionCase<RejectUpgradeOptions>(
    'RejectUpgrade',
    (options) => new RejectUpgrade(403, '', options),
    {
      cause: ['x'],
      retryAfterSeconds: NUMBER,
    },
  ),
  optionCase<PythonDialectOptions>('pythonDialect', pythonDialect, { keepAlive: FLAG }),
  optionCase<TracingOptions>('tracing', tracing, {
    tracerProvider: [{}, 'x'],
    attributes: FUNCTIONS,
  }),
  optionCase<BetweenTabsOptions>('betweenTabs', (options) => betweenTabs(hook as never, options), {
    user: ['ann', 5],
  }),
  optionCase<ExposeOptions>(
    'expose',
    (options) =>
      createClient({ url, autoConnect: false }).expose('ask' as never, hook as never, options),
    { waitForMount: NUMBER },
  ),
  {
    ...optionCase<Exclude<Timeout, number>>('timeout', (timeout) => client({ timeout }), {
      idle: NUMBER,
      total: NUMBER,
    }),
    isEither: true,
  },
  optionCase<Exclude<Parameters<typeof defineContract>[0], undefined>>(
    'defineContract',
    (sides) => defineContract(sides),
    { server: [{ add: method() }, 'x'], client: [{ ask: method() }, 'x'] },
  ),
  optionCase('method', (parts: object) => method(parts), {
    params: [schema, 5],
    result: [schema, 5],
    input: [schema, {}],
    progress: [schema, null],
  } as never),
  optionCase('stream', (parts: object) => stream(parts), {
    params: [schema, 5],
    item: [schema, 5],
    input: [schema, {}],
  } as never),
  optionCase('notification', (parts: object) => notification(parts), {
    params: [schema, 5],
  } as never),
  optionCase<SendOptions>(
    'A call of "add"',
    (options) => call((peer) => peer.call('add', {}, options as never)),
    { ...CALL, input: [[], 5], onProgress: FUNCTIONS },
  ),
  optionCase<SendOptions>(
    'A call of "count"',
    (options) => call((peer) => peer.stream('count', {}, options as never).next()),
    { ...CALL, idempotencyKey: [undefined, 5], input: [[], 5], onProgress: FUNCTIONS },
  ),
  optionCase<DelayOptions>('delay', (o) => onProxy((proxy) => proxy.delay(o))(), {
    up: NUMBER,
    down: NUMBER,
    jitterMs: [0, 'x'],
    seed: NUMBER,
  }),
  optionCase<EachWay<number>>('throttle', (o) => onProxy((proxy) => proxy.throttle(o))(), {
    up: NUMBER,
    down: NUMBER,
  }),
  optionCase<AfterBytes>('cutAfter', (o) => onProxy((proxy) => proxy.cutAfter(o as never))(), {
    up: NUMBER,
    down: NUMBER,
    once: FLAG,
  }),
]

afterEach(() => {
  vi.unstubAllGlobals()
})

testOptions(cases)

describe('a call', () => {
  test('without options that are wrong is sent, and one that has some is not', async () => {
    await call(async (peer) => {
      const thrown = await rejection(peer.call('add', {}, { timout: 5 } as never))
      expect(thrown).toMatchObject({
        name: 'RpcConfigError',
        method: 'add',
        message: 'A call of "add" has no option "timout". Did you mean "timeout"?',
      })
      expect(await rejection(peer.notify('log', {}, { singal: 5 } as never))).toMatchObject({
        message: 'A call of "log" has no option "singal". Did you mean "signal"?',
      })
    })
  })

  test('that is given a signal in place of options says how to give it', async () => {
    await call(async (peer) => {
      const { signal } = new AbortController()
      expect(await rejection(peer.call('add', {}, signal as never))).toMatchObject({
        message: 'A call of "add" takes a signal as an option: write { signal }',
      })
    })
  })

  test('of an audience is refused alike', async () => {
    const [near, far] = memoryTransportPair()
    await using channel = createChannel(contract, { side: 'server', transport: near })
    await using other = createChannel(contract, {
      side: 'client',
      transport: far,
      methods: { ask: () => 5 },
    })
    const audience = createAudience<{ ask(): number }>(() => [channel] as never)
    const options = { timout: 5 } as CallOptions
    const [outcome] = await audience.call('ask', undefined as never, options)
    expect(outcome).toMatchObject({ status: 'error', error: { name: 'RpcConfigError' } })
    expect(other.isConnected).toBe(true)
  })
})

describe('a contract that is none is refused', () => {
  test('where the options are forgotten', () => {
    expect(() => createClient(contract as never)).toThrow(
      'createClient needs options after the contract: createClient(contract, { … })',
    )
    expect(() => createEndpoint(contract as never)).toThrow('createEndpoint needs options')
    expect(() => createChannel(contract as never)).toThrow('createChannel needs options')
  })

  test('where it is undefined, as in modules that import each other', () => {
    expect(() => createClient(undefined as never, { url })).toThrow(
      'createClient takes a contract first, not undefined. Do two modules import each other?',
    )
    expect(() => createEndpoint({ url } as never, { methods: {} })).toThrow(
      'createEndpoint takes a contract first, not an object without "server" and "client". Write defineContract(',
    )
    expect(() => createClient(5 as never, { url })).toThrow(
      'createClient takes a contract first, not a number. Write defineContract(',
    )
  })

  test('if a part of a definition is not a schema, as soon as it is defined', () => {
    expect(() => method({ params: 5 as never })).toThrow(
      'params of a method is not a schema: it is 5. Use a schema of zod',
    )
    expect(() => method({ params: {} as never })).toThrow('it is an object without "~standard"')
  })

  test('but a definition may be made of another', () => {
    const changed = method({ ...contract.server.add, result: z.string() } as never)
    expect(changed).toMatchObject({ kind: 'method', params: contract.server.add.params })
  })
})

test('a url that is forgotten, or undefined, is named', () => {
  const message =
    'url is missing: give the client one, such as "ws://localhost:8000/ws", or a transport, or a socket'
  expect(() => createClient({} as never)).toThrow(message)
  expect(() => createClient(contract, { url: undefined } as never)).toThrow(message)
})

test('an application of Express in place of its server is named', () => {
  const app = Object.assign(hook, { on: hook, off: hook, emit: hook, listen: hook })
  expect(() => createEndpoint({ methods: {} }).attach(app as never)).toThrow(
    'An application of Express is not a server: give attach what app.listen(…) returns',
  )
})

test('hooks may be one function or a list', async () => {
  const told: string[] = []
  const [near, far] = memoryTransportPair()
  const server = createChannel<{ fail(): void }, object>({
    side: 'server',
    transport: near,
    methods: {
      fail() {
        throw new Error('on purpose')
      },
    },
    onConnect: () => told.push('connect'),
    onDisconnect: [() => told.push('disconnect 1'), () => told.push('disconnect 2')],
    onError: (_, error) => told.push((error as Error).message),
  })
  const other = createChannel<object, { fail(): void }>({ side: 'client', transport: far })
  await rejection(other.other.fail())
  await other.close()
  await vi.waitFor(() => expect(server.isConnected).toBe(false), { timeout: 10_000 })
  await vi.waitFor(
    () => expect(told).toStrictEqual(['connect', 'on purpose', 'disconnect 1', 'disconnect 2']),
    { timeout: 10_000 },
  )
})

describe('nonsense in place of arguments is refused by an error of this library, or taken', () => {
  const [transport] = memoryTransportPair()
  const channel = createChannel(contract, { side: 'server', transport, logger: false })
  // A call that is taken is rejected at once.
  const aClient = createClient({ url, autoConnect: false, logger: false })
  void aClient.close()
  const anEndpoint = createEndpoint({ methods: {} })
  const audience = createAudience(() => [])
  testNonsense([
    ['createClient', createClient],
    ['createChannel', createChannel],
    ['createEndpoint', createEndpoint],
    ['createAudience', createAudience],
    ['createGroup', createGroup],
    ['defineContract', defineContract],
    ['defineContract, a side', (server) => defineContract({ server })],
    ['defineContract, a definition', (add) => defineContract({ server: { add } })],
    ['method', method],
    ['stream', stream],
    ['notification', notification],
    ['errorForCaller', errorForCaller],
    ['plain', plain, 1],
    ['plainLines', plainLines],
    ['quoted', quoted],
    ['messagePortTransport', messagePortTransport],
    ['webSocketTransport', webSocketTransport],
    ['client.call', aClient.call.bind(aClient), 3],
    ['client.subscribe', (listener) => aClient.subscribe(listener)],
    ['client.expose', aClient.expose.bind(aClient), 3],
    ['client.tap', (tap) => aClient.tap(tap)],
    ['channel.call', channel.call.bind(channel), 3],
    ['channel.notify', channel.notify.bind(channel), 3],
    [
      'channel.stream',
      (...args: unknown[]) => Reflect.apply(channel.stream, channel, args).next(),
      3,
    ],
    ['channel.expose', channel.expose.bind(channel), 3],
    ['channel.join', (group) => channel.join(group)],
    ['channel.leave', (group) => channel.leave(group)],
    ['channel.has', (name) => channel.has(name)],
    ['channel.onMethods', (listener) => channel.onMethods(listener)],
    ['channel.retire', (ms) => channel.retire(ms)],
    ['channel.close', channel.close.bind(channel)],
    ['audience.except', (channels) => audience.except(channels)],
    ['audience.call', audience.call.bind(audience), 3],
    ['audience.notify', audience.notify.bind(audience), 3],
    [
      'audience.each',
      (...args: unknown[]) => Reflect.apply(audience.each, audience, args).next(),
      3,
    ],
    ['endpoint.attach', anEndpoint.attach.bind(anEndpoint)],
    ['endpoint.group', (name) => anEndpoint.group(name)],
    ['endpoint.listen, port', (port) => createEndpoint({ methods: {} }).listen({ port }), 1],
    ['RejectUpgrade', (...args) => Reflect.construct(RejectUpgrade, args), 3],
    ['memoryResultStore', memoryResultStore],
    ['utilityMethods', utilityMethods],
    ['pythonDialect', pythonDialect],
    ['createDiscovery', createDiscovery],
    ['resolveDiscovery', resolveDiscovery],
    ['tracing', tracing],
    ['betweenTabs', betweenTabs],
    ['serveTabs', serveTabs],
    ['createFaultProxy', createFaultProxy],
    ['fault proxy: url', (...args: [string, string]) => onProxy((proxy) => proxy.url(...args))()],
    ['fault proxy: retarget', (targets) => onProxy((proxy) => proxy.retarget(targets))(), 1],
    ['an option of a client', (value) => fuzzed('createClient', value), 1],
    ['an option of a channel', (value) => fuzzed('createChannel', value), 1],
    ['an option of an endpoint', (value) => fuzzed('createEndpoint', value), 1],
  ])
})

/** Gives the value to each option. */
async function fuzzed(where: string, value: unknown): Promise<void> {
  const { give, values, needed } = cases.find((one) => one.where === where) as OptionCase
  for (const name of Object.keys(values)) {
    const thrown = await failureOf(() => give({ ...needed, [name]: value } as never))
    if (thrown === undefined) continue
    expect(thrown, name).toMatchObject({ name: 'RpcConfigError' })
    expect((thrown as Error).message, name).toContain(name)
  }
}
