import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '@flashrpc/core'
import { type Cluster, type ClusterEvent, createCluster } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { redisEngine } from '@flashrpc/redis'
import { Redis } from 'ioredis'
import { createClient as createRedis } from 'redis'
import { describe, expect, type OnTestFinishedHandler, test } from 'vitest'
import { redisProgram, startRedis } from '../../../scripts/engine-servers/redis-server.js'
import { eventually } from '../../core/test/support/eventually.js'

interface Server {
  whoami(params: object): string
}

interface Page {
  /** Is answered when the test says so. */
  hold(params: object): string
}

/** Takes what is to be done when the test has ended, the last first. */
type Ends = (end: OnTestFinishedHandler) => void

/** Clients of Redis that connect again after a time, in ms. By default, both wait for up to 2 s. */
const CLIENTS = {
  ioredis: (port: number, retryMs: number, ends: Ends) => {
    const client = new Redis(port, '127.0.0.1', { retryStrategy: () => retryMs })
    client.on('error', () => {})
    ends(() => client.disconnect())
    return client
  },
  redis: (port: number, retryMs: number, ends: Ends) => {
    const client = createRedis({
      socket: { host: '127.0.0.1', port, reconnectStrategy: () => retryMs },
    })
    client.on('error', () => {})
    ends(() => client.destroy())
    return client
  },
} as const

const why = redisProgram.missing ? ` (skipped: ${redisProgram.missing})` : ''

describe.skipIf(redisProgram.missing)(`7: Redis is killed, and back after 2 s${why}`, () => {
  test.concurrent.for(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
    'sessions and calls between nodes go on, though a node is back 2 s after the others, with clients of %s',
    async (kind, { onTestFinished: ends }) => {
      const redis = await startRedis()
      ends(() => redis[Symbol.asyncDispose]())
      const events: ClusterEvent[] = []
      const nodes = await Promise.all(
        [2_000, 50, 50].map(async (retryMs) => {
          const [publisher, subscriber] = [1, 2].map(() =>
            CLIENTS[kind](redis.port, retryMs, ends),
          ) as [Redis, Redis]
          const cluster = createCluster({
            engine: redisEngine({ publisher, subscriber }),
            app: 'restart',
            // The clients' delays, and those of a busy machine, belong to the outage.
            outageMs: 30_000,
          })
          cluster.subscribe((event) => events.push(event))
          const endpoint = createEndpoint<Server, Page>({
            resume: {},
            logger: false,
            cluster,
            methods: { whoami: (_, { channel }) => channel.id },
          } as EndpointOptions<Server, Page> & { cluster: Cluster }) as ClusterEndpoint<
            Server,
            Page
          >
          ends(() => endpoint.close())
          return { cluster, endpoint, ...(await endpoint.listen()) }
        }),
      )
      const [a, b, c] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]]
      const known = () =>
        nodes.map(({ cluster }) =>
          cluster.nodes.map(({ node, epoch }) => `${node}.${epoch}`).sort(),
        )
      await eventually(() => expect(known().flat()).toHaveLength(9))
      const before = known()

      // A client whose session is at the first node, connected to the second one.
      const proxy = await createFaultProxy({ port: a.port })
      ends(() => proxy.close())
      const held: (() => void)[] = []
      const client = createClient<Server, Page>({
        url: proxy.url(),
        logger: false,
        retry: { minDelayMs: 1, maxDelayMs: 100 },
        methods: {
          hold: () => new Promise<string>((resolve) => held.push(() => resolve('held'))),
        },
      } as never) as unknown as Client<Page, Server>
      ends(() => client.close())
      const id = await client.call('whoami', {})
      proxy.retarget({ port: b.port })
      proxy.reset()
      await eventually(() => expect(client.state.resumed).toBe(true))

      const toOne = c.endpoint.channel(id).other.hold({})
      const toAll = b.endpoint.all.call('hold', {})
      await eventually(() => expect(held).toHaveLength(2))
      await redis.kill()
      await eventually(() =>
        expect(nodes.map(({ cluster }) => cluster.state)).toEqual(nodes.map(() => 'cut-off')),
      )
      // The first node's clients have tried once, in vain.
      await sleep(2_200)
      await redis.restart()
      await eventually(() =>
        expect(nodes.map(({ cluster }) => cluster.state)).toEqual(nodes.map(() => 'up')),
      )
      expect(await client.call('whoami', {})).toBe(id)
      for (const release of held) release()
      expect(await toOne).toBe('held')
      expect(await toAll).toMatchObject([{ status: 'ok', value: 'held', channelId: id }])
      expect(held).toHaveLength(2)
      expect(known()).toEqual(before)
      expect(events.filter((event) => event.type === 'node' && event.change === 'lost')).toEqual([])
    },
  )
})
