/** The object that is watched: it holds messages that wait for the other side. */
export interface StallHost {
  /** Whether something waits until the other side has taken what was sent before. */
  readonly isStuck: boolean
  /** How often the other side has made progress: something could be sent, or was acknowledged. */
  readonly progressCount: number
  /** The number of bytes that were sent and have not left. It falls as the other side reads them. */
  readonly unsentBytes: number
  /** Called every half second while something waits. @param ms how long the other side has read nothing. */
  stalled(ms: number): void
}

/** How often the host is checked, in ms. */
const CHECK_MS = 500

/** Measures for how long the other side has taken nothing while something waits for it. */
export class StallWatch {
  readonly #host: StallHost
  #timer: ReturnType<typeof setInterval> | undefined
  #checkedAt = 0
  #progressCount = 0
  #unsentBytes = 0
  #stalledMs = 0

  constructor(host: StallHost) {
    this.#host = host
  }

  /** Begins to watch, until nothing waits any more. */
  begin(): void {
    if (this.#timer !== undefined) return
    this.#mark()
    this.#stalledMs = 0
    this.#timer = setInterval(() => this.#check(), CHECK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #mark(): void {
    this.#checkedAt = performance.now()
    this.#progressCount = this.#host.progressCount
    this.#unsentBytes = this.#host.unsentBytes
  }

  #check(): void {
    const host = this.#host
    if (!host.isStuck) return this.stop()
    const hasMoved =
      host.progressCount !== this.#progressCount || host.unsentBytes < this.#unsentBytes
    // A late timer means that this program was busy, not that the other side was slow. So the time that counts is
    // limited.
    const passedMs = Math.min(performance.now() - this.#checkedAt, 2 * CHECK_MS)
    this.#mark()
    this.#stalledMs = hasMoved ? 0 : this.#stalledMs + passedMs
    host.stalled(this.#stalledMs)
  }
}
