import {
  createClient,
  defineContract,
  type HandlerContext,
  type Middleware,
  type MiddlewareCall,
  method,
  notification,
  RpcError,
} from '@flashrpc/core'
import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { polled } from '../support/eventually.js'

/** What calls to the clients of all nodes take besides their params: metadata, progress, options. */

const contract = defineContract({
  server: {
    /** Calls all clients, and answers the results. */
    relay: method({ result: z.array(z.unknown()) }),
  },
  client: {
    meta: method({ result: z.record(z.string(), z.string()) }),
    told: notification({ params: z.object({ text: z.string() }) }),
    /** Tells 1, 2, and then the last value. */
    work: method({
      params: z.object({ last: z.number() }),
      result: z.string(),
      progress: z.number().max(10),
    }),
    /** Tells 1, and 2 when that was heard; ends when it is given up. */
    hang: method({ result: z.string(), progress: z.number() }),
    upload: method({ input: z.number(), result: z.number() }),
  },
})
type Server = typeof contract.server
type Page = typeof contract.client

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A promise that resolves when it is opened. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/**
 * Two nodes, with a client each. The middleware is that of the first node's cluster, and of the second one's.
 *
 * @param forge changes what the second node publishes.
 */
async function start(
  use?: Middleware | Middleware[],
  errors: string[] = [],
  useOfSecond?: Middleware,
  forge?: (payload: Uint8Array) => Uint8Array,
) {
  const engines = memoryEngines()
  const engine = (at: number) => {
    const made = engines()
    if (at === 0 || !forge) return made
    const publish = made.publish.bind(made)
    return Object.assign(made, {
      publish: (subject: string, payload: Uint8Array) => publish(subject, forge(payload)),
    })
  }
  /** The numbers of the clients that ran `meta`, as they ran it. */
  const ran: number[] = []
  const second = gate()
  const heard: [client: number, text: string, meta: object][] = []
  const log = (text: string) => void errors.push(text)
  const nodes = await Promise.all(
    [0, 1].map(async (at) => {
      const ofNode = at === 0 ? use : useOfSecond
      const middleware = ofNode ? { use: ofNode } : {}
      const endpoint: ClusterEndpoint<Server, Page> = createEndpoint(contract, {
        cluster: createCluster({ engine: engine(at), app: 'meta', ...middleware }),
        logger: { debug() {}, warn: log, error: log },
        // Adds to what has come with the call.
        use: (call, next) => {
          if (call.direction === 'out') call.meta.node = `${at}`
          return next()
        },
      })
      endpoint.implement({
        async relay(_, { signal }) {
          return found(await endpoint.all.call('meta', undefined, { signal }))
        },
      })
      opened.push(() => endpoint.close())
      const { url } = await endpoint.listen()
      const client = createClient(contract, {
        url,
        logger: false,
        use: (call, next) => {
          if (call.direction === 'out') call.meta.by = 'a client'
          return next()
        },
        methods: {
          meta: (_: unknown, { meta }: HandlerContext) => {
            ran.push(at)
            return { ...meta }
          },
          told: ({ text }, { meta }) => void heard.push([at, text, { ...meta }]),
          async work({ last }, { progress }) {
            for (const n of [1, 2]) {
              progress(n)
              await new Promise((resolve) => setTimeout(resolve, 5))
            }
            progress(last)
            return `by ${at}`
          },
          async hang(_, { progress, signal }) {
            progress(1)
            await second.opened
            progress(2)
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            return `by ${at}`
          },
          async upload(_, { input }) {
            let sum = 0
            for await (const n of input) sum += n
            return sum
          },
        },
      })
      opened.push(() => client.close())
      await client.connect()
      return { endpoint, client, url }
    }),
  )
  const [one, two] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
  for (const { endpoint } of nodes) {
    await polled(async () => (await endpoint.all.count()).count).toBe(2)
  }
  return { one, two, heard, ran, tellSecond: second.open }
}

/** Waits until the clients of the other nodes have got all that this node has published. */
async function settled({ endpoint }: Pick<Awaited<ReturnType<typeof start>>['one'], 'endpoint'>) {
  const { members } = await endpoint.all.members()
  for (const { channelId } of members) {
    await endpoint.channel(channelId).other.work({ last: 1 })
  }
}

/** The values of outcomes, or the messages of their errors; that of this node comes first. */
const found = (outcomes: readonly object[]) =>
  outcomes.map((outcome) => ('value' in outcome ? outcome.value : Reflect.get(outcome, 'error')))

