import {
  type Client,
  type Codec,
  createChannel,
  createClient,
  defineContract,
  type Frame,
  jsonCodec,
  memoryTransportPair,
  method,
  stream,
  type Transport,
} from '@flashrpc/core'
import {
  createEndpoint,
  type EndpointOptions,
  memoryResultStore,
  RejectUpgrade,
} from '@flashrpc/core/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { polled } from './support/eventually.js'

/**
 * Every function that an application gives to this library. If it throws, rejects or never settles, only its own call
 * or connection is affected, with a typed error, and `onError` is told.
 */
type Way = 'throws' | 'rejects' | 'never settles'

const ALL: readonly Way[] = ['throws', 'rejects', 'never settles']
const AT_ONCE: readonly Way[] = ['throws']

class Broken extends Error {
  override readonly name = 'Broken'
}

// biome-ignore lint/suspicious/noExplicitAny: it takes the place of functions of every type
type Any = any
type Fn = (...args: Any[]) => Any

/** What a row of the table uses, and whether its function fails now. */
interface Scene {
  /** A function that does the same as another until it is to fail. */
  broken(otherwise?: Fn): Fn
  /** Makes the function fail from now on. */
  breaks(): void
  /** Makes the function work again. */
  heals(): void
  /** How many times it has failed. */
  readonly failures: number
  serve(options?: object): Promise<string>
  connect(url: string, options?: object, isTyped?: boolean): Any
  /** An endpoint with these options, and a client of it that is connected. */
  both(server?: object, client?: object): Promise<Any>
  /** The errors that both sides were told. */
  readonly errors: unknown[]
}

interface Row {
  readonly ways: readonly Way[]
  /** Makes the function be used. @returns the outcome of its own call. */
  run(scene: Scene, way: Way): Promise<unknown>
  /** The outcome that is expected, if it is not a call whose handler has failed. */
  readonly ends?: Partial<Record<Way, unknown>> | undefined
  /** Whether another party than `onError` is told: the caller itself, or a reader of the state. */
  readonly isToldElsewhere?: boolean
}

const INTERNAL = expect.objectContaining({ name: 'RpcError', code: -32603 })
const LATE = expect.objectContaining({ name: 'RpcTimeoutError', outcome: expect.any(String) })
const INVALID = expect.objectContaining({ name: 'RpcValidationError' })
/** The outcome of a call that could not be sent, or whose connection was lost: it may be sent over the next one. */
const TYPED = expect.objectContaining({ code: expect.any(Number), outcome: expect.any(String) })
const LOST = expect.objectContaining({ name: 'RpcDisconnectedError' })
/** The outcome of a call that was refused before its handler began. */
const NOT_RUN = expect.objectContaining({ name: 'RpcDisconnectedError', outcome: 'not-received' })

const CALL: Row['ends'] = { throws: INTERNAL, rejects: INTERNAL, 'never settles': LATE }
const every = (end: unknown): Row['ends'] => ({ throws: end, rejects: end, 'never settles': end })

/** The timeout of a call: far more than the call takes, but little where it must run out. */
const TIME = { timeout: 0 }
const timeoutOf = (way: Way) => (way === 'never settles' ? 400 : 20_000)

/** The reason with which a promise rejects; if it resolves, its value. */
const endOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => error)

/** A schema that accepts everything, with this function as its `validate`. */
function schemaOf(validate: Fn): Any {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}
const taking = (value: unknown) => ({ value })

/** The contract of a row. One side has the given schema; the other accepts everything. */
function contractOf(schemas: Partial<Record<string, Fn>> = {}) {
  const { params = taking, result = taking, progress = taking, item = taking } = schemas
  return defineContract({
    server: {
      add: method(),
      work: method({
        params: schemaOf(params),
        result: schemaOf(result),
        progress: schemaOf(progress),
      }),
      items: stream({ item: schemaOf(item) }),
      read: method({ input: schemaOf(schemas.input ?? taking) }),
    },
    client: { back: method() },
  })
}

