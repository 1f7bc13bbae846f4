import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createClient, defineContract, method, notification } from '@flashrpc/core'
import { type ClusterEngine, createCluster } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { natsEngine } from '@flashrpc/nats'
import { redisEngine } from '@flashrpc/redis'
import { Redis } from 'ioredis'
import { z } from 'zod'
import type { ClusterPeer, GroupOutcome, Traffic } from '../peer.ts'

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    home: method({ params: z.object({}), result: z.number() }),
    join: method({ params: z.object({ group: z.string() }) }),
  },
  client: {
    double: method({ params: z.object({ n: z.number() }), result: z.number() }),
    slow: method({ params: z.object({ n: z.number() }), result: z.number() }),
    note: notification({ params: z.object({ text: z.string() }) }),
  },
})

export const flashrpcOverNats = flashrpc((address) => natsEngine({ servers: address }))

export const flashrpcOverRedis = flashrpc((address) => {
  const url = `redis://${address}`
  return redisEngine({ publisher: new Redis(url), subscriber: new Redis(url) })
})

/** With every default, and sessions. */
function flashrpc(engineAt: (address: string) => ClusterEngine): ClusterPeer {
  return {
    async serve(address) {
      const traffic: Traffic = { published: 0, received: 0 }
      const cluster = createCluster({ engine: counted(engineAt(address), traffic), app: 'bench' })
      const server = createServer()
      const sockets = new Set<Socket>()
      server.on('connection', (socket) => {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      })
      const endpoint = createEndpoint(contract, {
        cluster,
        resume: {},
        methods: {
          add: ({ a, b }) => a + b,
          home: () => port,
          join: ({ group }, { channel }) => channel.join(group),
        },
      })
      endpoint.attach(server)
      await cluster.ready()
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      return {
        port,
        traffic,
        async call({ group, method, n, timeoutMs, isHere }) {
          const all = endpoint.group(group)
          const options = { timeout: timeoutMs }
          const outcomes = isHere
            ? await all.here.call(method, { n }, options)
            : await all.call(method, { n }, options)
          const values = outcomes.flatMap((outcome) =>
            outcome.status === 'ok' ? [outcome.value] : [],
          )
          const lost = outcomes.filter(({ status }) => status === 'error').length
          return { values, lost } satisfies GroupOutcome
        },
        note: async (group) => void (await endpoint.group(group).notify('note', { text: 'hello' })),
        // Of all at once, more sessions would have to wait for their clients than a server keeps by default.
        cut: () => void [...sockets].at(-1)?.destroy(),
      }
    },
    async connect(port, group, page) {
      const client = createClient(contract, {
        url: () => `ws://127.0.0.1:${port()}`,
        retry: { minDelayMs: 5, maxDelayMs: 50 },
        methods: {
          double: ({ n }) => page.double(n),
          slow: () => page.slow(),
          note: () => page.noted(),
        },
      })
      await client.other.join({ group })
      return {
        add: (a, b) => client.other.add({ a, b }),
        home: () => client.other.home({}),
        close: () => client.close(),
      }
    },
  }
}

/**
 * Counts what goes over the topics of groups. The engine itself is returned: one around it would make each message cost
 * more.
 */
function counted(engine: ClusterEngine, traffic: Traffic): ClusterEngine {
  const isOfGroups = (subject: string) => subject.includes('.t.')
  const start = engine.start.bind(engine)
  const publish = engine.publish.bind(engine)
  engine.start = (events) => {
    const message = events.message.bind(events)
    events.message = (subject, payload) => {
      if (isOfGroups(subject)) traffic.received++
      message(subject, payload)
    }
    return start(events)
  }
  engine.publish = (subject, payload) => {
    if (isOfGroups(subject)) traffic.published++
    publish(subject, payload)
  }
  return engine
}
