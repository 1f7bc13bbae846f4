/** The members of Node's TCP and TLS sockets that tell of their bytes. */
export interface MovingWire {
  readonly bytesRead?: number
  /** How many bytes wait to leave; a write counts as a whole until all of it has left. */
  readonly writableLength: number
  /**
   * Internals of Node: how many bytes were handed to the operating system, and how many of these it has not taken yet.
   * If they are something else in a future version, only `writableLength` counts.
   */
  readonly _handle?: {
    readonly bytesWritten?: unknown
    readonly writeQueueSize?: unknown
  } | null
}

/**
 * Finds out whether the bytes of a connection move: whether some have arrived, or some that waited have left. Bytes
 * that leave at once prove nothing, because the operating system takes them without sending them. If the system had no
 * room, it gets room only when the other side has taken what was sent before.
 */
export class WireMovement {
  readonly #wire: MovingWire
  #read = 0
  #taken = 0
  #isWaiting = false

  constructor(wire: MovingWire) {
    this.#wire = wire
    this.look()
  }

  /** @returns whether something has moved since the last look. */
  look(): boolean {
    const before = this.#read
    return this.hasLeft() || this.#read > before
  }

  /** @returns whether some of what waited has left since the last look. */
  hasLeft(): boolean {
    const { bytesRead = 0, writableLength, _handle } = this.#wire
    const { bytesWritten, writeQueueSize } = _handle ?? {}
    const isKnown = typeof bytesWritten === 'number' && typeof writeQueueSize === 'number'
    const taken = isKnown ? bytesWritten - writeQueueSize : -writableLength
    const hasLeft = this.#isWaiting && taken > this.#taken
    this.#read = bytesRead
    this.#taken = taken
    this.#isWaiting = writableLength > 0
    return hasLeft
  }
}
