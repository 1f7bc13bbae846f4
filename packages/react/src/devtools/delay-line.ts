/** Hands things on later, in their order. */
export class DelayLine {
  readonly #waiting: {
    readonly due: number
    readonly bytes: number
    readonly handOn: () => void
  }[] = []
  #waitingBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the wire is free again, as `performance.now` tells it. */
  #freeAt = 0

  /** Whether nothing is held back, so that the next frame may pass at once. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** How many bytes wait. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /**
   * @param bytes how much it is.
   * @param takesMs how long it keeps the wire busy.
   * @param latencyMs how long it is on its way besides.
   */
  push(bytes: number, takesMs: number, latencyMs: number, handOn: () => void): void {
    this.#freeAt = Math.max(performance.now(), this.#freeAt) + takesMs
    const last = this.#waiting.at(-1)?.due ?? 0
    this.#waiting.push({ due: Math.max(last, this.#freeAt + latencyMs), bytes, handOn })
    this.#waitingBytes += bytes
    if (this.#waiting.length === 1) this.#schedule()
  }

  /** Hands on at once all that waits. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#freeAt = 0
    this.#waitingBytes = 0
    for (const { handOn } of this.#waiting.splice(0)) handOn()
  }

  /** Drops all that waits. */
  discard(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }

  #schedule(): void {
    const [first] = this.#waiting
    if (!first) return
    this.#timer = setTimeout(() => this.#handOnDue(), Math.max(0, first.due - performance.now()))
  }

  #handOnDue(): void {
    const now = performance.now()
    while (this.#waiting[0] && this.#waiting[0].due <= now) {
      const { bytes, handOn } = this.#waiting[0]
      this.#waiting.shift()
      this.#waitingBytes -= bytes
      handOn()
    }
    this.#schedule()
  }
}