const methods = {
  add: () => 3,
  slow: () => new Promise((resolve) => setTimeout(resolve, 100, 'slow')),
  work: (_: unknown, { progress }: { progress: (value: unknown) => void }) => {
    progress(1)
    return 'done'
  },
  items: async function* () {
    yield 1
    await new Promise(() => {})
  },
  read: async (_: unknown, { input }: { input: AsyncIterable<unknown> }) => {
    for await (const _ of input) return 'done'
    return 'nothing'
  },
}

const firstOf = (client: Any, options: object = TIME) =>
  endOf(
    (async () => {
      for await (const item of client.stream('items', {}, options)) return item
    })(),
  )

/** The code with which a connection closes, soon after it was made. */
async function endOfConnection(client: Any): Promise<unknown> {
  let code: unknown = 'none'
  client.subscribe(({ lastError }: Any) => {
    if (lastError && code === 'none') code = lastError.closeCode
  })
  await client.connect()
  await new Promise((resolve) => setTimeout(resolve, 200))
  return code
}

/** Ends a client's connection, as if it had been lost. */
function cut(client: Any): void {
  let wire: Any
  const connected = (to: Any) => {
    wire = to
    return { send: to.send, receive: to.receive, ended() {} }
  }
  client.tap({ connected }).stop()
  wire.cut('Cut')
}

/** A source whose parts are functions. */
function sourceOf({ begin = () => {}, next, back }: { begin?: Fn; next?: Fn; back?: Fn }) {
  return {
    [Symbol.asyncIterator]() {
      begin()
      return {
        next: next ?? (async () => ({ value: 1, done: false })),
        return: back ?? (async () => ({ value: undefined, done: true })),
      }
    },
  }
}

/** A client of a channel in this process, over a transport one of whose members is replaced. */
function overTransport(
  scene: Scene,
  change: (transport: Transport) => object,
  server = {},
  options = {},
): Any {
  return scene.connect('', {
    ...options,
    url: undefined,
    transport: () => {
      const [near, far] = memoryTransportPair()
      createChannel({ side: 'server', transport: far, methods: methods as Any, ...server })
      // Accessors are kept as they are.
      return Object.create(near, {
        start: { value: (events: Any) => near.start(events) },
        send: { value: (frame: Frame) => near.send(frame) },
        close: { value: (code?: number, reason?: string) => near.close(code, reason) },
        reliable: { value: false },
        ...Object.getOwnPropertyDescriptors(change(near)),
      })
    },
  })
}

/** A row for a member of a transport that each call uses. */
function memberRow(change: (transport: Transport, fn: Fn) => object, params: object = {}): Row {
  return {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken((_, go: Fn) => go())
      const client = overTransport(scene, (transport) => change(transport, fn))
      await client.connect()
      scene.breaks()
      const end = await endOf(client.call('add', params, TIME))
      scene.heals()
      // The client reconnects by itself.
      expect(await client.call('add')).toBe(3)
      return end
    },
    ends: every(TYPED),
  }
}

/** A row for a function that says where, or how, to connect. */
function providerRow(options: (fn: Fn, url: string) => object): Row {
  return {
    ways: ALL,
    async run(scene) {
      const url = await scene.serve()
      const given = options(scene.broken(), url)
      scene.breaks()
      const client = scene.connect(url, { ...given, connectTimeoutMs: 100, autoConnect: false })
      void client.connect()
      await polled(() => client.state.lastError).not.toBeNull()
      const { lastError } = client.state
      scene.heals()
      return lastError
    },
    ends: every(LOST),
    isToldElsewhere: true,
  }
}

/** A row for a function of the server's through which a call passes. */
function serverRow(options: (fn: Fn) => object, otherwise: Fn, name = 'add'): Row {
  return {
    ways: ALL,
    async run(scene) {
      const client = await scene.both(options(scene.broken(otherwise)))
      scene.breaks()
      return endOf(client.call(name, {}, TIME))
    },
    ends: CALL,
  }
}

