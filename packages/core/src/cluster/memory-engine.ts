import type { ClusterEngine, EngineEvents, Reach } from './engine.js'
import { assertPayload, assertSubject } from './engine-checks.js'
import { EngineState } from './engine-state.js'
import type { BusConnection, MemoryBus } from './memory-bus.js'

/** A node's engine over a bus in memory. Its connection can be lost, and made again. */
export class MemoryEngine implements ClusterEngine {
  readonly name = 'memory'
  readonly maxPayload: number
  readonly #bus: MemoryBus
  readonly #state = new EngineState('memory')
  #connection: BusConnection | undefined

  constructor(bus: MemoryBus, maxPayload: number) {
    this.#bus = bus
    this.maxPayload = maxPayload
  }

  /** The connection to the bus, if there is one. */
  get connection(): BusConnection | undefined {
    return this.#connection
  }

  async start(events: EngineEvents): Promise<void> {
    this.#state.start(events)
    await this.connect()
  }

  /** Connects to the bus: all subscriptions stand there, and then the engine is up. */
  async connect(): Promise<void> {
    if (this.#connection || this.#state.isStopped) return
    const connection = this.#bus.connect((subject, payload) =>
      this.#state.message(subject, payload),
    )
    this.#connection = connection
    for (const subject of this.#state.subjects) connection.subscribe(subject)
    await pong(connection)
    if (this.#connection === connection) this.#state.up()
  }

  /** Loses the connection to the bus, with what is on its way. */
  lose(why: string): void {
    this.#close()
    this.#state.down(why)
  }

  publish(subject: string, payload: Uint8Array): void {
    assertSubject(subject)
    assertPayload(this.name, payload, this.maxPayload)
    this.#state.assertUp()
    this.#connection?.publish(subject, payload)
  }

  subscribe(subject: string): () => void {
    return this.#state.subscribe(
      subject,
      () => this.#connection?.subscribe(subject),
      () => this.#connection?.unsubscribe(subject),
    )
  }

  barrier(): Promise<void> {
    return this.#state.answered(() => pong(this.#connection))
  }

  reach(subject: string, ms: number): Promise<Reach> {
    return this.#state.reach(subject, ms, async () => {
      return new Promise((resolve) => this.#connection?.probe(subject, resolve))
    })
  }

  get bufferedBytes(): number {
    return this.#connection?.bytes ?? 0
  }

  async stop(): Promise<void> {
    this.#state.stop()
    await this.#state.letOut(() => pong(this.#connection))
    this.#close()
    this.#state.end()
  }

  #close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }
}

/** Resolves when the bus has answered; never, if the connection ends before. */
function pong(connection: BusConnection | undefined): Promise<void> {
  return new Promise((resolve) => connection?.ping(resolve))
}
