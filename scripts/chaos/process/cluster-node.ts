import { setTimeout as sleep } from 'node:timers/promises'
import { createCluster } from '@flashrpc/core/cluster'
import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { natsEngine, natsResultStore } from '@flashrpc/nats'
import { connect } from '@nats-io/transport-node'
import { leftovers, optionsOf, tell } from '../child.ts'
import {
  type ClusterCall,
  ClusterCaller,
  type ClusterClient,
  type ClusterServer,
  endingOf,
  endingOfValue,
  GROUP,
  TIMEOUT_MS,
} from '../cluster-calls.ts'
import { ClusterLedger, type TargetEnd } from '../cluster-ledger.ts'

/** A node of a cluster, whose handlers write down what they run, and which calls the clients of all nodes. */

export interface ClusterNodeOptions {
  readonly folder: string
  readonly name: string
  /** Where NATS is. */
  readonly servers: string
}

/** How many calls it makes at once. */
const CONCURRENCY = 3
/** How long a session waits for its client, in ms. */
const WINDOW_MS = 5_000
/** How long a node that is asked to end lets calls end, in ms. */
const DRAIN_MS = 3_000

const { folder, name, servers } = optionsOf<ClusterNodeOptions>()
const ledger = new ClusterLedger(folder)
const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
const store = await natsResultStore(connection, { bucket: 'chaos' })
const cluster = createCluster({
  engine: natsEngine({ servers }),
  app: 'chaos',
  name,
  graceMs: 300,
  outageMs: 3_000,
})
const caller = new ClusterCaller(name, ledger, cluster.node)

const endpoint = createEndpoint<ClusterServer, ClusterClient>({
  cluster,
  resume: { windowMs: WINDOW_MS },
  idempotency: { store },
  timeout: TIMEOUT_MS,
  limits: { running: Number.POSITIVE_INFINITY },
  methods: {
    run: async ({ call, ms }) => {
      ledger.write({ at: 'ran', call, where: cluster.node })
      await sleep(ms)
      return call
    },
    pass: async ({ call, ms, to }) => {
      ledger.write({ at: 'ran', call, where: cluster.node })
      await callChannel(to)
      await sleep(ms)
      return call
    },
  },
  onConnect: [(channel: ServerChannel<ClusterServer, ClusterClient>) => channel.join(GROUP)],
})

const group = endpoint.group(GROUP)
/** The channels that a group's call has found last. */
let known: readonly string[] = []

/** Calls one client, at whichever node it is. */
function callChannel(to: string): Promise<void> {
  return caller.call('channel', to, async (params) => {
    const value = await endpoint.channel(to).other.run(params)
    return [{ channel: to, ending: endingOfValue(value, params.call) }]
  })
}

async function callGroup(): Promise<void> {
  await caller.call('group', GROUP, async (params) => {
    const outcomes = await group.call('run', params)
    const targets = outcomes.map((outcome): TargetEnd => {
      if (outcome.status === 'unreached') {
        return { node: outcome.node, ending: endingOf(outcome.error) }
      }
      const { channelId: channel } = outcome
      if (outcome.status === 'error') return { channel, ending: endingOf(outcome.error) }
      return { channel, ending: endingOfValue(outcome.value, params.call) }
    })
    known = targets.flatMap(({ channel }) => channel ?? [])
    return targets
  })
}

function notifyGroup(): Promise<void> {
  return caller.call('notify', GROUP, async (params: ClusterCall) => {
    const { elsewhere } = await group.notify('hear', params)
    return elsewhere === 'not-sent' ? [{ node: 'all others', ending: 'not-sent' }] : []
  })
}

async function callSomebody(): Promise<void> {
  const chance = Math.random()
  const one = known[Math.floor(Math.random() * known.length)]
  if (chance < 0.2) await notifyGroup()
  else if (chance < 0.5 && one !== undefined) await callChannel(one)
  else await callGroup()
}

process.on('message', (message) => {
  if (message === 'enough') caller.stop()
  else if (message === 'members') void tellMembers()
  else void stop(0)
})
process.on('SIGTERM', () => void stop(DRAIN_MS))

const { port } = await endpoint.listen()
tell({ kind: 'listening', port })
const calls = Promise.all(
  Array.from({ length: CONCURRENCY }, () => caller.repeat(callSomebody)),
).then(() => tell({ kind: 'done', made: { [name]: caller.ended }, leftovers: [] }))

/** Tells what it knows of the cluster: the nodes, and the members of the group. */
async function tellMembers(): Promise<void> {
  const { members, unreached } = await group.members()
  tell({
    kind: 'members',
    nodes: cluster.nodes.filter(({ state }) => state === 'up').map(({ name }) => name),
    ids: members.map(({ channelId }) => channelId),
    unreached: unreached.length,
  })
}

async function stop(drain: number): Promise<void> {
  caller.stop()
  await endpoint.close({ drain })
  await calls
  await store.close()
  await connection.close()
  // What closing begins to end, ends soon.
  await sleep(50)
  tell({ kind: 'done', made: { [name]: caller.ended }, leftovers: leftovers() })
  process.disconnect?.()
}