/** A row for a schema of one side. */
function schemaRow(part: string, use: (client: Any) => Promise<unknown>, ends: Row['ends']): Row {
  return {
    ways: ALL,
    async run(scene) {
      const contract = contractOf({ [part]: scene.broken(taking) })
      const isServers = part === 'params' || part === 'input'
      const url = await scene.serve({ contract: isServers ? contract : contractOf() })
      const client = scene.connect(url, { contract: isServers ? contractOf() : contract })
      await client.connect()
      scene.breaks()
      return use(client)
    },
    ends,
    isToldElsewhere: ends?.throws === INVALID,
  }
}

/** A row for a listener, whose failure changes nothing else. */
function listenerRow(run: (scene: Scene, fn: Fn) => Promise<Any>): Row {
  return {
    ways: ALL,
    async run(scene) {
      const client = await run(scene, scene.broken())
      return endOf(client.call('add', {}, TIME))
    },
    ends: every(3),
  }
}

const silent = (listener: (scene: Scene, fn: Fn) => Promise<Any>): Row => ({
  ...listenerRow(listener),
  isToldElsewhere: true,
})

/** A row for a member of a tap. */
function tapRow(member: 'connected' | 'send' | 'receive' | 'ended', end: unknown): Row {
  return {
    ways: AT_ONCE,
    async run(scene) {
      const client = await scene.both()
      const fn = scene.broken((go: Fn) => go())
      const at = (name: string, go: Fn) => (name === member ? fn(go) : go())
      const tap = {
        connected: (wire: Any) =>
          at('connected', () => ({
            send: (frame: Frame) => at('send', () => wire.send(frame)),
            receive: (frame: Frame) => at('receive', () => wire.receive(frame)),
            ended: () => at('ended', () => {}),
          })),
      }
      if (member === 'connected') scene.breaks()
      client.tap(tap)
      scene.breaks()
      if (member === 'ended') client.reconnect()
      const ended = await endOf(client.call('add', {}, TIME))
      if (member === 'ended') await client.close()
      scene.heals()
      return ended
    },
    ends: every(end),
  }
}

