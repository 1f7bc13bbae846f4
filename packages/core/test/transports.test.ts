import { once } from 'node:events'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import {
  createChannel,
  memoryTransportPair,
  messagePortTransport,
  type Transport,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { WebSocket } from 'ws'
import { contract } from './support/suite/contract.js'
import { describeTransport } from './support/suite/describe-transport.js'
import { createSuiteMethods } from './support/suite/serve.js'

/** Serves one end of a pair in this process. */
function serve(
  methods: ReturnType<typeof createSuiteMethods>,
  [client, server]: [Transport, Transport],
): Transport {
  createChannel(contract, { side: 'server', transport: server, methods: methods() })
  return client
}

/** Node itself runs no TypeScript: `tsx` does. */
async function startWorker(path: string): Promise<Worker> {
  const url = new URL(path, import.meta.url).href
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')).href
  const worker = new Worker(
    `import(${JSON.stringify(tsx)}).then(({ register }) => {
      register()
      return import(${JSON.stringify(url)})
    })`,
    { eval: true, execArgv: ['--conditions', '@flashrpc/source'] },
  )
  await once(worker, 'online')
  return worker
}

describeTransport('in memory', async () => {
  const methods = createSuiteMethods()
  return {
    open: async () => serve(methods, memoryTransportPair()),
    close: async () => {},
  }
})

describeTransport("ports of Node's", async () => {
  const methods = createSuiteMethods()
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel()
      return serve(methods, [messagePortTransport(port1), messagePortTransport(port2)])
    },
    close: async () => {},
  }
})

describeTransport('a worker thread', async () => {
  const worker = await startWorker('./support/suite/node-worker.ts')
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel()
      worker.postMessage(port2, [port2])
      return messagePortTransport(port1)
    },
    close: async () => void (await worker.terminate()),
  }
})

describeTransport('a WebSocket', async () => {
  const endpoint = createEndpoint(contract, { methods: createSuiteMethods()() })
  const { url } = await endpoint.listen()
  return {
    open: async () => {
      const socket = new WebSocket(url)
      await once(socket, 'open')
      return webSocketTransport(socket as unknown as WebSocketLike)
    },
    close: () => endpoint.close(),
  }
})
