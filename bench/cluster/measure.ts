import { setTimeout as sleep } from 'node:timers/promises'
import { median, quantile } from '../statistics.ts'
import { type Node, Nodes } from './nodes.ts'
import type { GroupCall, GroupOutcome, Traffic } from './peer.ts'

/** How much is done. */
export interface Size {
  readonly calls: number
  readonly clients: number
  readonly rounds: number
  /** How often a session is measured at its own node and at another one, and the calls of each time with 64 in flight. */
  readonly moves: number
  readonly callsInFlight: number
  readonly notes: number
  readonly kills: number
  /** The clients of a node that is killed, and of each other one. */
  readonly targets: number
  readonly timeoutMs: number
  /** How long it waits until nodes know of a new one, and of one that is gone, in ms. */
  readonly settleMs: number
}

/** What was measured. */
export interface Figures {
  readonly calls?: Calls
  readonly notes?: Notes
  readonly kills?: Kills
  /** Missing if sessions do not resume at other nodes. */
  readonly relayed?: Relayed
}

export interface Calls {
  /** A call to a group with one client, in ms: its node's own, and that of another node. */
  readonly own: number
  readonly remote: number
  /** A call to all clients, in ms. */
  readonly all: number
  /** CPU of the nodes a target, in µs: of a call to all, and of a call to all of one node by itself. */
  readonly allCpu: number
  readonly ownCpu: number
}

export interface Notes {
  /** A message to all: published, and received by another node; and one to a group that this node has no members of. */
  readonly published: number
  readonly woken: number
  readonly inVain: number
  /** Until the last client has a message, in ms. */
  readonly noted: number
}

export interface Kills {
  /** From SIGKILL until the end of the call, in ms. */
  readonly median: number
  readonly p95: number
  readonly targets: number
  /** Targets of which nothing is said. */
  readonly missing: number
  /** Results that came twice, or of a client that does not answer. */
  readonly wrong: number
}

export interface Relayed {
  /** A call, in ms, and calls a second with 64 in flight. */
  readonly direct: number
  readonly relayed: number
  readonly directRate: number
  readonly relayedRate: number
  /** The medians of what a call takes more in a round, in ms, and of how the rates of a round compare. */
  readonly added: number
  readonly ratio: number
}

/** Measures something with four nodes: three, and one without members. */
type Scenario = (nodes: Nodes, size: Size, peer: string) => Promise<Figures>

/** By name. Each needs the same nodes, in this order. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  calls: async (nodes, size) => ({ calls: await measureCalls(nodes, size) }),
  notes: async (nodes, size) => ({ notes: await measureNotes(nodes, size) }),
  kills: async (nodes, size) => ({ kills: await measureKills(nodes, size) }),
  relayed: async (nodes, size, peer) =>
    peer.startsWith('flashrpc') ? { relayed: await measureRelayed(nodes, size) } : {},
}

/** Measures scenarios with a peer. */
export async function measure(
  peer: string,
  scenarios: readonly string[],
  size: Size,
): Promise<Figures> {
  await using nodes = await Nodes.open(peer, 4)
  await sleep(size.settleMs)
  let figures: Figures = {}
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (scenarios.includes(name)) figures = { ...figures, ...(await scenario(nodes, size, peer)) }
  }
  return figures
}

/** Calls to a group with one client, and to one that all clients of three nodes are in. */
async function measureCalls(nodes: Nodes, size: Size): Promise<Calls> {
  const [a, b, c] = [nodes.get(0), nodes.get(1), nodes.get(2)]
  await nodes.clients.ask('connect', { port: b.port, group: 'one', count: 1 })
  const one: GroupCall = { group: 'one', method: 'double', n: 0, timeoutMs: 5_000 }
  const times = (node: Node, call: GroupCall, times: number) =>
    node.program.ask<number[]>('calls', { call, times })
  // New processes compile first.
  await times(a, one, size.calls)
  await times(b, one, size.calls)
  const remote = median(await times(a, one, size.calls))
  const own = median(await times(b, one, size.calls))

  await connectAll(nodes, size)
  const all: GroupCall = { ...one, group: 'all', timeoutMs: 30_000 }
  const { took, cpu } = await cpuOf([a, b, c], () => times(a, all, size.rounds))
  const here = await cpuOf([a], () => times(a, { ...all, isHere: true }, size.rounds))
  const targets = size.rounds * size.clients
  return {
    own,
    remote,
    all: median(took),
    allCpu: cpu / (3 * targets),
    ownCpu: here.cpu / targets,
  }
}

