import { setTimeout as sleep } from 'node:timers/promises'
import { createCluster } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { natsEngine } from '@flashrpc/nats'
import { contract } from './contract.js'

/** One node of the cluster, in a process of its own. Arguments: its name, where NATS is, and where to listen. */
const [name = '', servers = '', host = '127.0.0.1', port = '0'] = process.argv.slice(2)

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
const listening = await endpoint.listen({ host, port: Number(port), path: '/ws' })
process.send?.({ port: listening.port })
// Its clients go to other nodes, and what runs for them is answered first.
process.once('SIGTERM', () => void endpoint.close({ drain: 5_000 }).then(() => process.exit()))
// Whoever started it has ended.
process.on('disconnect', () => process.exit())