const rows: Record<string, Row> = {
  // ── What serves calls ──
  'a handler': serverRow(
    (fn) => ({ methods: { ...methods, add: fn } }),
    () => 3,
  ),
  fallback: serverRow(
    (fallback) => ({ fallback }),
    () => 3,
    'anything',
  ),
  authorize: serverRow(
    (authorize) => ({ authorize }),
    () => true,
  ),
  discover: serverRow(
    (discover) => ({ discover }),
    () => ({}),
    'rpc.discover',
  ),
  'presence.allow': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both({ presence: { allow: scene.broken(() => true) } })
      scene.breaks()
      return endOf(client.stream('rpc.members', { group: 'room' }, TIME).next())
    },
    ends: CALL,
  },
  'a middleware of the serving side': serverRow(
    (use) => ({ use }),
    (_, next) => next(),
  ),
  'a middleware of the calling side': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both({}, { use: scene.broken((_, next: Fn) => next()) })
      scene.breaks()
      return endOf(client.call('add', {}, TIME))
    },
    ends: CALL,
    isToldElsewhere: true,
  },
  'a handler of the client': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both(
        {
          methods: {
            ...methods,
            ask: (_: unknown, { channel }: Any) => endOf(channel.call('back', {}, TIME)),
          },
        },
        { methods: { back: scene.broken() } },
      )
      scene.breaks()
      const { name, code } = (await client.call('ask')) as Any
      return { name, code }
    },
    // The server's answer turns an error into its own members.
    ends: {
      throws: expect.objectContaining({ code: -32603 }),
      rejects: expect.objectContaining({ code: -32603 }),
      'never settles': expect.objectContaining({ code: -32001 }),
    },
  },

  // ── Schemas ──
  "params' schema": schemaRow('params', (client) => endOf(client.call('work', {}, TIME)), CALL),
  "a result's schema": schemaRow('result', (client) => endOf(client.call('work', {}, TIME)), {
    throws: INVALID,
    rejects: INVALID,
    'never settles': LATE,
  }),
  "an item's schema": schemaRow('item', (client) => firstOf(client), {
    throws: INVALID,
    rejects: INVALID,
    'never settles': LATE,
  }),
  "an input's schema": schemaRow(
    'input',
    (client) => endOf(client.call('read', undefined, { ...TIME, input: [1, 2] })),
    CALL,
  ),
  "a progress's schema": schemaRow(
    'progress',
    (client) => endOf(client.call('work', {}, { ...TIME, onProgress: () => {} })),
    { throws: 'done', rejects: 'done', 'never settles': LATE },
  ),

  // ── Sources ──
  'what a stream begins with': {
    ways: AT_ONCE,
    async run(scene) {
      const begin = scene.broken()
      const client = await scene.both({ methods: { ...methods, items: () => sourceOf({ begin }) } })
      scene.breaks()
      return firstOf(client)
    },
    ends: CALL,
  },
  "a stream's next": {
    ways: ALL,
    async run(scene) {
      const next = scene.broken()
      const client = await scene.both({ methods: { ...methods, items: () => sourceOf({ next }) } })
      scene.breaks()
      return firstOf(client)
    },
    ends: CALL,
  },
  "a stream's return": {
    ways: ALL,
    async run(scene) {
      const back = scene.broken()
      const client = await scene.both({ methods: { ...methods, items: () => sourceOf({ back }) } })
      scene.breaks()
      return firstOf(client)
    },
    ends: every(1),
  },
  "a stream's return, whose next never settles": {
    ways: ALL,
    async run(scene) {
      const source = sourceOf({ back: scene.broken(), next: () => new Promise(() => {}) })
      const client = await scene.both({ methods: { ...methods, items: () => source } })
      scene.breaks()
      return firstOf(client)
    },
    ends: every(LATE),
  },
  'what an input begins with': {
    ways: AT_ONCE,
    async run(scene) {
      const client = await scene.both()
      const input = sourceOf({ begin: scene.broken() })
      scene.breaks()
      return endOf(client.call('read', undefined, { ...TIME, input }))
    },
    ends: every(expect.objectContaining({ name: 'RpcAbortedError' })),
    isToldElsewhere: true,
  },
  "an input's next": {
    ways: ALL,
    async run(scene) {
      const client = await scene.both()
      const input = sourceOf({ next: scene.broken() })
      scene.breaks()
      return endOf(client.call('read', undefined, { ...TIME, input }))
    },
    ends: {
      throws: expect.objectContaining({ name: 'RpcAbortedError' }),
      rejects: expect.objectContaining({ name: 'RpcAbortedError' }),
      'never settles': LATE,
    },
    isToldElsewhere: true,
  },
  "an input's return": {
    ways: ALL,
    async run(scene) {
      const client = await scene.both()
      const input = sourceOf({ back: scene.broken() })
      scene.breaks()
      return endOf(client.call('read', undefined, { ...TIME, input }))
    },
    ends: every('done'),
  },
  'the return of an input that is refused': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both()
      const input = sourceOf({ back: scene.broken() })
      scene.breaks()
      return endOf(client.call('read', undefined, { input, signal: AbortSignal.abort() }))
    },
    ends: every(expect.objectContaining({ name: 'RpcAbortedError' })),
  },

  // ── Who is told ──
  'a listener of progress': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both()
      const onProgress = scene.broken()
      scene.breaks()
      return endOf(client.call('work', {}, { ...TIME, onProgress }))
    },
    ends: every('done'),
  },
  'a listener of the state': listenerRow(async (scene, fn) => {
    const client = await scene.both()
    client.subscribe(fn)
    scene.breaks()
    return client
  }),
  "a listener of the client's methods": listenerRow(async (scene, fn) => {
    const listening = { onConnect: [(channel: Any) => channel.onMethods(fn)] }
    const client = await scene.both(listening)
    scene.breaks()
    client.expose('back', () => {})
    return client
  }),
  onError: silent(async (scene, fn) => {
    const client = await scene.both({
      onError: [fn],
      methods: {
        ...methods,
        add: () => 3,
        fail: () => {
          throw new Broken('Once')
        },
      },
    })
    scene.breaks()
    await endOf(client.call('fail'))
    return client
  }),
  onDisconnect: {
    ways: ALL,
    async run(scene) {
      const client = await scene.both({ onDisconnect: [scene.broken()] })
      scene.breaks()
      await client.close()
    },
    ends: every(undefined),
  },
  'onDisconnect of a client': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both({}, { onDisconnect: [scene.broken()] })
      scene.breaks()
      await client.close()
    },
    ends: every(undefined),
  },
  onConnect: {
    ways: ALL,
    async run(scene) {
      const url = await scene.serve({ onConnect: [scene.broken()] })
      scene.breaks()
      return endOfConnection(scene.connect(url))
    },
    ends: { throws: 1011, rejects: 1011, 'never settles': 'none' },
  },
  'onConnect of a client': {
    ways: ALL,
    async run(scene) {
      const url = await scene.serve()
      const onConnect = [scene.broken()]
      scene.breaks()
      return endOfConnection(scene.connect(url, { onConnect }))
    },
    ends: { throws: 4000, rejects: 4000, 'never settles': 'none' },
  },
  ...Object.fromEntries(
    (['debug', 'warn', 'error'] as const).map((level) => [
      `a logger's ${level}`,
      silent(async (scene, fn) => {
        const quiet = { debug() {}, warn() {}, error() {} }
        const logger = { ...quiet, [level]: fn }
        const fail = () => {
          throw new Error('No')
        }
        scene.breaks()
        const client = await scene.both({ logger, methods: { ...methods, fail } }, { logger })
        await endOf(client.call('fail'))
        cut(client)
        await client.connect()
        return client
      }),
    ]),
  ),

  // ── Who lets clients in ──
  authenticate: {
    ways: ALL,
    async run(scene) {
      const rejections: unknown[] = []
      const url = await scene.serve({
        authenticate: scene.broken(() => 'me'),
        authenticateTimeoutMs: 100,
        onReject: [(_: unknown, rejection: unknown) => rejections.push(rejection)],
      })
      scene.breaks()
      const client = scene.connect(url)
      await polled(() => client.state.lastError).not.toBeNull()
      await polled(() => rejections.length).toBeGreaterThan(0)
      return client.state.lastError.httpStatus
    },
    ends: { throws: 500, rejects: 500, 'never settles': 503 },
    isToldElsewhere: true,
  },
  onReject: {
    ways: ALL,
    async run(scene) {
      let isRefused = false
      const url = await scene.serve({
        authenticate: () => {
          if (isRefused) throw new RejectUpgrade(401, 'Who are you?')
        },
        onReject: [scene.broken()],
      })
      isRefused = true
      scene.breaks()
      const client = scene.connect(url)
      await polled(() => client.state.status).toBe('unauthorized')
      return client.state.lastError.httpStatus
    },
    ends: every(401),
    isToldElsewhere: true,
  },
  'resume.sameIdentity': {
    ways: ALL,
    async run(scene) {
      const client = await scene.both({ resume: { sameIdentity: scene.broken(() => true) } })
      const { sessionId } = client.state
      scene.breaks()
      cut(client)
      await polled(() => client.state.status === 'connected' && client.state.sessionId).not.toBe(
        sessionId,
      )
      await client.connect()
      return client.state.resumed
    },
    ends: every(false),
  },
  spreadMs: {
    ways: ALL,
    async run(scene) {
      const url = await scene.serve({ spreadMs: scene.broken(() => 0) })
      scene.breaks()
      const client = scene.connect(url)
      return endOf(client.call('add', {}, TIME))
    },
    ends: every(3),
  },
  'idempotency.scope': {
    ways: ALL,
    async run(scene) {
      const scope = scene.broken(() => 'all')
      const url = await scene.serve({ idempotency: { store: memoryResultStore(), scope } })
      scene.breaks()
      const client = scene.connect(url)
      await polled(() => client.state.lastError).not.toBeNull()
      return client.state.lastError.closeCode
    },
    ends: every(1011),
  },

  // ── How clients reach them ──
  'what says the url': providerRow((fn, url) => ({ url: (...args: Any[]) => fn(...args) ?? url })),
  'what says the headers': providerRow((fn) => ({
    headers: (...args: Any[]) => fn(...args) ?? {},
  })),
  'what makes a transport': providerRow((fn) => ({ url: undefined, transport: fn })),
  'what makes a transport, whose close': {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken((_, go: Fn) => go())
      const client = overTransport(scene, (near) => ({
        close: (code?: number, reason?: string) => fn('close', () => near.close(code, reason)),
      }))
      await client.connect()
      scene.breaks()
      await client.close()
      return client.state.status
    },
    ends: every('closed'),
  },
  'a transport’s start': {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken((_, go: Fn) => go())
      const client = overTransport(scene, (near) => ({
        start: (events: Any) => fn('start', () => near.start(events)),
      }))
      scene.breaks()
      await polled(() => client.state.lastError).not.toBeNull()
      const { lastError } = client.state
      scene.heals()
      expect(await client.call('add')).toBe(3)
      return lastError
    },
    ends: every(LOST),
  },
  'a transport’s send': memberRow((near, fn) => ({
    send: (frame: Frame) => fn('send', () => near.send(frame)),
  })),
  'a transport’s isOpen': memberRow((near, fn) => ({
    get isOpen() {
      return fn('isOpen', () => near.isOpen ?? true)
    },
  })),
  'a transport’s bufferedBytes': memberRow((_, fn) => ({
    get bufferedBytes() {
      return fn('bufferedBytes', () => 0)
    },
  })),
  'a transport’s sendTogether': memberRow(
    (near, fn) => ({
      sendTogether: (frames: Frame[]) =>
        fn('sendTogether', () => frames.every((frame) => near.send(frame))),
    }),
    { bytes: Uint8Array.of(1) },
  ),
  'a transport’s cork': memberRow((_, fn) => ({ cork: () => fn('cork', () => {}) }), {
    bytes: Uint8Array.of(1),
  }),
  'a transport’s terminate': {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken((_, go: Fn) => go())
      const client = overTransport(scene, (near) => ({
        terminate: () => fn('terminate', () => near.close()),
      }))
      await client.connect()
      scene.breaks()
      client.tap({
        connected: (wire: Any) => {
          queueMicrotask(() => wire.cut('Cut'))
          return { send: wire.send, receive: wire.receive, ended() {} }
        },
      })
      await polled(() => client.state.status).not.toBe('connected')
    },
    ends: every(undefined),
  },
  'a transport’s pause': {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken()
      const [near, far] = memoryTransportPair()
      const transport = Object.create(far, {
        start: { value: (events: Any) => far.start(events) },
        send: { value: (frame: Frame) => far.send(frame) },
        close: { value: (code?: number, reason?: string) => far.close(code, reason) },
        reliable: { value: false },
        pause: { value: fn },
      })
      createChannel({
        side: 'server',
        transport,
        methods: methods as Any,
        limits: { messagesPerSecond: 5 },
        onError: [(_, error) => scene.errors.push(error)],
      })
      const channel = createChannel<Any, Any>({ side: 'client', transport: near })
      await channel.call('add')
      scene.breaks()
      const calls = Array.from({ length: 20 }, () =>
        channel.call('add', {} as never, TIME as never),
      )
      const ends = await Promise.all(calls.map(endOf))
      return ends.at(-1)
    },
    ends: every(LOST),
  },
  'a transport’s hasMoved': {
    ways: AT_ONCE,
    async run(scene) {
      const fn = scene.broken((_, go: Fn) => go())
      const change = () => ({ hasMoved: () => fn('hasMoved', () => false) })
      const heartbeat = { intervalMs: 50, timeoutMs: 200 }
      const client = overTransport(scene, change, {}, { heartbeat })
      await client.connect()
      scene.breaks()
      await polled(() => client.state.status).not.toBe('connected')
      scene.heals()
      return client.call('add')
    },
    ends: every(3),
  },
  'a transport’s pong': {
    ways: AT_ONCE,
    async run(scene) {
      const [near, far] = memoryTransportPair()
      let events: Any
      let isClosed = false
      const transport = Object.create(far, {
        start: {
          value: (given: Any) => {
            events = given
            far.start(given)
          },
        },
        send: { value: (frame: Frame) => far.send(frame) },
        close: { value: (code?: number, reason?: string) => far.close(code, reason) },
        reliable: { value: false },
        pong: { value: scene.broken() },
      })
      createChannel({
        side: 'server',
        transport,
        methods: methods as Any,
        plain: true,
        onError: [(_, error) => scene.errors.push(error)],
        onDisconnect: [() => (isClosed = true)],
      })
      const channel = createChannel<Any, Any>({ side: 'client', transport: near, plain: true })
      await channel.call('add')
      scene.breaks()
      events.arriving()
      await polled(() => isClosed).toBe(true)
    },
    ends: every(undefined),
  },
  'dialect.wrap': {
    ways: AT_ONCE,
    async run(scene) {
      const url = await scene.serve()
      const dialect = { name: 'test', wrap: scene.broken((transport: Transport) => transport) }
      scene.breaks()
      const client = scene.connect(url, { dialect })
      await polled(() => client.state.lastError).not.toBeNull()
      const { lastError } = client.state
      scene.heals()
      expect(await client.call('add')).toBe(3)
      return lastError
    },
    ends: every(LOST),
  },
  'tap.connected': tapRow('connected', 3),
  'tap.send': tapRow('send', LOST),
  'tap.receive': tapRow('receive', LOST),
  'tap.ended': tapRow('ended', 3),

  // ── How messages are written ──
  ...Object.fromEntries(
    (['encode', 'decode'] as const).map((part): [string, Row] => [
      `codec.${part}`,
      {
        ways: ALL,
        async run(scene) {
          const own: Codec = { ...jsonCodec, name: 'own' }
          const fn = scene.broken(own[part] as Fn)
          const client = await scene.both({ codec: own }, { codec: { ...own, [part]: fn } })
          scene.breaks()
          const end = await endOf(client.call('add', {}, TIME))
          scene.heals()
          return end
        },
        ends: every(part === 'encode' ? INVALID : LATE),
        isToldElsewhere: part === 'encode',
      },
    ]),
  ),

  // ── Where results are kept ──
  'store.begin': {
    ways: ALL,
    async run(scene) {
      const store = memoryResultStore()
      const begin = scene.broken((...args: Any[]) => store.begin(...(args as [string, string])))
      const kept = { id: store.id, ttlMs: store.ttlMs, begin, finish: store.finish.bind(store) }
      const client = await scene.both({ idempotency: { store: kept } })
      scene.breaks()
      return endOf(client.call('add', {}, { ...TIME, idempotencyKey: 'a' }))
    },
    ends: { throws: NOT_RUN, rejects: NOT_RUN, 'never settles': LATE },
  },
  'store.finish': {
    ways: ['throws', 'rejects'],
    async run(scene) {
      const store = memoryResultStore()
      const finish = scene.broken((...args: Any[]) => store.finish(...(args as [string, string])))
      const kept = { id: store.id, ttlMs: store.ttlMs, begin: store.begin.bind(store), finish }
      const client = await scene.both({ idempotency: { store: kept } })
      scene.breaks()
      return endOf(client.call('add', {}, { ...TIME, idempotencyKey: 'a' }))
    },
    ends: every(3),
  },
}

