import type { ClusterEngine, EngineEvents } from './engine.js'
import { assertPayload, assertSubject, engineDown, STOP_MS } from './engine-checks.js'
import type { BusConnection, MemoryBus } from './memory-bus.js'

/** A node's engine over a bus in memory. Its connection can be lost, and made again. */
export class MemoryEngine implements ClusterEngine {
  readonly name = 'memory'
  readonly maxPayload: number
  readonly #bus: MemoryBus
  /** How often each subject is subscribed to here. */
  readonly #subjects = new Map<string, number>()
  /** Barriers that have not been passed. */
  readonly #waiting = new Set<(error: Error) => void>()
  #events: EngineEvents | undefined
  #connection: BusConnection | undefined
  #isUp = false
  #isStopped = false
  #why = 'it was not started'

  constructor(bus: MemoryBus, maxPayload: number) {
    this.#bus = bus
    this.maxPayload = maxPayload
  }

  /** The connection to the bus, if there is one. */
  get connection(): BusConnection | undefined {
    return this.#connection
  }

  async start(events: EngineEvents): Promise<void> {
    this.#events = events
    await this.connect()
  }

  /** Connects to the bus: all subscriptions stand there, and then the engine is up. */
  async connect(): Promise<void> {
    if (this.#connection || this.#isStopped) return
    const connection = this.#bus.connect((subject, payload) => {
      if (this.#subjects.has(subject)) this.#events?.message(subject, payload)
    })
    this.#connection = connection
    for (const subject of this.#subjects.keys()) connection.subscribe(subject)
    await this.#pong(connection)
    this.#isUp = true
    this.#events?.up()
  }

  /** Loses the connection to the bus, with what is on its way. */
  lose(why: string): void {
    if (!this.#connection) return
    const wasUp = this.#isUp
    this.#end(why)
    if (wasUp) this.#events?.down(why)
  }

  publish(subject: string, payload: Uint8Array): void {
    assertSubject(subject)
    assertPayload(this.name, payload, this.maxPayload)
    this.#up().publish(subject, payload)
  }

  subscribe(subject: string): () => void {
    assertSubject(subject)
    const count = this.#subjects.get(subject) ?? 0
    this.#subjects.set(subject, count + 1)
    if (count === 0) this.#connection?.subscribe(subject)
    let isSubscribed = true
    return () => {
      if (isSubscribed) this.#unsubscribe(subject)
      isSubscribed = false
    }
  }

  async barrier(): Promise<void> {
    await this.#pong(this.#up())
  }

  reach(subject: string, ms: number): Promise<'yes' | 'no' | 'unknown'> {
    assertSubject(subject)
    return new Promise((resolve) => {
      if (!this.#isUp || !this.#connection) return resolve('unknown')
      const end = (answer: 'yes' | 'no' | 'unknown') => {
        clearTimeout(timer)
        this.#waiting.delete(lost)
        resolve(answer)
      }
      const lost = () => end('unknown')
      const timer = setTimeout(lost, ms)
      this.#waiting.add(lost)
      this.#connection.probe(subject, (isThere) => end(isThere ? 'yes' : 'no'))
    })
  }

  get bufferedBytes(): number {
    return this.#connection?.bytes ?? 0
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#events = undefined
    if (!this.#isUp || !this.#connection) return this.#end('it was stopped')
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS)
    })
    await Promise.race([this.#pong(this.#connection).catch(() => {}), late])
    clearTimeout(timer)
    this.#end('it was stopped')
  }

  #unsubscribe(subject: string): void {
    const count = (this.#subjects.get(subject) ?? 0) - 1
    if (count > 0) {
      this.#subjects.set(subject, count)
      return
    }
    this.#subjects.delete(subject)
    this.#connection?.unsubscribe(subject)
  }

  #up(): BusConnection {
    if (this.#isUp && this.#connection) return this.#connection
    throw engineDown(this.name, this.#why)
  }

  /** Resolves when the bus has answered over a connection; rejects if that ends before. */
  #pong(connection: BusConnection): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      connection.ping(() => {
        this.#waiting.delete(reject)
        resolve()
      })
    })
  }

  #end(why: string): void {
    this.#connection?.close()
    this.#connection = undefined
    this.#isUp = false
    this.#why = why
    const error = engineDown(this.name, why)
    for (const lost of this.#waiting) lost(error)
    this.#waiting.clear()
  }
}
