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
    async report({ year }, { signal, progress }) {
      signal.addEventListener('abort', () => {
        console.log(
          `The report of ${year} is not wanted any more`,
        )
      })
      for (let percent = 0; percent <= 100; percent += 20) {
        signal.throwIfAborted()
        progress({ percent })
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      return `All of ${year}`
    },
  },
})
