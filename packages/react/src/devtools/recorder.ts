import type {
  AnyClient,
  Frame,
  Inspection,
  TappedConnection,
  TappedWire,
  WireTap,
} from '@flashrpc/core'
import { createStore, type StoreApi } from 'zustand/vanilla'
import { MessageReader } from './message-reader.js'
import type { Row } from './row.js'
import { RowBook } from './row-book.js'
import { NETWORKS, type Network, SimulatedNetwork } from './simulated-network.js'
import { extended, type TimelineEntry } from './timeline.js'

/** The recorded rows and states, as the panel shows them. */
export interface Recording {
  /** The newest rows, the oldest first. */
  readonly rows: readonly Row[]
  /** How many older ones were dropped. */
  readonly dropped: number
  readonly timeline: readonly TimelineEntry[]
  /** Whether new rows are not written down. */
  readonly isPaused: boolean
  /** The network that is simulated. */
  readonly network: Network
}

/** Records the messages between a client and its server, and simulates networks. It does not depend on React. */
export class Recorder implements WireTap {
  readonly store: StoreApi<Recording> = createStore<Recording>(() => ({
    rows: [],
    dropped: 0,
    timeline: [],
    isPaused: false,
    network: NETWORKS[0],
  }))
  readonly client: AnyClient
  readonly #inspection: Inspection
  readonly #book: RowBook
  readonly #network = new SimulatedNetwork()
  readonly #unsubscribe: () => void
  #publishing: ReturnType<typeof setTimeout> | undefined

  constructor(client: AnyClient) {
    this.client = client
    this.#inspection = client.tap(this)
    this.#book = new RowBook(this.#inspection.isCounted)
    const { session } = this.#inspection.snapshot()
    if (session) this.#book.joinSession(session)
    const look = () =>
      this.store.setState({ timeline: extended(this.store.getState().timeline, client.state) })
    this.#unsubscribe = client.subscribe(look)
    look()
  }

  snapshot(): ReturnType<Inspection['snapshot']> {
    return this.#inspection.snapshot()
  }

  connected(wire: TappedWire): TappedConnection {
    // Asked for when a frame comes: the connection there is is tapped while the tap is set.
    const codec = () => this.#inspection.codec
    const sent = new MessageReader(codec)
    const received = new MessageReader(codec)
    const record = (direction: 'out' | 'in', reader: MessageReader, frame: Frame) => {
      for (const read of reader.read(frame)) this.#book.write(direction, read)
      this.#publishSoon()
    }
    const network = this.#network.connected({
      ...wire,
      receive: (frame) => {
        record('in', received, frame)
        wire.receive(frame)
      },
    })
    return {
      send: (frame) => {
        record('out', sent, frame)
        return network.send(frame)
      },
      receive: (frame) => network.receive(frame),
      ended: (info) => {
        network.ended(info)
        this.#book.connectionEnded()
        this.#publishSoon()
      },
    }
  }

  /** Writes nothing new down for a while; rows there are go on. */
  pause(isPaused: boolean): void {
    this.#book.isPaused = isPaused
    this.store.setState({ isPaused })
  }

  /** Has the network be like this from now on. */
  simulate(network: Network): void {
    const wasOffline = this.store.getState().network.isOffline
    this.#network.become(network)
    this.store.setState({ network })
    if (wasOffline && !network.isOffline) this.client.reconnect()
  }

  clear(): void {
    this.#book.clear()
    this.#publish()
  }

  /** Ends it: the client is as if it had never been looked into. */
  end(): void {
    this.#unsubscribe()
    this.#network.end()
    this.#inspection.stop()
    clearTimeout(this.#publishing)
  }

  /** Once for all that passes in a turn: many messages are one render. */
  #publishSoon(): void {
    this.#publishing ??= setTimeout(() => this.#publish(), 16)
  }

  #publish(): void {
    clearTimeout(this.#publishing)
    this.#publishing = undefined
    this.store.setState({ rows: this.#book.rows(), dropped: this.#book.dropped })
  }
}
