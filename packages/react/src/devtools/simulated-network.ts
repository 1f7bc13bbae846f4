import type { Frame, TappedConnection, TappedWire, WireTap } from '@flashrpc/core'
import { DelayLine } from './delay-line.js'

/** A simulated network. */
export interface Network {
  readonly name: string
  /** How long a frame is on its way, in ms, in each direction. */
  readonly latencyMs: number
  /** How much goes through in a second, in bytes, in each direction. */
  readonly bytesPerSecond: number
  readonly isOffline?: boolean
}

export const NETWORKS: readonly [Network, ...Network[]] = [
  { name: 'As it is', latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY },
  { name: 'Fast 4G (85 ms, 1.1 MB/s)', latencyMs: 85, bytesPerSecond: 1_125_000 },
  { name: 'Slow 4G (280 ms, 200 kB/s)', latencyMs: 280, bytesPerSecond: 200_000 },
  { name: '3G (1 s, 50 kB/s)', latencyMs: 1_000, bytesPerSecond: 50_000 },
  { name: 'Offline', latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, isOffline: true },
]

/**
 * How many bytes may wait on a slow network in one direction, text by its length. If more would wait, the connection
 * is cut, as a server ends a peer that stays behind. A single frame may be larger.
 */
const MOST_WAITING = 16 * 1024 * 1024

/** Makes a client's connections slow, or cuts them, as a network would: order is kept, nothing is changed. */
export class SimulatedNetwork implements WireTap {
  #network: Network = NETWORKS[0]
  readonly #connections = new Set<SlowConnection>()

  /** From now on, on the connection there is and on those that come. */
  become(network: Network): void {
    this.#network = network
    for (const connection of [...this.#connections]) connection.changed()
  }

  connected(wire: TappedWire): TappedConnection {
    const connection = new SlowConnection(wire, () => this.#network, {
      ended: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    // Not during the call that makes the connection.
    if (this.#network.isOffline) queueMicrotask(() => connection.changed())
    return connection
  }

  /** Hands on what it holds back, and holds nothing back any more. */
  end(): void {
    this.become(NETWORKS[0])
    this.#connections.clear()
  }
}

class SlowConnection implements TappedConnection {
  readonly #wire: TappedWire
  readonly #network: () => Network
  readonly #events: { readonly ended: () => void }
  readonly #out = new DelayLine()
  readonly #in = new DelayLine()

  constructor(wire: TappedWire, network: () => Network, events: { ended: () => void }) {
    this.#wire = wire
    this.#network = network
    this.#events = events
  }

  changed(): void {
    if (this.#network().isOffline) this.#wire.cut('simulated: offline')
    else if (isInstant(this.#network())) {
      this.#out.flush()
      this.#in.flush()
    }
  }

  send(frame: Frame): boolean {
    if (this.#isDirect(this.#out)) return this.#wire.send(frame)
    return this.#delay(this.#out, frame, () => this.#wire.send(frame))
  }

  receive(frame: Frame): void {
    if (this.#isDirect(this.#in)) this.#wire.receive(frame)
    else this.#delay(this.#in, frame, () => this.#wire.receive(frame))
  }

  ended(): void {
    this.#out.discard()
    this.#in.discard()
    this.#events.ended()
  }

  #isDirect(line: DelayLine): boolean {
    return isInstant(this.#network()) && line.isEmpty
  }

  /** @returns whether it is on its way. */
  #delay(line: DelayLine, frame: Frame, handOn: () => void): boolean {
    const { isOffline, latencyMs, bytesPerSecond } = this.#network()
    // It is about to be cut: what goes out now gets nowhere.
    if (isOffline) return true
    if (!line.isEmpty && line.waitingBytes + frame.length > MOST_WAITING) {
      this.#wire.cut(`simulated: more than ${MOST_WAITING} bytes wait on the slow network`)
      return false
    }
    line.push(frame.length, (frame.length / bytesPerSecond) * 1_000, latencyMs, handOn)
    return true
  }
}

function isInstant({ isOffline, latencyMs, bytesPerSecond }: Network): boolean {
  return !isOffline && latencyMs === 0 && bytesPerSecond === Number.POSITIVE_INFINITY
}
