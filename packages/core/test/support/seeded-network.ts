import type { ClusterEngine } from '@flashrpc/core/cluster'
import {
  type BusConnection,
  type BusMessage,
  type Crossing,
  MemoryBus,
} from '../../src/cluster/memory-bus.js'
import { MemoryEngine } from '../../src/cluster/memory-engine.js'
import { seededRandom } from '../../src/testing/seeded-random.js'

export interface NetworkFaults {
  /** How long things take between a node and the bus, in ms, from the least to the most. In order all the same. */
  delayMs?: readonly [number, number]
  /** The share of messages that are lost on their way to a node, from 0 to 1. */
  drop?: number
  /** The share of messages that reach a node twice, from 0 to 1. */
  duplicate?: number
  /** Which messages `drop` and `duplicate` are about; otherwise all. */
  only?: (message: BusMessage, to: ClusterEngine) => boolean
}

/**
 * Engines in memory whose network has faults, the same ones for the same seed and the same calls. Time is that of
 * `setTimeout`: with fake timers, a test lets it pass, and all happens in the same order each time.
 */
export class SeededNetwork {
  faults: NetworkFaults
  /** How many messages reached nodes, were lost, came twice. */
  readonly counts = { delivered: 0, dropped: 0, duplicated: 0 }
  readonly #random: () => number
  readonly #bus = new MemoryBus((crossing) => this.#carry(crossing))
  readonly #engines: MemoryEngine[] = []
  readonly #ways = new Map<MemoryEngine, { readonly 'to-bus': Way; readonly 'from-bus': Way }>()
  /** Which node hears nothing of which. */
  readonly #cuts = new Map<MemoryEngine, Set<MemoryEngine>>()
  readonly #maxPayload: number

  constructor(seed: number, faults: NetworkFaults = {}, maxPayload = 1024 * 1024) {
    this.#random = seededRandom(seed)
    this.faults = faults
    this.#maxPayload = maxPayload
  }

  /** Makes the engine of one more node. */
  engine(): ClusterEngine {
    const engine = new MemoryEngine(this.#bus, this.#maxPayload)
    this.#engines.push(engine)
    this.#ways.set(engine, { 'to-bus': new Way(), 'from-bus': new Way() })
    this.#cuts.set(engine, new Set())
    return engine
  }

  /** `to` hears nothing more of `from`, which is not told; the other way stays. */
  cut(from: ClusterEngine, to: ClusterEngine): void {
    this.#cuts.get(own(to))?.add(own(from))
  }

  /** Ends all cuts. */
  heal(): void {
    for (const cut of this.#cuts.values()) cut.clear()
  }

  /** The node loses its connection to the bus, and is told. */
  cutOff(node: ClusterEngine, why = 'the network was cut'): void {
    own(node).lose(why)
  }

  /** The node is connected again. */
  async restore(node: ClusterEngine): Promise<void> {
    await own(node).connect()
  }

  /** The bus is killed: all nodes lose their connections. */
  kill(): void {
    for (const engine of this.#engines) engine.lose('the bus was killed')
  }

  /** The bus is there again. */
  async start(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.connect()))
  }

  /** What the node sends and what is sent to it waits, as if its process were stopped. */
  stop(node: ClusterEngine): void {
    for (const way of this.#waysOf(own(node))) way.hold()
  }

  /** What has waited arrives. */
  continue(node: ClusterEngine): void {
    for (const way of this.#waysOf(own(node))) way.release()
  }

  #waysOf(engine: MemoryEngine): Way[] {
    return Object.values(this.#ways.get(engine) ?? {})
  }

  #engineOf(connection: BusConnection | undefined): MemoryEngine | undefined {
    return this.#engines.find((engine) => engine.connection === connection)
  }

  #carry(crossing: Crossing): void {
    const engine = this.#engineOf(crossing.connection)
    if (!engine) return
    const way = this.#ways.get(engine)?.[crossing.direction]
    const [least, most] = this.faults.delayMs ?? [0, 0]
    for (let left = this.#times(crossing, engine); left > 0; left--) {
      way?.add(least + this.#random() * (most - least), () => {
        const from = this.#engineOf(crossing.from)
        if (crossing.direction === 'from-bus' && from && this.#cuts.get(engine)?.has(from)) return
        crossing.arrive()
      })
    }
  }

  /** How often it arrives. */
  #times({ direction, message }: Crossing, engine: MemoryEngine): number {
    if (direction === 'to-bus' || !message) return 1
    const { drop = 0, duplicate = 0, only } = this.faults
    const chance = this.#random()
    const isMeant = only?.(message, engine) ?? true
    if (isMeant && chance < drop) {
      this.counts.dropped++
      return 0
    }
    this.counts.delivered++
    if (!isMeant || chance >= drop + duplicate) return 1
    this.counts.duplicated++
    return 2
  }
}

/** One way between a node and the bus: what goes in comes out later, in order. */
class Way {
  readonly #waiting: { readonly due: number; readonly arrive: () => void }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #isHeld = false

  add(ms: number, arrive: () => void): void {
    const last = this.#waiting.at(-1)?.due ?? 0
    this.#waiting.push({ due: Math.max(last, performance.now() + ms), arrive })
    if (this.#waiting.length === 1) this.#wait()
  }

  hold(): void {
    this.#isHeld = true
    clearTimeout(this.#timer)
  }

  release(): void {
    this.#isHeld = false
    this.#wait()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    const [first] = this.#waiting
    if (!first || this.#isHeld) return
    const ms = Math.max(0, first.due - performance.now())
    this.#timer = setTimeout(() => this.#arrive(), ms)
  }

  /** Lets all arrive whose time has come. */
  #arrive(): void {
    const now = performance.now()
    try {
      while (!this.#isHeld && (this.#waiting[0]?.due ?? Number.POSITIVE_INFINITY) <= now) {
        this.#waiting.shift()?.arrive()
      }
    } finally {
      this.#wait()
    }
  }
}

function own(engine: ClusterEngine): MemoryEngine {
  if (engine instanceof MemoryEngine) return engine
  throw new Error('It is no engine of this network')
}
