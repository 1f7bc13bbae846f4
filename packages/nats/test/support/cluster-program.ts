import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { createCluster } from '@flashrpc/core/cluster'
import { createEndpoint, memoryResultStore, type ServerChannel } from '@flashrpc/core/server'
import { natsEngine, natsResultStore } from '@flashrpc/nats'
import { connect } from '@nats-io/transport-node'

/** What a node of a cluster, in a process of its own, is asked by its test. */
export type Ask =
  | { readonly ask: 'cut' }
  | { readonly ask: 'release'; readonly name: string }
  | { readonly ask: 'call'; readonly id: string; readonly method: string; readonly params: object }
  | { readonly ask: 'nodes' }
  | { readonly ask: 'close' }

/** What it tells. */
export type Tell =
  | { readonly tell: 'ready'; readonly node: string; readonly port: number }
  | { readonly tell: 'ran'; readonly what: string }
  | { readonly tell: 'answer'; readonly value?: unknown; readonly error?: object }

const { servers, graceMs, bucket } = JSON.parse(process.argv[2] as string)

/** Kept by all nodes together, if the test says so. */
const store = bucket
  ? await natsResultStore(await connect({ servers, maxReconnectAttempts: -1 }), { bucket })
  : memoryResultStore()

const tell = (what: Tell) => void process.send?.(what)
const cluster = createCluster({ engine: natsEngine({ servers }), app: 'anywhere', graceMs })
const waiting = new Map<string, () => void>()

const endpoint = createEndpoint({
  cluster,
  resume: {},
  idempotency: { store },
  logger: false,
  methods: {
    whoami: (_: object, { channel }: { channel: unknown }) => ({
      id: (channel as ServerChannel<object, object>).id,
      node: cluster.node,
    }),
    add({ a, b }: { a: number; b: number }) {
      tell({ tell: 'ran', what: `add ${a} ${b}` })
      return a + b
    },
    wait({ name }: { name: string }) {
      tell({ tell: 'ran', what: `wait ${name}` })
      return new Promise<string>((resolve) => {
        waiting.set(name, () => resolve(`${name} waited`))
      })
    },
    async *ticks({ n }: { n: number }) {
      for (let i = 0; i < n; i++) {
        yield i
        if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  } as never,
})

const server = createServer()
const sockets = new Set<Socket>()
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})
endpoint.attach(server)

process.on('message', (message: Ask) => {
  void answer(message).then(
    (value) => tell({ tell: 'answer', value }),
    ({ name, message, outcome, code }) =>
      tell({ tell: 'answer', error: { name, message, outcome, code } }),
  )
})

async function answer(message: Ask): Promise<unknown> {
  switch (message.ask) {
    case 'cut': {
      const { size } = sockets
      for (const socket of sockets) socket.destroy()
      return size
    }
    case 'release':
      waiting.get(message.name)?.()
      return waiting.delete(message.name)
    case 'call':
      return (endpoint.channel(message.id).call as (...args: unknown[]) => unknown)(
        message.method,
        message.params,
      )
    case 'nodes':
      return cluster.nodes.length
    case 'close':
      await endpoint.close()
      server.close()
      return true
  }
}

// Whoever started this process is gone.
process.on('disconnect', () => process.exit())

await cluster.ready()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  tell({ tell: 'ready', node: cluster.node, port })
})
