import {
  type Client,
  createClient,
  RpcConfigError,
  type RpcDisconnectedError,
} from '@flashrpc/core'
import { type Cluster, createCluster } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { redisEngine, redisResultStore } from '@flashrpc/redis'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { createSentinel } from 'redis'
import { describe, expect, type OnTestFinishedHandler, test } from 'vitest'
import { RedisWithSentinel } from '../../../scripts/engine-servers/redis-sentinel.js'
import { redisProgram } from '../../../scripts/engine-servers/redis-server.js'
import { eventually } from '../../core/test/support/eventually.js'

interface Server {
  join(params: { group: string }): void
  whoami(params: object): string
}

interface Page {
  /** Is answered when the test says so. */
  hold(params: { name: string }): string
  ask(params: { name: string }): string
  hear(params: { name: string }): void
}

/** A client of a node, and what it has run. */
interface Member {
  readonly client: Client<Page, Server>
  readonly id: string
  readonly ran: string[]
  readonly held: Map<string, () => void>
}

/** A node, and what it has told of the others. */
interface Node {
  readonly cluster: Cluster
  readonly endpoint: ClusterEndpoint<Server, Page>
  readonly port: number
  readonly url: string
  readonly changes: string[]
}

/** Takes what is to be done when the test has ended, the last first. */
type Ends = (end: OnTestFinishedHandler) => void

/** How the primary fails, and which clients the nodes have. */
interface Failure {
  readonly kind?: keyof typeof CLIENTS
  /** Its process is stopped: connections to it stay, and nothing answers. */
  readonly isHung?: boolean
}

const CLIENTS = { ioredis: Redis, 'ioredis 5': Redis5 as unknown as typeof Redis } as const
const why = redisProgram.missing ? ` (skipped: ${redisProgram.missing})` : ''

describe.skipIf(redisProgram.missing)(`a primary of Redis with Sentinel that fails${why}`, () => {
  test.concurrent.for([
    ['is killed, with ioredis', { kind: 'ioredis' }],
    ['is killed, with ioredis 5', { kind: 'ioredis 5' }],
    ['hangs, with ioredis', { isHung: true }],
  ] as [string, Failure][])(
    '%s: calls, groups and sessions go on',
    async ([, failure], { onTestFinished: ends }) => {
      const redis = await start(ends)
      const nodes = await Promise.all([0, 1, 2].map(() => startNode(ends, redis, failure)))
      const [a, b, c] = nodes as [Node, Node, Node]
      const states = () => nodes.map(({ cluster }) => cluster.state)
      const known = () =>
        nodes.map(({ cluster }) => cluster.nodes.map(({ node, epoch }) => [node, epoch]))
      await polled(() => known().flat().length).toBe(9)
      const before = known()

      // One client of each node; and one whose session is at the first node, connected to the second one.
      const proxy = await createFaultProxy({ port: a.port })
      ends(() => proxy.close())
      const moved = await join(ends, proxy.url())
      proxy.retarget({ port: b.port })
      proxy.reset()
      await polled(() => moved.client.state.resumed).toBe(true)
      const ofA = await join(ends, a.url)
      const ofB = await join(ends, b.url)
      const ofC = await join(ends, c.url)
      const members = [moved, ofA, ofB, ofC]
      const ran = () => members.map((member) => member.ran.toSorted())
      await polled(() => c.endpoint.group('room').count()).toEqual({ count: 4, unreached: [] })

      const toOne = a.endpoint.channel(ofC.id).other.hold({ name: 'one' })
      const toMoved = c.endpoint.channel(moved.id).other.hold({ name: 'moved' })
      const toAll = b.endpoint.group('room').call('hold', { name: 'all' })
      await polled(ran).toEqual([['all', 'moved'], ['all'], ['all'], ['all', 'one']])

      if (failure.isHung) redis.primary.signal('SIGSTOP')
      else await redis.primary.kill()
      await polled(states).toEqual(nodes.map(() => 'cut-off'))
      const group = a.endpoint.group('room')
      const called = group.call('ask', { name: 'meanwhile' })
      const told = await group.notify('hear', { name: 'told meanwhile' })
      const later = a.endpoint.channel(ofB.id).other.ask({ name: 'later' })
      await redis.promote()
      await polled(states).toEqual(nodes.map(() => 'up'))

      // Messages to a group were not sent, and the others know it. What is for one client has waited.
      expect(told).toEqual({ here: 2, elsewhere: 'not-sent' })
      expect(outcomesOf(await called)).toEqual(
        sorted([
          [moved.id, 'meanwhile'],
          [ofA.id, 'meanwhile'],
          [b.cluster.node, 'not-sent'],
          [c.cluster.node, 'not-sent'],
        ]),
      )
      expect(await later).toBe('later')
      for (const { held } of members) for (const release of held.values()) release()
      expect(await toOne).toBe('one')
      expect(await toMoved).toBe('moved')
      expect(outcomesOf(await toAll)).toEqual(sorted(members.map(({ id }) => [id, 'all'])))

      // No node was given up, and groups are as they were.
      expect(known()).toEqual(before)
      expect(nodes.flatMap(({ changes }) => changes).filter((each) => each === 'lost')).toEqual([])
      for (const [at, { endpoint }] of nodes.entries()) {
        const name = `after ${at}`
        expect(outcomesOf(await endpoint.group('room').call('ask', { name }))).toEqual(
          sorted(members.map(({ id }) => [id, name])),
        )
      }
      expect(await moved.client.call('whoami', {})).toBe(moved.id)
      const after = ['after 0', 'after 1', 'after 2']
      expect(ran()).toEqual([
        [...after, 'all', 'meanwhile', 'moved', 'told meanwhile'],
        [...after, 'all', 'meanwhile', 'told meanwhile'],
        [...after, 'all', 'later'],
        [...after, 'all', 'one'],
      ])
    },
  )

  test.concurrent('is replaced: the store of results has what the replica had, and nothing runs without it', async ({
    onTestFinished: ends,
  }) => {
    const redis = await start(ends)
    const open = async (client: Redis) => {
      const store = await redisResultStore(client, { app: 'failover' })
      ends(() => store.close())
      return store
    }
    const client = connected(ends, redis)
    const [one, other] = [await open(client), await open(connected(ends, redis))]
    const { id } = one
    await one.begin('answered', 'f')
    await one.finish('answered', 'paid')
    await one.begin('running', 'f')
    // The replica has all of it.
    expect(await client.wait(1, 0)).toBe(1)

    await redis.primary.kill()
    await expect(one.begin('meanwhile', 'f')).rejects.toThrow(/retries per request/)
    await redis.promote()
    await polled(() => client.status).toBe('ready')
    expect(await other.begin('answered', 'f')).toMatchObject({ state: 'done', answer: 'paid' })
    expect(await other.begin('running', 'f')).toMatchObject({ state: 'running' })
    await one.finish('running', 'shipped')
    expect(await other.begin('running', 'f')).toMatchObject({ state: 'done', answer: 'shipped' })
    expect(await other.begin('meanwhile', 'f')).toMatchObject({ state: 'new' })
    expect([one.id, other.id]).toEqual([id, id])
  })

  test('clients that do not follow the primary are refused', async () => {
    const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [] })
    const sentinels = [{ host: '127.0.0.1', port: 1 }]
    const replica = new Redis({ sentinels, name: 'main', role: 'slave', lazyConnect: true })
    const publisher = new Redis({ sentinels, name: 'main', lazyConnect: true })
    for (const [subscriber, text] of [
      [sentinel, /subscriber is made with createSentinel\(\).*Use ioredis/],
      [replica, /subscriber has the option role: 'slave'/],
    ] as [Redis, RegExp][]) {
      expect(() => redisEngine({ publisher, subscriber })).toThrow(text)
      expect(() => redisEngine({ publisher, subscriber })).toThrow(RpcConfigError)
    }
    const store = redisResultStore(sentinel as never, { app: 'failover' })
    await expect(store).rejects.toThrow(/client is made with createSentinel\(\)/)
  })
})

