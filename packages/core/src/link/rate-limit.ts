export interface Rates {
  readonly messagesPerSecond: number
  /** Text by its length. */
  readonly bytesPerSecond: number
}

export interface RateLimitEvents {
  /** Reading is to stop, or to go on. */
  overRate(isOver: boolean): void
}

/**
 * Two token buckets for incoming messages and bytes; each holds the amount of one second. If the other side sends more,
 * reading stops until the excess is made up for. Then the buffers of the other side fill, and it has to wait.
 */
export class RateLimit {
  readonly #rates: Rates
  readonly #events: RateLimitEvents
  #messages: number
  #bytes: number
  #countedAt = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(rates: Rates, events: RateLimitEvents) {
    this.#rates = rates
    this.#events = events
    this.#messages = rates.messagesPerSecond
    this.#bytes = rates.bytesPerSecond
  }

  /** Counts incoming messages and their bytes. */
  take(messages: number, bytes: number): void {
    this.#messages -= messages
    this.#bytes -= bytes
    // The clock is read only if the limit may be exceeded.
    if ((this.#messages < 0 || this.#bytes < 0) && !this.#timer) this.#refill()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #refill(): void {
    const now = performance.now()
    const seconds = (now - this.#countedAt) / 1_000
    this.#countedAt = now
    const { messagesPerSecond: messages, bytesPerSecond: bytes } = this.#rates
    this.#messages = refilled(this.#messages, messages, seconds)
    this.#bytes = refilled(this.#bytes, bytes, seconds)
    const owedMs = Math.ceil(1_000 * Math.max(-this.#messages / messages, -this.#bytes / bytes))
    const wasStalled = this.#timer !== undefined
    // Messages that had arrived already are delivered while reading is paused. They must be made up for, too.
    this.#timer = owedMs > 0 ? setTimeout(() => this.#refill(), owedMs) : undefined
    if (wasStalled !== owedMs > 0) this.#events.overRate(owedMs > 0)
  }
}

function refilled(tokens: number, rate: number, seconds: number): number {
  // Without a limit, Infinity minus Infinity would be NaN.
  return rate === Number.POSITIVE_INFINITY ? rate : Math.min(rate, tokens + rate * seconds)
}
