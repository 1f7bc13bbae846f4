/** A message on the bus. */
export interface BusMessage {
  readonly subject: string
  readonly payload: Uint8Array
}

/** Something on its way between a node and the bus. */
export interface Crossing {
  /** The node's connection. */
  readonly connection: BusConnection
  readonly direction: 'to-bus' | 'from-bus'
  /** The connection that it comes from; missing if the bus itself says it. */
  readonly from: BusConnection | undefined
  /** Missing for all that is not a message: subscriptions, pings, probes and their answers. */
  readonly message: BusMessage | undefined
  /** Lets it arrive. After the connection has ended it does nothing. */
  arrive(): void
}

/**
 * Delivers a message, later. Messages of one connection in one direction must be delivered in the order in which they were
 * given.
 */
export type Carry = (crossing: Crossing) => void

/** Called with each message for a connection. */
type OnMessage = (subject: string, payload: Uint8Array) => void

/**
 * A messaging system in memory. It behaves as a server with one connection for each node does: the messages and
 * subscriptions of a node reach the bus in their order, and the bus gives each message to all other nodes that are
 * subscribed at that moment.
 */
export class MemoryBus {
  readonly carry: Carry
  readonly #subscribed = new Map<string, Set<BusConnection>>()

  constructor(carry: Carry) {
    this.carry = carry
  }

  connect(told: OnMessage): BusConnection {
    return new BusConnection(this, told)
  }

  add(subject: string, connection: BusConnection): void {
    const all = this.#subscribed.get(subject)
    if (all) all.add(connection)
    else this.#subscribed.set(subject, new Set([connection]))
  }

  remove(subject: string, connection: BusConnection): void {
    const all = this.#subscribed.get(subject)
    if (all?.delete(connection) && all.size === 0) this.#subscribed.delete(subject)
  }

  /** Ends all subscriptions of a connection. */
  forget(connection: BusConnection): void {
    for (const subject of [...this.#subscribed.keys()]) this.remove(subject, connection)
  }

  /** All that are subscribed to a subject, without the one that asks. */
  others(subject: string, than: BusConnection): BusConnection[] {
    return [...(this.#subscribed.get(subject) ?? [])].filter((connection) => connection !== than)
  }
}

/** A node's connection to the bus, until it is closed. */
export class BusConnection {
  readonly #bus: MemoryBus
  readonly #told: OnMessage
  #isOpen = true
  #bytes = 0

  constructor(bus: MemoryBus, told: OnMessage) {
    this.#bus = bus
    this.#told = told
  }

  /** Bytes that were published and have not reached the bus. */
  get bytes(): number {
    return this.#bytes
  }

  publish(subject: string, payload: Uint8Array): void {
    // A copy, as a network makes one: the publisher may use its memory again.
    const message = { subject, payload: new Uint8Array(payload) }
    this.#bytes += payload.byteLength
    this.#toBus(() => {
      this.#bytes -= payload.byteLength
      for (const other of this.#bus.others(subject, this)) other.#deliver(this, message)
    }, message)
  }

  subscribe(subject: string): void {
    this.#toBus(() => this.#bus.add(subject, this))
  }

  unsubscribe(subject: string): void {
    this.#toBus(() => this.#bus.remove(subject, this))
  }

  /** Calls back once all has arrived that the bus had for this node when it was asked. */
  ping(pong: () => void): void {
    this.#toBus(() => this.#fromBus(pong))
  }

  /** Calls back with whether others are subscribed to the subject: `true` as soon as one of them has answered. */
  probe(subject: string, answer: (isThere: boolean) => void): void {
    this.#toBus(() => {
      const others = this.#bus.others(subject, this)
      if (others.length === 0) this.#fromBus(() => answer(false))
      for (const other of others) {
        other.#fromBus(() => other.#toBus(() => this.#fromBus(() => answer(true), other)), this)
      }
    })
  }

  close(): void {
    this.#isOpen = false
    this.#bytes = 0
    this.#bus.forget(this)
  }

  #deliver(from: BusConnection, message: BusMessage): void {
    this.#fromBus(() => this.#told(message.subject, message.payload), from, message)
  }

  #toBus(arrive: () => void, message?: BusMessage): void {
    this.#cross('to-bus', arrive, this, message)
  }

  #fromBus(arrive: () => void, from?: BusConnection, message?: BusMessage): void {
    this.#cross('from-bus', arrive, from, message)
  }

  #cross(
    direction: Crossing['direction'],
    arrive: () => void,
    from: BusConnection | undefined,
    message: BusMessage | undefined,
  ): void {
    this.#bus.carry({
      connection: this,
      direction,
      from,
      message,
      arrive: () => {
        if (this.#isOpen) arrive()
      },
    })
  }
}
