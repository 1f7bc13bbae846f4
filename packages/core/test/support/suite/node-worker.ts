import { type MessagePort, parentPort } from 'node:worker_threads'
import { createChannel, messagePortTransport } from '@flashrpc/core'
import { contract } from './contract.js'
import { createSuiteMethods } from './serve.js'

const methods = createSuiteMethods()

parentPort?.on('message', (port: MessagePort) => {
  const transport = messagePortTransport(port)
  createChannel(contract, { side: 'server', transport, methods: methods() })
})