const opened: (() => unknown)[] = []
const uncaught: unknown[] = []
const isUncaught = (error: unknown) => void uncaught.push(error)

beforeEach(() => {
  process.on('uncaughtException', isUncaught)
  process.on('unhandledRejection', isUncaught)
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
  process.off('uncaughtException', isUncaught)
  process.off('unhandledRejection', isUncaught)
  uncaught.length = 0
})

function sceneOf(way: Way) {
  let isBroken = false
  const errors: unknown[] = []
  const onError = (_: unknown, error: unknown) => errors.push(error)
  /** Another client of the same server. */
  let neighbour: { client: Client<Any, Any>; slow: Promise<unknown> } | undefined
  let failures = 0
  const fail = (): unknown => {
    failures++
    if (way === 'throws') throw new Broken('It is broken')
    return way === 'rejects' ? Promise.reject(new Broken('It is broken')) : new Promise(() => {})
  }
  const connect = (url: string, { contract, ...options }: Any = {}): Any => {
    const all = { url, retry: { minDelayMs: 5, maxDelayMs: 20 }, onError: [onError], ...options }
    const client = contract ? createClient(contract, all) : createClient(all)
    opened.push(() => client.close())
    return client
  }
  const serve = async ({ contract, ...options }: Any = {}): Promise<string> => {
    const all = { methods, onError: [onError], ...options } as EndpointOptions<Any, Any>
    if (contract) {
      const { slow: _, ...typed } = methods
      all.methods = typed as Any
    }
    const endpoint = contract ? createEndpoint(contract, all) : createEndpoint(all)
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    const { codec } = options
    const client = connect(url, codec && { codec })
    await client.connect()
    neighbour = { client, slow: contract ? client.call('add') : client.call('slow') }
    return url
  }
  const scene: Scene = {
    broken:
      (otherwise = () => {}) =>
      (...args) =>
        isBroken ? fail() : otherwise(...args),
    breaks: () => {
      isBroken = true
    },
    heals: () => {
      isBroken = false
    },
    get failures() {
      return failures
    },
    serve,
    connect,
    async both(server = {}, client = {}) {
      const own = connect(await serve(server), client)
      await own.connect()
      return own
    },
    errors,
  }
  return {
    scene,
    /** The calls of another client still work. */
    async assertNeighbour() {
      isBroken = false
      if (!neighbour) return
      expect(await neighbour.slow).toSatisfy((value) => value === 'slow' || value === 3)
      expect(await neighbour.client.call('add')).toBe(3)
    },
  }
}

/**
 * Whether an error is the error of the row, or was caused by it. If a promise was returned where none may be, the
 * error says so.
 */
function isOfRow(error: unknown): boolean {
  for (let at = error as Any; at; at = at.cause) {
    if (at instanceof Broken || /promise|returned object|returned neither text/.test(at.message)) {
      return true
    }
  }
  return false
}

const cases = Object.entries(rows).flatMap(([name, row]) =>
  row.ways.map((way): [string, Way, Row] => [name, way, row]),
)

test.each(cases)('%s that %s harms its own', async (_, way, { run, ends, isToldElsewhere }) => {
  TIME.timeout = timeoutOf(way)
  const { scene, assertNeighbour } = sceneOf(way)
  expect(await run(scene, way)).toEqual((ends as Any)[way])
  await polled(() => scene.failures).toBeGreaterThan(0)
  await assertNeighbour()
  if (way !== 'never settles' && !isToldElsewhere) {
    await polled(() => scene.errors.some(isOfRow)).toBe(true)
  }
  // Uncaught errors are reported after everything that is queued now.
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(uncaught).toEqual([])
})
