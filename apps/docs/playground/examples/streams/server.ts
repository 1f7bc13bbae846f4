import {
  createChannel,
  messagePortTransport,
} from '@flashrpc/core'
import { port } from 'playground'
import { contract } from './contract.ts'

createChannel(contract, {
  side: 'server',
  transport: messagePortTransport(port),
  methods: {
    async *ticks({ everyMs }) {
      try {
        for (let n = 1; ; n++) {
          await new Promise((resolve) =>
            setTimeout(resolve, everyMs),
          )
          yield n
        }
      } finally {
        console.log('The client has left the loop')
      }
    },
    async *shout(_, { input }) {
      for await (const text of input) yield text.toUpperCase()
    },
  },
})
