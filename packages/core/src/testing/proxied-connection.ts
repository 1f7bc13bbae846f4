import type { Socket } from 'node:net'
import {
  type BothWays,
  type Ending,
  FaultControls,
  type FaultSettings,
  type Faults,
  NO_FAULTS,
} from './faults.js'
import { Flow } from './flow.js'
import { resetSocket } from './reset-socket.js'

/** How long a side may take to close after it was told that the connection ends, in ms. */
const GOODBYE_MS = 1_000

/** One connection through a proxy. Its own faults stay until the proxy's are set, or healed. */
export interface FaultConnection extends Faults {
  /** Connections are counted from 1. */
  readonly id: number
  /** Bytes that each side has sent, as far as they were read. */
  readonly received: BothWays<number>
  /** Bytes that were passed on, in each direction. */
  readonly passed: BothWays<number>
}

/** The two sockets of a connection, and what flows between them. */
export class ProxiedConnection extends FaultControls implements FaultConnection {
  readonly id: number
  readonly #client: Socket
  #server: Socket | undefined
  readonly #up: Flow
  readonly #down: Flow
  #faults = NO_FAULTS
  #isOver = false
  readonly #onOver: () => void

  constructor(id: number, client: Socket, onOver: () => void) {
    super()
    this.id = id
    this.#client = client
    this.#onOver = onOver
    const events = {
      limit: (how: Ending) => this.#end(how),
      done: () => {
        // If both ends vanished in a black hole, no socket closes by itself.
        if (this.#up.isDone && this.#down.isDone && this.#hasLost) this.cut()
      },
    }
    this.#up = new Flow('up', id, events)
    this.#down = new Flow('down', id, events)
    this.#up.from(client)
    this.#down.to(client)
    client.once('close', () => this.#look())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get received(): BothWays<number> {
    return { up: this.#up.received, down: this.#down.received }
  }

  get passed(): BothWays<number> {
    return { up: this.#up.passed, down: this.#down.passed }
  }

  get #hasLost(): boolean {
    return this.#up.hasLost || this.#down.hasLost
  }

  /** @param server the other side's socket; undefined if it can't be reached. */
  reached(server: Socket | undefined): void {
    if (this.#isOver) server?.destroy()
    else if (!server) this.#down.broken()
    else {
      this.#server = server
      server.once('close', () => this.#look())
      this.#up.to(server)
      this.#down.from(server)
    }
  }

  apply(change: Partial<FaultSettings>): void {
    if (this.#isOver) return
    this.#faults = { ...this.#faults, ...change }
    const { blackHole } = this.#faults
    const hasHole = (this.#up.hasLost && !blackHole.up) || (this.#down.hasLost && !blackHole.down)
    if (hasHole) return this.reset()
    this.#up.apply(this.#faults)
    this.#down.apply(this.#faults)
  }

  cut(): void {
    this.#end('cut')
  }

  reset(): void {
    this.#end('reset')
  }

  #end(how: Ending): void {
    if (this.#isOver) return
    this.#over()
    for (const socket of [this.#client, this.#server]) {
      if (!socket || socket.destroyed) continue
      if (how === 'reset') resetSocket(socket)
      else sayGoodbye(socket)
    }
  }

  #look(): void {
    if (this.#client.destroyed && (this.#server?.destroyed ?? true)) this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#up.stop()
    this.#down.stop()
    this.#onOver()
  }
}

/** Says the end, after what is written; the other side has some time to say the same. */
function sayGoodbye(socket: Socket): void {
  socket.end(() => {
    if (socket.destroyed) return
    const timer = setTimeout(() => socket.destroy(), GOODBYE_MS)
    socket.once('close', () => clearTimeout(timer))
  })
}
