import { createChannel, messagePortTransport } from '@flashrpc/core'
import { contract } from './contract.js'
import { createSuiteMethods } from './serve.js'

const methods = createSuiteMethods()

addEventListener('message', ({ data: port }: MessageEvent<MessagePort>) => {
  const transport = messagePortTransport(port)
  createChannel(contract, { side: 'server', transport, methods: methods() })
})
