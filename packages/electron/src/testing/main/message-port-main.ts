import { EventEmitter } from 'node:events'

/** The data of the `message` event of a {@link MessagePortMain}. */
export interface MessageMain {
  readonly data: unknown
  readonly ports: MessagePortMain[]
}

type Arrival = MessageMain | 'closed'

/** @returns a structured clone. Throws with the text of Electron if the value can't be cloned. */
export function cloned<T>(value: T): T {
  try {
    return structuredClone(value)
  } catch (cause) {
    throw new Error('An object could not be cloned.', { cause })
  }
}

/**
 * Electron's MessagePortMain: queues until `start()`; `close` reaches its own end too; what is posted
 * to a closed port is dropped in silence; only ports can be transferred.
 */
export class MessagePortMain extends EventEmitter {
  #peer: MessagePortMain | undefined
  #arrivals: Arrival[] = []
  #started = false
  #closed = false
  #neutered = false

  /** Makes two ports each other's ends. */
  static entangle(one: MessagePortMain, other: MessagePortMain): void {
    one.#peer = other
    other.#peer = one
  }

  /**
   * Takes ports out of their objects, as a transfer does: each moves, with what it has not delivered,
   * into a new object, and the old one is of no more use.
   */
  static transfer(ports: readonly MessagePortMain[], source?: MessagePortMain): MessagePortMain[] {
    ports.forEach((port, index) => {
      if (!(port instanceof MessagePortMain)) {
        throw new TypeError(`Port at index ${index} is not a valid port`)
      }
      if (port === source) throw new Error(`Port at index ${index} contains the source port.`)
      if (port.#neutered) throw new Error(`Port at index ${index} is already neutered.`)
      if (ports.indexOf(port) < index) throw new Error(`Port at index ${index} is a duplicate.`)
    })
    return ports.map((port) => {
      const moved = new MessagePortMain()
      moved.#arrivals = port.#arrivals.splice(0)
      moved.#closed = port.#closed
      if (port.#peer) MessagePortMain.entangle(moved, port.#peer)
      port.#peer = undefined
      port.#neutered = true
      return moved
    })
  }

  postMessage(message: unknown, transfer: readonly MessagePortMain[] = []): void {
    if (this.#closed || this.#neutered) return
    const data = cloned(message)
    const ports = MessagePortMain.transfer(transfer, this)
    if (this.#peer) this.#peer.#arrive({ data, ports })
  }

  start(): void {
    if (this.#started || this.#closed || this.#neutered) return
    this.#started = true
    for (const _ of this.#arrivals) setImmediate(() => this.#deliver())
  }

  close(): void {
    if (this.#closed || this.#neutered) return
    this.#closed = true
    this.#arrivals.length = 0
    if (this.#peer) this.#peer.#arrive('closed')
    setImmediate(() => this.emit('close'))
  }

  #arrive(arrival: Arrival): void {
    if (this.#closed) return
    this.#arrivals.push(arrival)
    if (this.#started) setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    const arrival = this.#arrivals.shift()
    if (arrival === undefined || this.#closed) return
    if (arrival === 'closed') {
      this.#closed = true
      this.emit('close')
    } else this.emit('message', arrival)
  }
}

/** Electron's MessageChannelMain: two ports, each the other's end. */
export class MessageChannelMain {
  readonly port1 = new MessagePortMain()
  readonly port2 = new MessagePortMain()

  constructor() {
    MessagePortMain.entangle(this.port1, this.port2)
  }
}
