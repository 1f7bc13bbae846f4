import { assertNotNegative } from '../../errors/assert-number.js'
import type { NearestName } from '../../errors/nearest.js'
import { withDefaults } from '../../errors/options.js'
import { asksToComeBackLater, type Failure } from './failure.js'

/** When to try again after a connection was lost or could not be made. */
export interface RetryOptions {
  /**
   * The first window, in ms: the first retry comes at a random time within it. Default 500. After a restart of the
   * server it is longer, if the server asks for that.
   */
  readonly minDelayMs: number
  /** The largest window, in ms, whatever the server asks for. Default 30,000. */
  readonly maxDelayMs: number
  /** How many attempts may fail in a row before the client stops in `failed`. Default `Infinity`. */
  readonly maxAttempts: number
}

const DEFAULT_RETRY: RetryOptions = {
  minDelayMs: 500,
  maxDelayMs: 30_000,
  maxAttempts: Number.POSITIVE_INFINITY,
}

/** How long a connection must have held, in ms, before the failures ahead of it are forgotten. */
const STABLE_MS = 10_000

/**
 * @param nearest finds the option that was probably meant; without it, an error lists the options.
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is unknown or wrong.
 */
export function resolveRetryOptions(
  options?: Partial<RetryOptions>,
  nearest?: NearestName,
): RetryOptions {
  const resolved = withDefaults('retry', options, DEFAULT_RETRY, nearest)
  for (const [name, value] of Object.entries(resolved)) {
    assertNotNegative(`retry.${name}`, value)
  }
  return resolved
}

/**
 * Counts failures and computes how long to wait: full jitter, `random(0, min(cap, base · 2ⁿ))`, also for the first
 * retry.
 *
 * Clients that lose their server together reconnect over a window that the server has asked for. One client can't know
 * whether others have lost it, too, so it relies on the close code or on HTTP 503. After any other loss it uses the
 * window from its second attempt on, because the first has shown that the server is not there.
 *
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Backoff {
  readonly #options: RetryOptions
  readonly #random: () => number
  #failures = 0
  #openedAt: number | undefined
  /** Whether a connection was lost, so that the next failure shows that the server itself was. */
  #isLost = false

  constructor(options: RetryOptions, random: () => number = Math.random) {
    this.#options = options
    this.#random = random
  }

  /** Failures in a row: since the start, or since a connection that held. */
  get failures(): number {
    return this.#failures
  }

  get isExhausted(): boolean {
    return this.#failures >= this.#options.maxAttempts
  }

  /** Whether there is a connection that has held. */
  get isStable(): boolean {
    return this.#openedAt !== undefined && performance.now() - this.#openedAt >= STABLE_MS
  }

  opened(): void {
    this.#openedAt = performance.now()
    this.#isLost = false
  }

  /**
   * Counts a failure.
   *
   * @param failure the failure, which may ask for a longer wait.
   * @param spreadMs the window, in ms, over which the server wants its clients to reconnect.
   * @returns how long to wait before the next attempt, in ms.
   */
  failed(failure: Failure, spreadMs: number): number {
    if (this.isStable) this.#failures = 0
    const { minDelayMs, maxDelayMs } = this.#options
    const isLoss = this.#openedAt !== undefined
    const isSpread = asksToComeBackLater(failure) || (this.#isLost && !isLoss)
    this.#isLost ||= isLoss
    this.#openedAt = undefined
    const base = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    const window = isSpread ? Math.max(base, Math.min(maxDelayMs, spreadMs)) : base
    return (failure.retryAfterMs ?? 0) + this.#random() * window
  }
}
