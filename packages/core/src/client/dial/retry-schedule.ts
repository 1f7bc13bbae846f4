import { MAX_TIMER_MS } from '../../base/max-timer.js'
import { Backoff, type RetryOptions } from './backoff.js'
import { type Failure, judge, type Verdict } from './failure.js'

export interface ScheduleEvents {
  /** The next attempt is due at this time, in ms since the epoch. */
  waiting(retryAt: number, failure: Failure): void
  /** There will be no further attempt. */
  stopped(verdict: Exclude<Verdict, 'retry'>, failure: Failure): void
}

/** The window, in ms, over which clients reconnect when their network is back, such as those of a whole office. */
const ONLINE_MS = 1_000

/**
 * Decides when to attempt to connect: a failure sets the time of the next attempt, or ends all attempts. It alone owns
 * the timer between attempts and the `online` listener.
 */
export class RetrySchedule {
  readonly #backoff: Backoff
  readonly #events: ScheduleEvents
  readonly #canRefresh: boolean
  readonly #onOnline = () => this.#attemptSoon()
  /** Attempts since the last connection that calls went through on. */
  attempt = 0
  #dueAt = 0
  /** The last failure, and the time until which the server asked not to be contacted. */
  #failure: Failure | undefined
  #notBefore = 0
  #spreadMs = 0
  #windowMs = Number.POSITIVE_INFINITY
  /** When the last connection that calls went through on was lost. */
  #lostAt = 0
  #hasRefreshed = false
  #isAccepted = false
  #isStopped = false
  #wake: (() => void) | undefined

  /** @param canRefresh whether another attempt may bring other credentials after a 401. */
  constructor(retry: RetryOptions, canRefresh: boolean, events: ScheduleEvents) {
    this.#backoff = new Backoff(retry)
    this.#canRefresh = canRefresh
    this.#events = events
    // Browsers only: Node's global object is no event target.
    globalThis.addEventListener?.('online', this.#onOnline)
  }

  /** @returns true when the next attempt is due, false when there will be none. */
  async next(): Promise<boolean> {
    while (!this.#isStopped) {
      const delay = this.#dueAt - performance.now()
      if (delay <= 0) break
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(delay, MAX_TIMER_MS))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    if (this.#isStopped) return false
    this.attempt++
    return true
  }

  /** There is a connection on which the server accepts calls. */
  accepted(spreadMs: number, windowMs: number): void {
    this.#backoff.opened()
    this.attempt = 0
    this.#spreadMs = spreadMs
    this.#windowMs = windowMs
    this.#isAccepted = true
  }

  /** The server wants its clients to reconnect over another window, in ms. */
  spread(spreadMs: number): void {
    this.#spreadMs = spreadMs
  }

  failed(failure: Failure): void {
    if (this.#isStopped) return
    let verdict = judge(failure)
    // A server may accept a connection first, and report afterwards that it does not know the client.
    const wasKnown = this.#isAccepted && verdict !== 'unauthorized'
    if (wasKnown || this.#backoff.isStable) this.#hasRefreshed = false
    if (this.#isAccepted) this.#lostAt = performance.now()
    this.#isAccepted = false
    if (verdict === 'unauthorized' && this.#canRefresh && !this.#hasRefreshed) {
      this.#hasRefreshed = true
      verdict = 'retry'
    }
    const delay = this.#backoff.failed(failure, this.#spreadWindow())
    if (verdict === 'retry' && this.#backoff.isExhausted) verdict = 'failed'
    if (verdict !== 'retry') {
      this.stop()
      this.#events.stopped(verdict, failure)
      return
    }
    this.#failure = failure
    this.#notBefore = performance.now() + (failure.retryAfterMs ?? 0)
    this.#dueAt = performance.now() + delay
    this.#events.waiting(Date.now() + delay, failure)
  }

  /** @returns the server's window, in ms, but not more than half of the session's remaining time, if there is some. */
  #spreadWindow(): number {
    const leftMs = this.#windowMs - (performance.now() - this.#lostAt)
    return leftMs > 0 ? Math.min(this.#spreadMs, leftMs / 2) : this.#spreadMs
  }

  /**
   * The network is back: the next attempt comes soon, at a random time, and not before the time that the server asked
   * for.
   */
  #attemptSoon(): void {
    const now = performance.now()
    const dueAt = Math.max(now, this.#notBefore) + Math.random() * ONLINE_MS
    if (!this.#wake || !this.#failure || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    this.#events.waiting(Date.now() + dueAt - now, this.#failure)
    this.#wake()
  }

  /** The next attempt is due at once. */
  hurry(): void {
    this.#dueAt = 0
    this.#wake?.()
  }

  /** Ends all waiting, for good. */
  stop(): void {
    this.#isStopped = true
    globalThis.removeEventListener?.('online', this.#onOnline)
    this.#wake?.()
  }
}
