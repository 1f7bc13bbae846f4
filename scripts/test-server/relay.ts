import { createChannel, messagePortTransport } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { startWorker } from '../../packages/core/test/support/start-worker.js'
import { contract } from '../../packages/core/test/support/suite/contract.js'
import { createSuiteMethods } from '../../packages/core/test/support/suite/serve.js'

/** A server that has a worker thread do what takes long, and passes its callers' signals on. */
export async function createRelay() {
  const file = '../../packages/core/test/support/suite/node-worker.ts'
  const worker = await startWorker(new URL(file, import.meta.url))
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2 as never])
  const transport = messagePortTransport(port1)
  const thread = createChannel(contract, { side: 'client', transport })
  const endpoint = createEndpoint(contract, {
    allowedOrigins: '*',
    methods: {
      ...createSuiteMethods()(),
      hang: ({ key }, { signal }) =>
        thread.other.hang({ key }, { signal, timeout: Number.POSITIVE_INFINITY }),
      count: (params, { signal }) => thread.other.count(params, { signal }),
      fates: ({ key }) => thread.other.fates({ key }),
    },
  })
  return {
    listen: () => endpoint.listen(),
    async close() {
      await endpoint.close()
      await thread.close()
      await worker.terminate()
    },
  }
}
