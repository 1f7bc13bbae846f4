import { createClient, RpcDisconnectedError } from '@flashrpc/core'
import { type Cluster, type ClusterEngine, createCluster } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { Kind } from '../../src/cluster/envelope.js'
import { eventually } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { SeededNetwork } from '../support/seeded-network.js'

interface Server {
  whoami(params: object): string
}

interface Page {
  count(params: { n: number }): number
  hang(params: object): string
}

interface Node {
  readonly engine: ClusterEngine
  readonly cluster: Cluster
  readonly endpoint: ClusterEndpoint<Server, Page>
}

/** A client at node `b`, called by node `a`; how often each call has run. */
async function scene(
  finished: (close: () => Promise<void>) => void,
  { graceMs = 1_000, outageMs = 5_000, seed = 1 } = {},
) {
  const network = new SeededNetwork(seed)
  const nodes = [0, 1].map((): Node => {
    const engine = network.engine()
    const cluster = createCluster({ engine, app: 'faults', graceMs, outageMs })
    const endpoint = createEndpoint<Server, Page>({
      cluster,
      resume: {},
      logger: false,
      methods: { whoami: (_, { channel }) => (channel as ServerChannel<Server, Page>).id },
    })
    finished(() => endpoint.close())
    return { engine, cluster, endpoint }
  })
  const [a, b] = nodes as [Node, Node]
  const ran: number[] = []
  const hanging: ((value: string) => void)[] = []
  const [{ url }] = await Promise.all([b.endpoint.listen(), a.cluster.ready()])
  const client = createClient<Server, Page>({
    url,
    logger: false,
    methods: {
      count({ n }) {
        ran.push(n)
        return n
      },
      hang: () => new Promise((resolve) => hanging.push(resolve)),
    },
  })
  finished(() => client.close())
  const remote = a.endpoint.channel(await client.call('whoami', {}))
  // The link is there.
  await remote.other.count({ n: -1 })
  ran.length = 0
  return { network, a, b, client, remote, ran, hanging }
}

const isLink = ({ payload }: { payload: Uint8Array }) => payload[1] === Kind.link

describe('calls to a client of another node', () => {
  // How long it takes is decided by how many of the links' hellos are lost: each costs 2 s.
  test.concurrent('12: each runs once, though messages of the link are lost', {
    timeout: 90_000,
  }, async ({ onTestFinished }) => {
    const { network, remote, ran } = await scene(onTestFinished, { seed: 7 })
    network.faults = { drop: 0.1, only: isLink }
    const results: Promise<number>[] = []
    for (let n = 0; n < 300; n++) {
      results.push(remote.other.count({ n }, { timeout: 80_000 }))
      if (n % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const all = Array.from({ length: 300 }, (_, n) => n)
    expect(await Promise.all(results)).toEqual(all)
    expect(ran).toEqual(all)
    expect(network.counts.dropped).toBeGreaterThan(0)
  })

  test.concurrent('12: the last message is found missing, though no other follows', async ({
    onTestFinished,
  }) => {
    const { network, remote, ran } = await scene(onTestFinished)
    let left = 1
    network.faults = { drop: 1, only: (message) => isLink(message) && left-- > 0 }
    expect(await remote.other.count({ n: 1 }, { timeout: 20_000 })).toBe(1)
    expect(ran).toEqual([1])
    expect(network.counts.dropped).toBe(1)
  })

  test.concurrent.for([
    ['hello', '"rpc.hello"'],
    ['answer to a hello', '"resumed"'],
  ])('12: the %s of a link is sent again if it is lost', async ([, text], { onTestFinished }) => {
    const { network, remote, ran } = await scene(onTestFinished)
    let [calls, hellos] = [1, 1]
    network.faults = {
      drop: 1,
      only: (message) => {
        if (!isLink(message)) return false
        if (Buffer.from(message.payload).includes(text as string)) return hellos-- > 0
        return calls-- > 0
      },
    }
    // The loss of the call ends the connection, and the loss of the hello the next one, each in less than 5 s.
    expect(await remote.other.count({ n: 1 }, { timeout: 10_000 })).toBe(1)
    expect(ran).toEqual([1])
    expect(network.counts.dropped).toBe(2)
  })

  test.concurrent('7: go on when the engine was killed and is back', async ({ onTestFinished }) => {
    const { network, remote, ran, hanging } = await scene(onTestFinished)
    const open = remote.other.hang({})
    await eventually(() => expect(hanging).toHaveLength(1))
    network.kill()
    const meanwhile = remote.other.count({ n: 1 })
    hanging[0]?.('done')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(ran).toEqual([])
    await network.start()
    expect(await open).toBe('done')
    expect(await meanwhile).toBe(1)
    expect(ran).toEqual([1])
  })

  test.concurrent('8: end when the engine is away for longer than an outage, and then all heals', async ({
    onTestFinished,
  }) => {
    const { network, a, remote, ran, hanging } = await scene(onTestFinished, { outageMs: 200 })
    const open = rejection(remote.other.hang({}))
    await eventually(() => expect(hanging).toHaveLength(1))
    network.cutOff(a.engine)
    await new Promise((resolve) => setTimeout(resolve, 0))
    const meanwhile = rejection(remote.other.count({ n: 1 }))
    expect(await open).toBeInstanceOf(RpcDisconnectedError)
    expect(await open).toMatchObject({ outcome: 'maybe-executed' })
    expect(await meanwhile).toMatchObject({ outcome: 'not-sent' })
    expect(await rejection(remote.other.count({ n: 2 }))).toMatchObject({ outcome: 'not-sent' })
    await network.restore(a.engine)
    expect(await remote.other.count({ n: 3 })).toBe(3)
    expect(ran).toEqual([3])
  })

  test.concurrent('6: end when their node is buried, and its next epoch is called as before', async ({
    onTestFinished,
  }) => {
    const { network, b, remote, ran, hanging } = await scene(onTestFinished)
    const open = rejection(remote.other.hang({}))
    await eventually(() => expect(hanging).toHaveLength(1))
    network.stop(b.engine)
    expect(await open).toMatchObject({ outcome: 'maybe-executed' })
    network.continue(b.engine)
    hanging[0]?.('late')
    await eventually(async () => {
      const n = await remote.other.count({ n: 1 }).catch(() => 0)
      expect(n).toBe(1)
    })
    expect(ran.filter((n) => n === 1).length).toBeGreaterThan(0)
    const nodes = b.cluster.nodes
    expect(nodes[0]?.epoch).toBe(2)
  })
})
