import { createChannel, messagePortTransport } from '@flashrpc/core'
import { threadContract } from './thread-contract.js'
import { threadMethods } from './thread-methods.js'

/** A browser's worker that serves its page over its own scope. */
createChannel(threadContract, {
  side: 'server',
  transport: messagePortTransport(self),
  methods: { ...threadMethods, exit: () => self.close() },
})
