/** Where something may wait for the other side. */
export interface StallHost {
  /** Whether something waits until the other side has taken what was sent before. */
  readonly isStuck: boolean
  /** How often some of it was taken, so that something else could be sent, or was acknowledged. */
  readonly moves: number
  /** What was sent and has not left; it falls as the other side takes it. */
  readonly unsentBytes: number
  /** It is looked every half second, as long as something waits: so long, in ms, the other side has taken nothing. */
  stalled(ms: number): void
}

/** How often it is looked, in ms. */
const LOOK_MS = 500

/** Finds out how long the other side has taken nothing, while something waits for that. */
export class StallWatch {
  readonly #host: StallHost
  #timer: ReturnType<typeof setInterval> | undefined
  #lookedAt = 0
  #moves = 0
  #unsentBytes = 0
  #stalledMs = 0

  constructor(host: StallHost) {
    this.#host = host
  }

  /** From now on, until nothing waits. */
  begin(): void {
    if (this.#timer !== undefined) return
    this.#mark()
    this.#stalledMs = 0
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #mark(): void {
    this.#lookedAt = performance.now()
    this.#moves = this.#host.moves
    this.#unsentBytes = this.#host.unsentBytes
  }

  #look(): void {
    const host = this.#host
    if (!host.isStuck) return this.stop()
    const hasMoved = host.moves !== this.#moves || host.unsentBytes < this.#unsentBytes
    // A timer that is late was held up here, with everything else.
    const passedMs = Math.min(performance.now() - this.#lookedAt, 2 * LOOK_MS)
    this.#mark()
    this.#stalledMs = hasMoved ? 0 : this.#stalledMs + passedMs
    host.stalled(this.#stalledMs)
  }
}
