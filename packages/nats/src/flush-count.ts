/** After how many bytes the server is asked whether it has them. */
const FLUSH_BYTES = 256 * 1024
/** After how long it is asked for fewer, in ms. */
const FLUSH_MS = 10

/**
 * Counts bytes that were given to a connection and that the server has not confirmed. The client of NATS does not count
 * them, so the server is asked: for each 256 KiB, and 10 ms after fewer.
 */
export class FlushCount {
  readonly #ask: () => Promise<void>
  #given = 0
  #confirmed = 0
  /** The bytes that had been given when the server was last asked. */
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Counts resets. Answers to questions before the last one are ignored. */
  #resets = 0

  /** @param ask resolves when the server has all that was given before. */
  constructor(ask: () => Promise<void>) {
    this.#ask = ask
  }

  /** Bytes that are not confirmed. */
  get open(): number {
    return this.#given - this.#confirmed
  }

  add(bytes: number): void {
    this.#given += bytes
    if (this.#given - this.#asked >= FLUSH_BYTES) this.#askNow()
    else this.#timer ??= setTimeout(() => this.#askNow(), FLUSH_MS)
  }

  /** Resolves when the server has all that was given. */
  async flush(): Promise<void> {
    const resets = this.#resets
    const given = this.#given
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#asked = given
    await this.#ask()
    if (resets === this.#resets) this.#confirmed = Math.max(this.#confirmed, given)
  }

  /** Nothing is awaited any more: it is lost, or has left. */
  reset(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#resets++
    this.#confirmed = this.#given
    this.#asked = this.#given
  }

  #askNow(): void {
    // If the connection is lost, its owner calls `reset`.
    this.flush().catch(() => {})
  }
}