describe('the middleware of a cluster', () => {
  test('adds metadata to calls to many, once for all other nodes', async () => {
    const seen: MiddlewareCall[] = []
    const { one } = await start((call, next) => {
      if (call.method !== 'meta') return next()
      seen.push(call)
      call.meta.trace = `t${seen.length}`
      return next()
    })
    const { all } = one.endpoint
    expect(found(await all.call('meta'))).toEqual([{ node: '0' }, { node: '1', trace: 't1' }])
    const each: object[] = []
    for await (const outcome of all.each('meta')) each.push(outcome)
    expect(found(each)).toContainEqual({ node: '1', trace: 't2' })
    const [call] = seen
    expect(call).toMatchObject({ direction: 'out', kind: 'method', method: 'meta' })
    expect(call).toMatchObject({ id: undefined, identity: undefined, parent: undefined })
    expect(call?.channel.id).toBeTypeOf('string')
    expect(seen).toHaveLength(2)
  })

  test('sees none of the messages of the nodes themselves, and cannot lose them', async () => {
    const seen = new Set<string>()
    const none: Middleware = (call, next) => {
      seen.add(call.method)
      return call.kind === 'notification' ? undefined : next()
    }
    // That of the first node surrounds the call; that of the second one has the outcomes to tell.
    const { one, two } = await start([none], [], none)
    const progress: number[] = []
    const onProgress = (value: number) => void progress.push(value)
    const outcomes = await one.endpoint.all.call(
      'work',
      { last: 3 },
      { timeout: 2_000, onProgress },
    )
    expect(found(outcomes)).toEqual(['by 0', 'by 1'])
    expect(progress.filter((value) => value === 3)).toHaveLength(2)
    expect(seen).toEqual(new Set(['work']))
    // Calls to one client of another node are surrounded.
    const [channel] = one.endpoint.channels
    expect(await two.endpoint.channel(channel?.id ?? '').other.meta()).toEqual({ node: '0' })
    expect(seen).toEqual(new Set(['work', 'meta']))
    // A call that is given up, and a channel that is closed: the nodes tell each other.
    const giveUp = new AbortController()
    const { signal } = giveUp
    const options = { signal, onProgress: () => giveUp.abort() }
    await Promise.allSettled([one.endpoint.all.call('work', { last: 4 }, options)])
    expect(signal.aborted).toBe(true)
    await two.endpoint.channel(channel?.id ?? '').close()
    await polled(() => one.endpoint.channels.size).toBe(0)
    expect(seen).toEqual(new Set(['work', 'meta']))
  })

  test('adds metadata to notifications to many', async () => {
    const { one, heard } = await start((call, next) => {
      call.meta.trace = call.kind
      return next()
    })
    const told = await one.endpoint.all.notify('told', { text: 'hi' })
    expect(told).toEqual({ here: 1, elsewhere: 'published' })
    await polled(() => [...heard].sort()).toEqual([
      [0, 'hi', { node: '0' }],
      [1, 'hi', { node: '1', trace: 'notification' }],
    ])
  })

  test('finds the call of the handler that passes its signal on', async () => {
    const { one } = await start((call, next) => {
      call.meta.parent = `${call.parent?.method} of ${call.parent?.meta.by}`
      return next()
    })
    expect(await one.client.other.relay()).toEqual([
      { node: '0' },
      { node: '1', parent: 'relay of a client' },
    ])
  })

  test('gets the outcomes of the other nodes from next()', async () => {
    const got: unknown[] = []
    const { one } = await start(async ({ method }, next) => {
      const outcomes = await next()
      if (method === 'meta') got.push(outcomes)
      return outcomes
    })
    const outcomes = await one.endpoint.all.call('meta')
    expect(got).toEqual([outcomes.slice(1)])
  })

  test('may answer, or fail, in place of the clients of other nodes', async () => {
    const { one } = await start(async (call) => {
      if (call.kind === 'notification') throw new RpcError(4002, 'tells nobody')
      if (Reflect.get(Object(call.params), 'fail')) throw new Error('it broke')
      return 'an answer'
    })
    const { all } = one.endpoint
    expect(found(await all.call('meta'))).toEqual([{ node: '0' }, 'an answer'])
    const [, failed] = found(await all.call('meta', { fail: true } as never))
    expect(failed).toMatchObject({
      code: -32603,
      message: 'A middleware of "meta" failed: it broke',
    })
    expect(await all.notify('told', { text: 'hi' })).toEqual({ here: 1, elsewhere: 'not-sent' })
  })

  test('is told to the log if it fails after the call was sent', async () => {
    const errors: string[] = []
    const { one } = await start(async (_, next) => {
      await next()
      throw new Error('too late')
    }, errors)
    expect(found(await one.endpoint.all.call('meta'))).toEqual([{ node: '0' }, { node: '1' }])
    expect(errors.join()).toContain('too late')
  })

  test('can send texts only', async () => {
    const { one } = await start((call, next) => {
      call.meta.n = 5 as never
      return next()
    })
    expect(found(await one.endpoint.all.call('meta'))[1]).toMatchObject({
      name: 'RpcConfigError',
      message: 'call.meta of "meta" must have nothing but texts',
    })
  })

  test('holds a call no longer than its caller waits', async () => {
    const { one } = await start(() => new Promise(() => {}))
    const giveUp = new AbortController()
    const outcomes = one.endpoint.all.call('meta', undefined, { signal: giveUp.signal })
    giveUp.abort()
    expect(await outcomes).toMatchObject([
      { status: 'error', error: { name: 'RpcAbortedError' } },
      { status: 'unreached', error: { outcome: 'not-sent', cause: giveUp.signal.reason } },
    ])
  })

  test('sends nothing of a call that it has answered', async () => {
    const { open, opened } = gate()
    const passed = gate()
    const { one, ran } = await start([
      ({ method }, next) =>
        method === 'meta' ? Promise.race([next(), sleep(20).then(() => 'cached')]) : next(),
      async ({ method }, next) => {
        if (method !== 'meta') return next()
        await opened
        return next().finally(passed.open)
      },
    ])
    const each: object[] = []
    for await (const outcome of one.endpoint.all.each('meta')) {
      each.push(outcome)
      if (each.length < 2) continue
      open()
      await passed.opened
      await settled(one)
    }
    expect(found(each)).toEqual([{ node: '0' }, 'cached'])
    expect(ran).toEqual([0])
  })

  test('sends nothing of a notification that was given up', async () => {
    const { open, opened } = gate()
    const { one, heard } = await start(async (call, next) => {
      if (Reflect.get(Object(call.params), 'text') === 'held') await opened
      return next()
    })
    const { all } = one.endpoint
    const giveUp = new AbortController()
    const told = all.notify('told', { text: 'held' }, { signal: giveUp.signal })
    giveUp.abort()
    // In the same turn, so that the middleware goes on before it is known to wait for nothing.
    open()
    expect(await told).toMatchObject({ elsewhere: 'not-sent' })
    await all.notify('told', { text: 'last' })
    await polled(() => heard.filter(([at]) => at === 1).map(([, text]) => text)).toEqual(['last'])
  })

  test('sends nothing of what was given up before it was made', async () => {
    const { one, heard, ran } = await start((_, next) => next())
    const { all } = one.endpoint
    const signal = AbortSignal.abort('no')
    const told = await all.notify('told', { text: 'never' }, { signal })
    expect(told).toEqual({ here: 0, elsewhere: 'not-sent' })
    expect(await all.call('meta', undefined, { signal })).toMatchObject([
      { status: 'error', error: { outcome: 'not-sent', cause: 'no' } },
      { status: 'unreached', error: { outcome: 'not-sent', cause: 'no' } },
    ])
    await all.notify('told', { text: 'last' })
    await polled(() => heard.map(([, text]) => text)).toEqual(['last', 'last'])
    expect(ran).toEqual([])
  })

  test('answers a call that is given up before the other nodes have named their clients: not sent', async () => {
    const giveUp = new AbortController()
    let isAnswered = false
    const { one, ran } = await start(
      async () => {
        isAnswered = true
        return 'an answer'
      },
      [],
      undefined,
      (payload) => {
        if (isAnswered) giveUp.abort()
        return payload
      },
    )
    const { all } = one.endpoint
    const far = all.except([...all.here])
    expect(await far.call('meta', undefined, { signal: giveUp.signal })).toMatchObject([
      { status: 'unreached', error: { name: 'RpcDisconnectedError', outcome: 'not-sent' } },
    ])
    expect(ran).toEqual([])
  })

  test('holds a call no longer than its timeout', async () => {
    const { open, opened } = gate()
    const passed = gate()
    const aborted: boolean[] = []
    const { one, ran } = await start(async ({ method, signal }, next) => {
      if (method !== 'meta') return next()
      signal.addEventListener('abort', () => aborted.push(true))
      await opened
      return next().finally(passed.open)
    })
    const { all } = one.endpoint
    const [here, far] = await all.call('meta', undefined, { timeout: 50 })
    expect(here).toMatchObject({ status: 'ok' })
    expect(far).toMatchObject({
      status: 'error',
      error: {
        name: 'RpcTimeoutError',
        outcome: 'not-sent',
        message:
          '"meta" timed out after 50 ms: it was not sent, because middleware of the cluster held it',
      },
    })
    const [, idle] = found(await all.call('meta', undefined, { timeout: { idle: 50 } }))
    expect(idle).toMatchObject({
      name: 'RpcTimeoutError',
      outcome: 'not-sent',
      message:
        '"meta" showed no sign of life for 50 ms: it was not sent, because middleware of the cluster held it',
    })
    expect(aborted).toEqual([true, true])
    open()
    await passed.opened
    await settled(one)
    expect(ran).toEqual([0, 0])
  })

  test('sends nothing of a call whose time ended while it kept the thread busy', async () => {
    const { one, ran } = await start((_, next) => {
      for (const begun = performance.now(); performance.now() - begun < 60; );
      return next()
    })
    const [, far] = found(await one.endpoint.all.call('meta', undefined, { timeout: 50 }))
    expect(far).toMatchObject({ name: 'RpcTimeoutError', outcome: 'not-sent' })
    await settled(one)
    expect(ran).not.toContain(1)
  })

  test('holds nothing longer than its endpoint is open', async () => {
    const { open, opened } = gate()
    const { one, ran, heard } = await start(async (_, next) => {
      await opened
      return next()
    })
    const { all } = one.endpoint
    const call = all.call('meta')
    const told = all.notify('told', { text: 'hi' })
    await polled(() => ran).toEqual([0])
    await one.endpoint.close()
    expect((await call).slice(1)).toMatchObject([
      { status: 'unreached', error: { name: 'RpcDisconnectedError', outcome: 'not-sent' } },
    ])
    expect(await told).toMatchObject({ elsewhere: 'not-sent' })
    open()
    await sleep(20)
    expect(ran).toEqual([0])
    expect(heard.filter(([at]) => at === 1)).toEqual([])
  })
})

