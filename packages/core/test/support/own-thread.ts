import { parentPort } from 'node:worker_threads'
import { createChannel, messagePortTransport } from '@flashrpc/core'
import { threadContract } from './thread-contract.js'
import { threadMethods } from './thread-methods.js'

/** A worker thread that serves its parent over the parent's own port. */
if (!parentPort) throw new Error('Run me as a worker')
createChannel(threadContract, {
  side: 'server',
  transport: messagePortTransport(parentPort),
  methods: {
    ...threadMethods,
    exit: ({ code }) => process.exit(code),
  },
})
