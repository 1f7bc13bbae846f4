import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import { io } from 'socket.io-client'
import type { ClusterPeer, Traffic } from '../peer.ts'

export const socketIoRedis = socketIo((address, traffic) => {
  const [publisher, subscriber] = [counted(new Redis(address), traffic), new Redis(address)]
  // The adapter itself listens to this event, for each message of a broadcast.
  subscriber.on('pmessageBuffer', () => traffic.received++)
  return { adapter: createAdapter(publisher, subscriber) }
})

export const socketIoStreams = socketIo(
  (address, traffic) => ({
    adapter: createStreamsAdapter(counted(new Redis(address), traffic)),
  }),
  (server, traffic) => {
    // It is called for each entry of the stream, also for those of the node itself.
    const adapter = server.of('/').adapter as unknown as { onRawMessage(...args: unknown[]): void }
    const read = adapter.onRawMessage.bind(adapter)
    adapter.onRawMessage = (...args) => {
      traffic.received++
      read(...args)
    }
  },
)

function socketIo(
  optionsFor: (address: string, traffic: Traffic) => Partial<ServerOptions>,
  count: (server: Server, traffic: Traffic) => void = () => {},
): ClusterPeer {
  return {
    async serve(address) {
      const traffic: Traffic = { published: 0, received: 0 }
      const http = createServer().listen(0, '127.0.0.1')
      await once(http, 'listening')
      const server = new Server(http, optionsFor(`redis://${address}`, traffic))
      count(server, traffic)
      server.on('connection', (socket) => {
        socket.on('add', ({ a, b }, answer) => answer(a + b))
        socket.on('join', async (group, answer) => {
          await socket.join(group)
          answer()
        })
      })
      return {
        port: (http.address() as AddressInfo).port,
        traffic,
        async call({ group, method, n, timeoutMs, isHere }) {
          if (isHere) {
            // A local broadcast with acknowledgements waits for those of other nodes, until its timeout.
            const calls = localSockets(server, group).map((socket) =>
              socket.timeout(timeoutMs).emitWithAck(method, n),
            )
            return { values: (await Promise.all(calls)) as number[], lost: 0 }
          }
          const to = server.to(group).timeout(timeoutMs)
          try {
            return { values: await to.emitWithAck(method, n), lost: 0 }
          } catch (error) {
            // It has the answers that came. It does not say which are missing.
            return { values: (error as { responses?: number[] }).responses ?? [], lost: 0 }
          }
        },
        async note(group) {
          server.to(group).emit('note', { text: 'hello' })
        },
      }
    },
    async connect(port, group, page) {
      const url = `http://127.0.0.1:${port()}`
      const socket = io(url, { transports: ['websocket'], forceNew: true })
      socket.on('double', (n: number, answer: (value: number) => void) => answer(page.double(n)))
      socket.on('slow', async (_: number, answer: (value: number) => void) => {
        answer(await page.slow())
      })
      socket.on('note', () => page.noted())
      await new Promise<void>((resolve) => socket.once('connect', resolve))
      await socket.emitWithAck('join', group)
      return {
        add: (a, b) => socket.emitWithAck('add', { a, b }),
        home: async () => port(),
        close: () => socket.close(),
      }
    },
  }
}

function localSockets(server: Server, group: string): Socket[] {
  const { adapter, sockets } = server.of('/')
  return [...(adapter.rooms.get(group) ?? [])].flatMap((id) => sockets.get(id) ?? [])
}

/** Counts what a node hands to Redis for others. */
function counted(client: Redis, traffic: Traffic): Redis {
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, ...rest) => {
    if (['publish', 'xadd'].includes(command.name.toLowerCase())) traffic.published++
    return send(command, ...rest)
  }
  return client
}