/** A message to all clients of three nodes. */
async function measureNotes(nodes: Nodes, size: Size): Promise<Notes> {
  await connectAll(nodes, size)
  const before = await traffic(nodes.all)
  const noted: number[] = []
  for (let n = 0; n < size.notes; n++) {
    const begin = performance.now()
    await nodes.get(0).program.ask('notes', { group: 'all', times: 1 })
    await nodes.clients.ask('noted', { count: 3 * size.clients })
    noted.push(performance.now() - begin)
  }
  await sleep(100)
  const after = await traffic(nodes.all)
  const each = (at: number, what: keyof Traffic) =>
    ((after[at]?.[what] ?? 0) - (before[at]?.[what] ?? 0)) / size.notes
  return {
    published: each(0, 'published'),
    woken: (each(1, 'received') + each(2, 'received')) / 2,
    inVain: each(3, 'received'),
    noted: median(noted),
  }
}

/** Connects the clients of the group `all`, unless another scenario has. */
async function connectAll(nodes: Nodes, size: Size): Promise<void> {
  const group = 'all'
  if ((await nodes.clients.ask<number>('count', { group })) > 0) return
  for (const { port } of nodes.all.slice(0, 3)) {
    await nodes.clients.ask('connect', { port, group, count: size.clients })
  }
  await sleep(size.settleMs)
}

/** Kills a node while it and another one have targets of a call of the first node. */
async function measureKills(nodes: Nodes, size: Size): Promise<Kills> {
  const { clients } = nodes
  const a = nodes.get(0)
  const took: number[] = []
  let [missing, wrong] = [0, 0]
  let victim = nodes.get(3)
  for (let kill = 0; kill < size.kills; kill++) {
    const group = `kill ${kill}`
    const count = size.targets
    await clients.ask('connect', { port: nodes.get(1).port, group, count })
    await clients.ask('connect', { port: victim.port, group, count, isSilent: true })
    await sleep(100)
    const call: GroupCall = { group, method: 'slow', n: 0, timeoutMs: size.timeoutMs }
    const outcome = a.program.ask<GroupOutcome>('call', call)
    // The others have answered by then.
    await sleep(500)
    const killed = performance.now()
    await victim.kill()
    const { values, lost } = await outcome
    took.push(performance.now() - killed)
    wrong += values.length - new Set(values).size + Math.max(0, values.length - count)
    missing += 2 * count - Math.min(2 * count, values.length + lost)
    nodes.remove(victim)
    await clients.ask('leave', { group })
    if (kill + 1 === size.kills) break
    await nodes.add(1)
    await sleep(size.settleMs)
    victim = nodes.all.at(-1) as Node
  }
  const targets = 2 * size.targets * size.kills
  return { median: median(took), p95: quantile(took, 0.95), targets, missing, wrong }
}

/**
 * A session whose client goes to and fro between its own node and another one. The first time at each is not measured:
 * new processes compile first.
 */
async function measureRelayed(nodes: Nodes, size: Size): Promise<Relayed> {
  const { clients } = nodes
  const home = nodes.get(0)
  let at = home
  await clients.ask('move', { port: home.port })
  const measureAt = async (node: Node) => {
    if (node !== at) {
      await clients.ask('move', { port: node.port })
      await at.program.ask('cut')
      at = node
    }
    const isAtHome = async () => (await clients.ask('home')) === home.port
    if (!(await isAtHome())) throw new Error('The session did not go on')
    const ms = median(await clients.ask<number[]>('serial', { calls: size.calls }))
    const rate = await clients.ask<number>('inFlight', { calls: size.callsInFlight })
    if (!(await isAtHome())) throw new Error('The session did not go on')
    return { ms, rate }
  }
  type Measured = Awaited<ReturnType<typeof measureAt>>
  const rounds: { direct: Measured; relayed: Measured }[] = []
  for (let round = 0; round <= size.moves; round++) {
    const direct = await measureAt(home)
    const relayed = await measureAt(nodes.get(1))
    if (round > 0) rounds.push({ direct, relayed })
  }
  return {
    direct: median(rounds.map(({ direct }) => direct.ms)),
    relayed: median(rounds.map(({ relayed }) => relayed.ms)),
    directRate: median(rounds.map(({ direct }) => direct.rate)),
    relayedRate: median(rounds.map(({ relayed }) => relayed.rate)),
    added: median(rounds.map(({ direct, relayed }) => relayed.ms - direct.ms)),
    ratio: median(rounds.map(({ direct, relayed }) => relayed.rate / direct.rate)),
  }
}

/** @returns what something gives, and the CPU of some nodes meanwhile, in µs. */
async function cpuOf(nodes: readonly Node[], run: () => Promise<number[]>) {
  const cpu = async () =>
    (await Promise.all(nodes.map((node) => node.cpu()))).reduce((sum, one) => sum + one, 0)
  // New processes compile first.
  await run()
  const before = await cpu()
  const took = await run()
  return { took, cpu: (await cpu()) - before }
}

function traffic(nodes: readonly Node[]): Promise<Traffic[]> {
  return Promise.all(nodes.map((node) => node.traffic()))
}
