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
  /** What had been given when the server was last asked. */
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Answers to questions of before a reset count for nothing. */
  #era = 0

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
    const era = this.#era
    const given = this.#given
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#asked = given
    await this.#ask()
    if (era === this.#era) this.#confirmed = Math.max(this.#confirmed, given)
  }

  /** Nothing is awaited any more: it is lost, or has left. */
  reset(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#era++
    this.#confirmed = this.#given
    this.#asked = this.#given
  }

  #askNow(): void {
    // If the connection is lost meanwhile, its owner resets.
    this.flush().catch(() => {})
  }
}
