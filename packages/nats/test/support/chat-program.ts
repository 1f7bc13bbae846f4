import { createCluster } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { natsEngine } from '@flashrpc/nats'
import { chat } from '../../../core/test/support/cluster-of.js'

/** What a node in a process of its own is started with. */
export interface ChatProgramOptions {
  readonly servers: string
  readonly app: string
  readonly name: string
  readonly graceMs: number
}

/** What it tells once it takes part. */
export interface ChatProgramReady {
  readonly node: string
  readonly url: string
}

const { servers, ...options }: ChatProgramOptions = JSON.parse(process.argv[2] as string)
const cluster = createCluster({ engine: natsEngine({ servers }), ...options })
const endpoint = createEndpoint(chat, {
  cluster,
  logger: false,
  methods: {
    join: ({ group }, { channel }) => channel.join(group),
    leave: ({ group }, { channel }) => channel.leave(group),
  },
})
const { url } = await endpoint.listen()
process.on('SIGTERM', () => {
  void endpoint.close({ drain: 30_000 }).then(() => process.exit())
})
// Whoever started this process is gone.
process.on('disconnect', () => process.exit())
process.send?.({ node: cluster.node, url } satisfies ChatProgramReady)
