import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import {
  type CloseInfo,
  createChannel,
  memoryTransportPair,
  messagePortTransport,
  type Transport,
  type WebSocketLike,
  webSocketTransport,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startWorker } from './support/start-worker.js'
import { contract } from './support/suite/contract.js'
import { describeTransport } from './support/suite/describe-transport.js'
import { createSuiteMethods } from './support/suite/serve.js'
import { createWorker } from './tabs/worker.js'

/** Serves one end of a pair in this process. */
function serve(
  methods: ReturnType<typeof createSuiteMethods>,
  [client, server]: [Transport, Transport],
): Transport {
  createChannel(contract, { side: 'server', transport: server, methods: methods() })
  return client
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

/** No more than an application must give. Its events are functions of their own. */
function ownTransport(port: MessagePort): Transport {
  return {
    reliable: true,
    start({ frame, close }) {
      port.on('message', ({ data, closing }) => (closing ? close(closing) : frame(data)))
      port.on('close', () => close({ code: 1006, reason: 'The port was closed' }))
    },
    send(data) {
      port.postMessage({ data })
      return true
    },
    close(code = 1000, reason = '') {
      const closing: CloseInfo = { code, reason }
      port.postMessage({ closing })
      port.close()
    },
  }
}

describeTransport('an own one with the four members that it needs', async () => {
  const methods = createSuiteMethods()
  return {
    open: async () => {
      const { port1, port2 } = new MessageChannel()
      return serve(methods, [ownTransport(port1), ownTransport(port2)])
    },
    close: async () => {},
  }
})

describeTransport('a worker thread', async () => {
  const worker = await startWorker(new URL('./support/suite/node-worker.ts', import.meta.url))
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

describeTransport('a WebSocket whose frames ws alone reads and writes', async () => {
  const endpoint = createEndpoint(contract, { methods: createSuiteMethods()(), fastPath: false })
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

describeTransport('a worker that tabs share, to a WebSocket', async () => {
  const endpoint = createEndpoint(contract, { methods: createSuiteMethods()() })
  const { url } = await endpoint.listen()
  const workers: ReturnType<typeof createWorker>[] = []
  return {
    open: async () => {
      const worker = createWorker()
      workers.push(worker)
      return worker.open(url)
    },
    close: async () => {
      for (const worker of workers) worker.close()
      await endpoint.close()
    },
  }
})

test.each(['start', 'send', 'close'])(
  'one that has no function %s is refused at once',
  (missing) => {
    const [whole] = memoryTransportPair()
    const transport: Transport = {
      reliable: true,
      start: (events) => whole.start(events),
      send: (frame) => whole.send(frame),
      close: (code, reason) => whole.close(code, reason),
      [missing]: undefined,
    }
    expect(() => createChannel({ side: 'client', transport })).toThrow(
      `transport must be an open connection, such as messagePortTransport(port). It has no ${missing}()`,
    )
  },
)
