import { setTimeout as sleep } from 'node:timers/promises'
import { createCluster } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { natsEngine } from '@flashrpc/nats'
import { contract } from './contract.js'

/** One node of the cluster, in a process of its own. Arguments: its name, and where NATS is. */
const [name = '', servers = ''] = process.argv.slice(2)

const endpoint = createEndpoint(contract, {
  cluster: createCluster({ engine: natsEngine({ servers }), app: 'example', name }),
  resume: {},
  // Yours has an origin: name it here.
  allowedOrigins: '*',
  methods: {
    whereAmI: (_, { channel }) => ({ node: name, session: channel.id }),
    async *count(_, { signal }) {
      for (let n = 0; !signal.aborted; n++) {
        yield n
        await sleep(50)
      }
    },
    async say({ text }): Promise<number> {
      const outcomes = await endpoint.all.call('hear', { node: name, text }, { timeout: 2_000 })
      return outcomes.filter(({ status }) => status === 'ok').length
    },
  },
})
const { port } = await endpoint.listen({ path: '/ws' })
process.send?.({ port })
// Whoever started it has ended.
process.on('disconnect', () => process.exit())
