/** What happens to a cluster, beside nodes that are killed. */
export const CLUSTER_FAULTS = [
  /** The engine's process is killed, and starts again. */
  'engine killed',
  /** A node loses the engine. */
  'node cut off',
  /** What a node and the engine tell each other is swallowed. */
  'node unheard',
  /** A node's process stands still. */
  'node stopped',
  /** All clients lose their connections, and come back at other nodes. */
  'clients cut',
  /** A node is asked to end, and is replaced. */
  'node replaced',
] as const

export type ClusterFault = (typeof CLUSTER_FAULTS)[number]

/** One step of a schedule: a fault, and nodes that are killed while it lasts. */
export interface PlannedStep {
  /** How long all is well before it, in ms. */
  readonly calmMs: number
  readonly fault: ClusterFault
  /** The number of the node that it happens to. */
  readonly node: number
  /** How long it lasts, in ms. */
  readonly ms: number
  readonly kills: readonly {
    readonly node: number
    /** How long after the fault's beginning, in ms. */
    readonly afterMs: number
  }[]
}

/** The share of faults that last longer than the others wait for a node, or a node for the engine. */
const LONG = 0.1
/** The share of steps in which two nodes are killed. */
const TWO = 0.15

/** @returns the steps of a run, the same for the same seed. @param kills how many nodes are killed in all. */
export function planSteps(kills: number, nodes: number, random: () => number): PlannedStep[] {
  const below = (limit: number) => Math.floor(random() * limit)
  const steps: PlannedStep[] = []
  for (let left = kills; left > 0; ) {
    const ms = random() < LONG ? 3_500 + below(3_000) : 100 + below(1_400)
    const first = below(nodes)
    const count = random() < TWO ? Math.min(2, left) : 1
    left -= count
    steps.push({
      calmMs: 100 + below(500),
      fault: CLUSTER_FAULTS[below(CLUSTER_FAULTS.length)] as ClusterFault,
      node: below(nodes),
      ms,
      kills: Array.from({ length: count }, (_, at) => ({
        node: (first + at) % nodes,
        afterMs: below(ms + 200),
      })),
    })
  }
  return steps
}
