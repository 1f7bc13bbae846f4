import { setTimeout as sleep } from 'node:timers/promises'
import { median, quantile } from '../statistics.ts'
import { type Node, Nodes } from './nodes.ts'
import type { GroupCall, GroupOutcome, Traffic } from './peer.ts'

/** How much is done. */
export interface Size {
  readonly calls: number
  readonly clients: number
  readonly rounds: number
  readonly notes: number
  readonly kills: number
  /** The clients of a node that is killed, and of each other one. */
  readonly targets: number
  readonly timeoutMs: number
  /** How long it waits until nodes know of a new one, and of one that is gone, in ms. */
  readonly settleMs: number
}

export interface Figures {
  /** A call to a group with one client, in ms: its node's own, and that of another node. */
  readonly own: number
  readonly remote: number
  /** A call to all clients, in ms. */
  readonly all: number
  /** CPU of the nodes a target, in µs: of a call to all, and of a call to all of one node by itself. */
  readonly allCpu: number
  readonly ownCpu: number
  /** A message to all: published, and received by another node; and one to a group that this node has no members of. */
  readonly published: number
  readonly woken: number
  readonly inVain: number
  /** Until the last client has a message, in ms. */
  readonly noted: number
  readonly kills: Kills
  /** Undefined if sessions do not resume at other nodes. */
  readonly relayed: Relayed | undefined
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
}

/** Measures a peer: three nodes, and one without members. */
export async function measure(peer: string, size: Size): Promise<Figures> {
  await using nodes = await Nodes.open(peer, 4)
  await sleep(size.settleMs)
  const { clients } = nodes
  const [a, b, c, idle] = [nodes.get(0), nodes.get(1), nodes.get(2), nodes.get(3)]
  const connect = async (node: Node, group: string, count: number) =>
    clients.ask('connect', { port: node.port, group, count })

  await connect(b, 'one', 1)
  const one: GroupCall = { group: 'one', method: 'double', n: 0, timeoutMs: 5_000 }
  const times = (node: Node, call: GroupCall, times: number) =>
    node.program.ask<number[]>('calls', { call, times })
  // New processes compile first.
  await times(a, one, size.calls)
  await times(b, one, size.calls)
  const remote = median(await times(a, one, size.calls))
  const own = median(await times(b, one, size.calls))

  for (const node of [a, b, c]) await connect(node, 'all', size.clients)
  await sleep(size.settleMs)
  const all: GroupCall = { ...one, group: 'all', timeoutMs: 30_000 }
  const { took, cpu } = await cpuOf([a, b, c], () => times(a, all, size.rounds))
  const here = await cpuOf([a], () => times(a, { ...all, isHere: true }, size.rounds))
  const targets = size.rounds * size.clients

  const before = await traffic(nodes.all)
  const noted: number[] = []
  for (let n = 0; n < size.notes; n++) {
    const begin = performance.now()
    await a.program.ask('notes', { group: 'all', times: 1 })
    await clients.ask('noted', { count: 3 * size.clients })
    noted.push(performance.now() - begin)
  }
  await sleep(100)
  const after = await traffic(nodes.all)
  const each = (at: number, what: keyof Traffic) =>
    ((after[at]?.[what] ?? 0) - (before[at]?.[what] ?? 0)) / size.notes

  const kills = await measureKills(nodes, idle, size)
  return {
    own,
    remote,
    all: median(took),
    allCpu: cpu / (3 * targets),
    ownCpu: here.cpu / targets,
    published: each(0, 'published'),
    woken: (each(1, 'received') + each(2, 'received')) / 2,
    inVain: each(3, 'received'),
    noted: median(noted),
    kills,
    relayed: peer.startsWith('flashrpc') ? await measureRelayed(nodes, a, b, size) : undefined,
  }
}

/** Kills a node while it and another one have targets of a call of the first node. */
async function measureKills(nodes: Nodes, idle: Node, size: Size): Promise<Kills> {
  const { clients } = nodes
  const a = nodes.get(0)
  const took: number[] = []
  let [missing, wrong] = [0, 0]
  let victim = idle
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

/** A session at its own node, and the same when its client has gone to another one. */
async function measureRelayed(nodes: Nodes, a: Node, b: Node, size: Size): Promise<Relayed> {
  const { clients } = nodes
  const serial = () => clients.ask<number[]>('serial', { calls: size.calls })
  const inFlight = () => clients.ask<number>('inFlight', { calls: 10 * size.calls })
  await clients.ask('move', { port: a.port })
  await serial()
  await inFlight()
  const direct = median(await serial())
  const directRate = await inFlight()
  await clients.ask('move', { port: b.port })
  await a.program.ask('cut')
  if ((await clients.ask('home')) !== a.port) throw new Error('The session did not go on')
  await serial()
  await inFlight()
  const relayed = median(await serial())
  const relayedRate = await inFlight()
  if ((await clients.ask('home')) !== a.port) throw new Error('The session did not go on')
  return { direct, relayed, directRate, relayedRate }
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
