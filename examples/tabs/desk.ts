import { setTimeout as sleep } from 'node:timers/promises'
import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

/** What the tabs' one connection leads to. It serves them as one page: it knows nothing of tabs. */
export function createDesk() {
  return createEndpoint(contract, {
    // Yours has an origin: name it here.
    allowedOrigins: '*',
    resume: {},
    methods: {
      async deploy({ afterMs }, { channel, signal }) {
        await sleep(afterMs, undefined, { signal })
        const answer = await channel.other.confirm({ text: 'Deploy?' }, { timeout: 60_000, signal })
        void channel.other.notify({ text: answer === 'yes' ? 'Deployed' : 'Cancelled' })
        return answer
      },
      async *load(_, { signal }) {
        for (let load = 0; !signal.aborted; load = (load + 7) % 100) {
          yield load
          await sleep(100)
        }
      },
    },
  })
}
