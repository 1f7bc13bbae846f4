import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterClient, ClusterNode, ClusterPage, GroupCall } from './peer.ts'
import { CLUSTER_PEERS } from './peers.ts'

/** One process of one peer: a node, or all clients. What it is asked for comes from cluster.ts. */

const [name = ''] = process.argv.slice(2)
const peer = await CLUSTER_PEERS[name]?.()
/** How long a client takes over `slow`, in ms. */
const SLOW_MS = 200

let node: ClusterNode | undefined
/** By group. */
const clients = new Map<string, ClusterClient[]>()
let numbers = 0
/** The client whose node changes. */
let mover: ClusterClient | undefined
let moverPort = 0
let noted = 0
let whenNoted = (): void => {}

function pageOf(number: number, isSilent: boolean): ClusterPage {
  return {
    double: (n) => 2 * n,
    slow: async () => {
      if (isSilent) await new Promise<never>(() => {})
      await sleep(SLOW_MS)
      return number
    },
    noted() {
      noted++
      whenNoted()
    },
  }
}

const commands: Record<string, (params: never) => unknown> = {
  async serve({ address }: { address: string }) {
    node = await peer?.serve(address)
    return node?.port
  },
  traffic: () => ({ ...node?.traffic }),
  call: (call: GroupCall) => node?.call(call),
  /** The same call again and again. @returns how long each took, in ms. */
  async calls({ call, times }: { call: GroupCall; times: number }) {
    const took: number[] = []
    for (let n = 0; n < times; n++) {
      const begin = performance.now()
      const { values } = (await node?.call({ ...call, n })) ?? { values: [] }
      took.push(performance.now() - begin)
      if (values.length === 0 || values.some((value) => value !== 2 * n)) {
        throw new Error('A call gave something else than the answers')
      }
    }
    return took
  },
  /** Tells a group so many times in turn. */
  async notes({ group, times }: { group: string; times: number }) {
    for (let n = 0; n < times; n++) await node?.note(group)
  },
  cut: () => node?.cut?.(),
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return user + system
  },

  async connect(at: { port: number; group: string; count: number; isSilent?: boolean }) {
    for (let left = at.count; left > 0; left -= 50) {
      const some = Array.from({ length: Math.min(50, left) }, () =>
        peer?.connect(() => at.port, at.group, pageOf(numbers++, at.isSilent === true)),
      )
      const made = (await Promise.all(some)).flatMap((client) => client ?? [])
      clients.set(at.group, [...(clients.get(at.group) ?? []), ...made])
    }
  },
  count: ({ group }: { group: string }) => clients.get(group)?.length ?? 0,
  /** Else those of a node that was killed would try to connect for ever. */
  async leave({ group }: { group: string }) {
    await Promise.all((clients.get(group) ?? []).map((client) => client.close()))
    clients.delete(group)
  },
  async noted({ count }: { count: number }) {
    while (noted < count) await new Promise<void>((resolve) => (whenNoted = resolve))
    if (noted > count) throw new Error(`${noted} notes came, and not ${count}`)
    noted = 0
  },
  /** Connects a client whose sessions stay where they began when it goes to another port. */
  async move({ port }: { port: number }) {
    moverPort = port
    mover ??= await peer?.connect(() => moverPort, 'mover', pageOf(0, false))
  },
  home: () => mover?.home(),
  /** One call after another. @returns how long each took, in ms. */
  async serial({ calls }: { calls: number }) {
    const took: number[] = []
    for (let n = 0; n < calls; n++) {
      const begin = performance.now()
      if ((await mover?.add(n, 1)) !== n + 1) throw new Error('A call gave something else')
      took.push(performance.now() - begin)
    }
    return took
  },
  /** So many calls, 64 in flight. @returns calls a second. */
  async inFlight({ calls }: { calls: number }) {
    let left = calls
    const loop = async () => {
      while (left-- > 0) await mover?.add(left, 1)
    }
    const begin = performance.now()
    await Promise.all(Array.from({ length: 64 }, loop))
    return calls / ((performance.now() - begin) / 1_000)
  },
}

process.on(
  'message',
  async ({ id, command, params }: { id: number; command: string; params: never }) => {
    try {
      process.send?.({ id, value: await commands[command]?.(params) })
    } catch (error) {
      process.send?.({ id, error: String(error instanceof Error ? error.stack : error) })
    }
  },
)
process.on('disconnect', () => process.exit())