describe('the options of a call to many', () => {
  test('tell the progress of the clients of all nodes', async () => {
    const { one } = await start()
    const told: number[] = []
    const onProgress = (n: number) => told.push(n)
    const outcomes = await one.endpoint.all.call('work', { last: 3 }, { onProgress })
    expect(found(outcomes)).toEqual(['by 0', 'by 1'])
    // If they come faster than they are told, the newest counts: the last one of each client is always told.
    expect(told.filter((n) => n === 3)).toHaveLength(2)
    expect(told.length).toBeGreaterThan(2)
  })

  test('tell no progress that breaks its schema; the log has it', async () => {
    const errors: string[] = []
    const { one } = await start(undefined, errors)
    const told: number[] = []
    const onProgress = (n: number) => told.push(n)
    await one.endpoint.all.call('work', { last: 11 }, { onProgress })
    expect(told).not.toContain(11)
    await polled(
      () => errors.filter((text) => text.includes('The progress of "work"')).length,
    ).toBe(2)
  })

  test('tell no progress of a target that has its outcome', async () => {
    const { one, tellSecond } = await start()
    const { all } = one.endpoint
    const far = all.except([...all.here])
    const giveUp = new AbortController()
    const told: number[] = []
    const { open, opened } = gate()
    const onProgress = (n: number) => {
      told.push(n)
      return opened
    }
    const options = { onProgress, signal: giveUp.signal }
    const outcomes = far.call('hang', undefined, options as never)
    await polled(() => told).toEqual([1])
    tellSecond()
    // The outcomes of a later call come after the progress.
    await far.call('meta')
    await sleep(20)
    giveUp.abort()
    expect(found(await outcomes)).toMatchObject([{ name: 'RpcAbortedError' }])
    open()
    await sleep(20)
    expect(told).toEqual([1])
  })

  test('tell no progress of a target that its node has not named', async () => {
    let forged = 0
    // Another id than that of the client.
    const { one } = await start(undefined, [], undefined, (payload) => {
      const text = Buffer.from(payload).toString('latin1')
      if (!text.includes('group.progress')) return payload
      forged++
      const other = text.replace(
        /"id":"([0-9a-f]{31})(.)"/g,
        (_, most, last) => `"id":"${most}${last === '0' ? '1' : '0'}"`,
      )
      expect(other).not.toBe(text)
      return Buffer.from(other, 'latin1')
    })
    const { all } = one.endpoint
    const told: number[] = []
    const onProgress = (n: number) => told.push(n)
    const outcomes = await all.except([...all.here]).call('work', { last: 3 }, { onProgress })
    expect(found(outcomes)).toEqual(['by 1'])
    expect(forged).toBeGreaterThan(0)
    expect(told).toEqual([])
  })

  test.each([
    ['has its result', 'done'],
    ['has its error', 'failed'],
    ['belongs to another node', 'elsewhere'],
  ])('tell no progress of a target that %s, while others are open', async (_, which) => {
    const ids = { from: '', to: '' }
    let forged = 0
    const { one, two } = await start(undefined, [], undefined, (payload) => {
      const text = Buffer.from(payload).toString('latin1')
      if (ids.to === '' || !text.includes('group.progress')) return payload
      const other = text.replaceAll(`"id":"${ids.from}"`, `"id":"${ids.to}"`)
      expect(other).not.toBe(text)
      forged++
      return Buffer.from(other, 'latin1')
    })
    const [tell, end] = [gate(), gate()]
    const first = new Set(two.endpoint.channels)
    const slow = createClient(contract, {
      url: two.url,
      logger: false,
      methods: {
        meta: () => ({}),
        told: () => {},
        async work(_: unknown, { progress }: { progress: (n: number) => void }) {
          await tell.opened
          progress(7)
          await end.opened
          return 'slow'
        },
        hang: () => '',
        upload: () => 0,
      },
    } as never)
    opened.push(() => slow.close())
    await slow.connect()
    const { all } = one.endpoint
    await polled(async () => (await all.count()).count).toBe(3)
    const [done] = first
    const [open] = [...two.endpoint.channels].filter((channel) => !first.has(channel))
    const [here] = one.endpoint.channels
    // A value over the limit of the schema breaks the progress only.
    if (which === 'failed')
      two.client.expose('work', () => Promise.reject(new RpcError(4000, 'no')))
    const told: number[] = []
    const options = { onProgress: (n: number) => void told.push(n) }
    const outcomes: object[] = []
    const far = all.except([...all.here])
    for await (const outcome of far.each('work', { last: 3 }, options)) {
      outcomes.push(outcome)
      if (outcomes.length > 1) break
      const target = which === 'elsewhere' ? here : done
      ids.from = open?.id.slice(16) ?? ''
      ids.to = target?.id.slice(16) ?? ''
      tell.open()
      await polled(() => forged).toBeGreaterThan(0)
      end.open()
    }
    expect(found(outcomes).at(-1)).toBe('slow')
    expect(told).not.toContain(7)
  })

  test('that are wrong are each target’s error, at all nodes', async () => {
    const { one } = await start()
    const { all } = one.endpoint
    for (const options of [{ onProgress: 5 }, { timeout: -1 }, { unknown: 1 }]) {
      const outcomes = found(await all.call('work', { last: 3 }, options as never))
      expect(outcomes).toHaveLength(2)
      for (const error of outcomes) expect(error).toMatchObject({ name: 'RpcConfigError' })
    }
    const notified = await all.notify('told', { text: 'hi' }, { unknown: 1 } as never)
    expect(notified).toEqual({ here: 0, elsewhere: 'not-sent' })
    const untyped = all as unknown as { notify(method: string): Promise<unknown> }
    const unknown = await untyped.notify('nothing')
    expect(unknown).toEqual({ here: 0, elsewhere: 'not-sent' })
    const signal = AbortSignal.abort()
    const aborted = await all.notify('told', { text: 'hi' }, { signal })
    expect(aborted).toEqual({ here: 0, elsewhere: 'not-sent' })
  })

  test('input goes to the clients of this node only, and others say so', async () => {
    const { one } = await start()
    const [here, far] = found(await one.endpoint.all.call('upload', undefined, { input: [1, 2] }))
    expect(here).toBe(3)
    expect(far).toMatchObject({
      name: 'RpcConfigError',
      message: expect.stringContaining('call each client by endpoint.channel(id)'),
    })
  })
})
