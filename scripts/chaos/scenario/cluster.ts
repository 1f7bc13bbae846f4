import { setTimeout as sleep } from 'node:timers/promises'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { seededRandom } from '../../../packages/core/src/testing/seeded-random.ts'
import type { EngineServer } from '../../engine-servers/engine-server.ts'
import { startNats } from '../../engine-servers/nats-server.ts'
import { Child } from '../child.ts'
import { type PlannedStep, planSteps } from '../cluster-faults.ts'
import { readEntries } from '../cluster-ledger.ts'
import { judgeCluster } from '../judge-cluster.ts'
import type { ClusterClientsOptions } from '../process/cluster-clients.ts'
import type { ClusterNodeOptions } from '../process/cluster-node.ts'
import { join, type Outcome, outcomeOfCluster } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

const NODES = 3
/** How many calls may take at most to end once all faults are over, and the cluster to be whole, in ms. */
const HEALED_MS = 30_000

/**
 * Three nodes, each in a process of its own, with NATS between them: they call the clients of all of them, and the clients call
 * them and one another, while nodes are killed, stopped, cut off and replaced, and NATS is killed. What was run is held
 * against what the callers were told.
 */
export const cluster: Scenario = async ({ seed, calls: count, cuts, folder, progress }) => {
  await using nats = await startNats({ jetStream: true })
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, at) => {
      return new Node(folder, `node${at}`, await createFaultProxy({ port: nats.port }))
    }),
  )
  await Promise.all(nodes.map((node) => node.restart()))
  const targets = () => ({ targets: nodes.map(({ port }) => ({ port })) })
  await using balancer = await createFaultProxy(targets())
  const clients = new Child('./process/cluster-clients.ts', {
    folder,
    name: 'client',
    url: balancer.url(),
    clients: count,
  } satisfies ClusterClientsOptions)
  let connections = { connected: 0, resumed: 0 }
  const inflicted = new Map<string, number>()
  let killed = 0
  try {
    clients.on((told) => {
      if (told.kind === 'state') connections = told
    })
    await clients.next('state')
    const steps = planSteps(cuts, NODES, seededRandom(seed))
    for (const step of steps) {
      await sleep(step.calmMs)
      inflicted.set(step.fault, (inflicted.get(step.fault) ?? 0) + 1)
      await Promise.all([
        inflict(step, nodes, nats, balancer),
        ...step.kills.map(async ({ node, afterMs }) => {
          await sleep(afterMs)
          await nodes[node]?.kill()
          killed++
        }),
      ])
      await Promise.all(nodes.map((node) => node.restart()))
      balancer.retarget(targets())
      progress(`${killed} kills`)
    }
    await sleep(500)

    const living = nodes.map(({ child }) => child)
    const dones = [clients, ...living].map((child) => child.next('done'))
    for (const child of [clients, ...living]) child.send('enough')
    const ended = await within(HEALED_MS, Promise.all(dones))
    const unhealed = ended ? await untilHealed(nodes, clients) : undefined
    const left = await Promise.all(
      [clients, ...living].map((child) => within(HEALED_MS, close(child))),
    )
    const dead = new Set(nodes.flatMap((node) => node.killed))
    const verdict = judgeCluster(readEntries(folder), dead)
    return join(
      outcomeOfCluster(verdict),
      {
        figures: [
          ['nodes killed', killed],
          ...[...inflicted].map(([fault, times]) => [`… ${fault}`, times] as const),
          ['connections', connections.connected],
          ['… that went on with their session', connections.resumed],
        ],
        faults: [
          ...(unhealed === undefined ? [] : [`the cluster is not whole again: ${unhealed}`]),
          ...left.flatMap((outcome) => (outcome ? [] : ['a process does not close'])),
        ],
      },
      ...left.flatMap((outcome): Outcome[] => (outcome ? [outcome] : [])),
      uncaught(clients),
      ...nodes.flatMap(({ children }) => children.map(uncaught)),
    )
  } finally {
    await clients.kill()
    await Promise.all(nodes.map((node) => node.end()))
  }
}

/** A node: its processes, one after another, and the proxy between it and NATS. */
class Node {
  readonly name: string
  readonly proxy: FaultProxy
  /** All its processes. */
  readonly children: Child[] = []
  /** The names of those that were killed. */
  readonly killed: string[] = []
  port = 0
  readonly #folder: string
  #isThere = false

  constructor(folder: string, name: string, proxy: FaultProxy) {
    this.#folder = folder
    this.name = name
    this.proxy = proxy
  }

  get child(): Child {
    return this.children.at(-1) as Child
  }

  /** The name of its present process. */
  get processName(): string {
    return `${this.name}.${this.children.length}`
  }

  /** Starts its next process, unless there is one. */
  async restart(): Promise<void> {
    if (this.#isThere) return
    this.#isThere = true
    this.children.push(
      new Child('./process/cluster-node.ts', {
        folder: this.#folder,
        name: `${this.name}.${this.children.length + 1}`,
        servers: `127.0.0.1:${this.proxy.port}`,
      } satisfies ClusterNodeOptions),
    )
    this.port = (await this.child.next('listening')).port
  }

  async kill(): Promise<void> {
    if (!this.#isThere) return
    this.#isThere = false
    this.killed.push(this.processName)
    await this.child.kill()
  }

  /** Asks it to end, and waits until it has. */
  async replace(): Promise<void> {
    const { child } = this
    child.signal('SIGTERM')
    await child.ended()
    if (child === this.child) this.#isThere = false
  }

  async end(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()))
    await this.proxy.close()
  }
}

/** Does it. Resolves when it is over. */
async function inflict(
  { fault, node: at, ms }: PlannedStep,
  nodes: readonly Node[],
  nats: EngineServer,
  balancer: FaultProxy,
): Promise<void> {
  const node = nodes[at] as Node
  const { proxy, child } = node
  switch (fault) {
    case 'engine killed':
      await nats.kill()
      await sleep(ms)
      return nats.restart()
    case 'node cut off':
      proxy.refuse()
      proxy.cut()
      await sleep(ms)
      return proxy.heal()
    case 'node unheard':
      proxy.blackHole({ up: true, down: true })
      await sleep(ms)
      // What was swallowed can't be made up for.
      proxy.reset()
      return proxy.heal()
    case 'node stopped':
      child.signal('SIGSTOP')
      await sleep(ms)
      return child.signal('SIGCONT')
    case 'clients cut':
      balancer.cut()
      await sleep(Math.min(ms, 1_500))
      return balancer.reset()
    case 'node replaced':
      return node.replace()
  }
}

/** Waits until all nodes know each other, and exactly the present sessions. @returns what is still wrong. */
async function untilHealed(nodes: readonly Node[], clients: Child): Promise<string | undefined> {
  const until = performance.now() + HEALED_MS
  for (;;) {
    const sessions = clients.next('sessions')
    clients.send('sessions')
    const ids = (await sessions).ids.toSorted().join()
    const wrong: string[] = []
    for (const { child, processName } of nodes) {
      const told = child.next('members')
      child.send('members')
      const members = await told
      if (members.nodes.length !== nodes.length)
        wrong.push(`${processName} knows ${members.nodes.join(', ')}`)
      if (members.ids.toSorted().join() !== ids || members.unreached > 0) {
        const { length } = members.ids
        wrong.push(`${processName} finds ${length} members, ${members.unreached} unreached`)
      }
    }
    if (wrong.length === 0) return undefined
    if (performance.now() > until) return wrong.join('; ')
    await sleep(200)
  }
}

/** @returns nothing if it takes longer. */
function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, sleep(ms, undefined, { ref: false })])
}
