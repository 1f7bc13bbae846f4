import { type BusConnection, type Crossing, MemoryBus } from '../../src/cluster/memory-bus.js'
import { MemoryEngine } from '../../src/cluster/memory-engine.js'

type Direction = Crossing['direction']

/**
 * Engines in memory whose messages arrive one by one, when a test says so. Those of engines that are not held arrive by
 * themselves, each a millisecond later. What is on the same way stays in order.
 */
export class SteppedNetwork {
  readonly #bus = new MemoryBus((crossing) => this.#carry(crossing))
  readonly #ways = new Map<BusConnection, Record<Direction, Crossing[]>>()
  readonly #held = new Set<MemoryEngine>()

  engine(): MemoryEngine {
    return new MemoryEngine(this.#bus, 1024 * 1024)
  }

  /** From now on, nothing arrives by itself that an engine sends, or that is sent to it. */
  hold(engine: MemoryEngine): void {
    this.#held.add(engine)
  }

  /** All that waits arrives, and what comes later. */
  release(): void {
    this.#held.clear()
    for (const [connection, ways] of this.#ways) {
      for (const direction of ['to-bus', 'from-bus'] as const) {
        for (const _ of ways[direction]) this.#arriveSoon(connection, direction)
      }
    }
  }

  /** Lets the first arrive that waits on one way. @returns whether there was one. */
  step({ connection }: MemoryEngine, direction: Direction): boolean {
    return connection !== undefined && this.#arrive(connection, direction)
  }

  #carry(crossing: Crossing): void {
    const { connection, direction } = crossing
    const ways = this.#ways.get(connection) ?? { 'to-bus': [], 'from-bus': [] }
    this.#ways.set(connection, ways)
    ways[direction].push(crossing)
    const isHeld = [...this.#held].some((engine) => engine.connection === connection)
    if (!isHeld) this.#arriveSoon(connection, direction)
  }

  #arriveSoon(connection: BusConnection, direction: Direction): void {
    setTimeout(() => this.#arrive(connection, direction), 1)
  }

  #arrive(connection: BusConnection, direction: Direction): boolean {
    const crossing = this.#ways.get(connection)?.[direction].shift()
    crossing?.arrive()
    return crossing !== undefined
  }
}
