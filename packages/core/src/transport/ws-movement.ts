/** What a TCP or TLS socket of Node tells of its bytes. */
export interface MovingWire {
  readonly bytesRead?: number
  /** What waits to leave, each write as a whole until all of it has left. */
  readonly writableLength: number
  /**
   * Node's own: what was handed to the system, and how much of that it has not taken yet. Where these are other
   * things one day, `writableLength` alone counts.
   */
  readonly _handle?: {
    readonly bytesWritten?: unknown
    readonly writeQueueSize?: unknown
  } | null
}

/**
 * Looks now and then whether bytes of a connection move: whether some have come, or some that waited have left. What
 * leaves at once proves nothing, since the system takes it without having reached anybody; where the system had
 * no room left, it has some again only when the other side has taken what was sent before.
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