async function start(ends: Ends): Promise<RedisWithSentinel> {
  const redis = await RedisWithSentinel.start()
  ends(() => redis[Symbol.asyncDispose]())
  return redis
}

/** A client that asks the Sentinel for the primary. */
function connected(
  ends: Ends,
  { name, sentinel }: RedisWithSentinel,
  { kind = 'ioredis', isHung = false }: Failure = {},
): Redis {
  const sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
  const options = { sentinels, name, failoverDetector: isHung, retryStrategy: () => 50 }
  const client = new CLIENTS[kind](options)
  client.on('error', () => {})
  ends(() => client.disconnect())
  return client
}

async function startNode(ends: Ends, redis: RedisWithSentinel, failure: Failure): Promise<Node> {
  const [publisher, subscriber] = [connected(ends, redis, failure), connected(ends, redis, failure)]
  const cluster = createCluster({
    engine: redisEngine({ publisher, subscriber }),
    app: 'failover',
    // A machine that is busy with other things takes long.
    graceMs: 10_000,
    outageMs: 60_000,
  })
  const changes: string[] = []
  cluster.subscribe((event) => {
    if (event.type === 'node') changes.push(event.change)
  })
  const endpoint = createEndpoint<Server, Page>({
    resume: {},
    logger: false,
    cluster,
    methods: {
      join: ({ group }, { channel }) => channel.join(group),
      whoami: (_, { channel }) => channel.id,
    },
  } as EndpointOptions<Server, Page> & { cluster: Cluster }) as ClusterEndpoint<Server, Page>
  ends(() => endpoint.close())
  const { port, url } = await endpoint.listen()
  return { cluster, endpoint, port, url, changes }
}

async function join(ends: Ends, url: string): Promise<Member> {
  const ran: string[] = []
  const held = new Map<string, () => void>()
  const client = createClient<Server, Page>({
    url,
    heartbeat: false,
    logger: false,
    retry: { minDelayMs: 1, maxDelayMs: 20 },
    methods: {
      hold: ({ name }: { name: string }) => {
        ran.push(name)
        return new Promise<string>((resolve) => held.set(name, () => resolve(name)))
      },
      ask: ({ name }: { name: string }) => {
        ran.push(name)
        return name
      },
      hear: ({ name }: { name: string }) => void ran.push(name),
    },
  } as never) as unknown as Client<Page, Server>
  ends(() => client.close())
  await client.connect()
  await client.call('join', { group: 'room' })
  return { client, id: await client.call('whoami', {}), ran, held }
}

type Told = [who: string, what: unknown]

/** As `polled` of the tests' support, which tests that run at the same time can't use. */
function polled<T>(read: () => T) {
  return {
    toBe: (value: Awaited<T>) => eventually(async () => expect(await read()).toBe(value)),
    toEqual: (value: unknown) => eventually(async () => expect(await read()).toEqual(value)),
  }
}

/** @returns who has answered what, or how its call has failed; of an unreached node, its id. */
function outcomesOf(outcomes: readonly object[]): Told[] {
  return sorted(
    outcomes.map((outcome) => {
      const { channelId, node, value, error } = outcome as Readonly<Record<string, unknown>>
      return [String(channelId ?? node), error ? (error as RpcDisconnectedError).outcome : value]
    }),
  )
}

function sorted(told: readonly Told[]): Told[] {
  return told.toSorted(([one], [other]) => (one < other ? -1 : 1))
}
