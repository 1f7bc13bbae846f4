export interface Rates {
  readonly messagesPerSecond: number
  /** Text by its length. */
  readonly bytesPerSecond: number
}

export interface RateLimitEvents {
  /** Reading is to stop, or to go on. */
  stalled(isOver: boolean): void
}

/**
 * Two token buckets, of a second's worth each, for what comes in. Whoever sends more is not read for as
 * long as it takes to make up for it: then its own buffers fill, and it has to wait.
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

  /** So many messages came in, of so many bytes. */
  take(messages: number, bytes: number): void {
    this.#messages -= messages
    this.#bytes -= bytes
    // The clock is looked at only where there may be too much.
    if ((this.#messages < 0 || this.#bytes < 0) && !this.#timer) this.#look()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const now = performance.now()
    const seconds = (now - this.#countedAt) / 1_000
    this.#countedAt = now
    const { messagesPerSecond: messages, bytesPerSecond: bytes } = this.#rates
    this.#messages = refilled(this.#messages, messages, seconds)
    this.#bytes = refilled(this.#bytes, bytes, seconds)
    const owedMs = Math.ceil(1_000 * Math.max(-this.#messages / messages, -this.#bytes / bytes))
    const wasStalled = this.#timer !== undefined
    // What had come already is delivered while nothing more is read: it is to be made up for, too.
    this.#timer = owedMs > 0 ? setTimeout(() => this.#look(), owedMs) : undefined
    if (wasStalled !== owedMs > 0) this.#events.stalled(owedMs > 0)
  }
}

function refilled(tokens: number, rate: number, seconds: number): number {
  // Without a limit, Infinity less Infinity would be no number.
  return rate === Number.POSITIVE_INFINITY ? rate : Math.min(rate, tokens + rate * seconds)
}
