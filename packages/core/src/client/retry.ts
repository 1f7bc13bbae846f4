import { RpcConfigError, RpcDisconnectedError } from '../errors.js'

/** When to try again after a connection was lost or could not be made. */
export interface RetryOptions {
  /** The first window, in ms: the first retry comes at a random time within it. Default 500. */
  readonly minDelayMs: number
  /** The largest window, in ms. Default 30,000. */
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

/** Why an attempt failed or a connection ended, as far as this side can see. */
export interface Failure {
  readonly message: string
  /** The WebSocket close code; 1006 where there was none. */
  readonly closeCode: number
  /** The HTTP status of a refused upgrade. Browsers don't tell it. */
  readonly httpStatus?: number | undefined
  /** How long the server asked to be left alone, in ms (`Retry-After`). */
  readonly retryAfterMs?: number | undefined
  /** The proxy that stood in the way, by its address without credentials. */
  readonly proxy?: string | undefined
  /** What to do about it, where the cause is known better than by code and status. */
  readonly remedy?: string | undefined
  readonly cause?: unknown
}

/** What to do after a failure: try again, or stop in one of two states. */
export type Verdict = 'retry' | 'failed' | 'unauthorized'

const FATAL_CLOSE_CODES = new Set([4400, 4403, 4409])
const FATAL_STATUSES = new Set([403, 404, 407, 426])

/** Says what to do after a failure, by its cause: docs/protocol.md, "Reconnecting". */
export function judge({ closeCode, httpStatus, proxy }: Failure): Verdict {
  if (proxy !== undefined) return httpStatus === 403 || httpStatus === 407 ? 'failed' : 'retry'
  if (closeCode === 4401 || httpStatus === 401) return 'unauthorized'
  if (FATAL_CLOSE_CODES.has(closeCode)) return 'failed'
  return httpStatus !== undefined && FATAL_STATUSES.has(httpStatus) ? 'failed' : 'retry'
}

/** What the user can do about a failure, where anything. */
export function remedyOf(failure: Failure): string | undefined {
  const { closeCode, httpStatus, proxy, remedy, cause } = failure
  // Who made the connection knows more than its code tells.
  const isTold = remedy !== undefined || cause instanceof RpcDisconnectedError
  if (isTold || proxy !== undefined) return remedy
  if (closeCode === 4401 || httpStatus === 401) {
    return 'The server does not know who this is: check the credentials in the url or the headers'
  }
  if (closeCode === 4403 || httpStatus === 403) {
    return 'The server does not let this client in: check its rights and, for a page, the allowedOrigins of the server'
  }
  if (httpStatus === 404) return 'Check the path of the url'
  return undefined
}

/**
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is wrong.
 */
export function resolveRetryOptions(options: Partial<RetryOptions> = {}): RetryOptions {
  const resolved = { ...DEFAULT_RETRY, ...options }
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof value === 'number' && value >= 0) continue
    throw new RpcConfigError(`retry.${name} must be a number, 0 or more; it is ${String(value)}`)
  }
  return resolved
}

/**
 * Counts failures and says how long to wait: full jitter, `random(0, min(cap, base · 2ⁿ))`, for the
 * first retry too, so that clients which lost their server together don't come back together.
 *
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Backoff {
  readonly #options: RetryOptions
  readonly #random: () => number
  #failures = 0
  #openedAt: number | undefined

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
  }

  /**
   * Counts a failure.
   *
   * @param failure may ask for a longer wait.
   * @param spreadMs the server's wish for the window of the first retry after a loss.
   * @returns how long to wait before the next attempt, in ms.
   */
  failed(failure: Failure, spreadMs: number): number {
    if (this.isStable) this.#failures = 0
    const { minDelayMs, maxDelayMs } = this.#options
    const first = this.#openedAt !== undefined
    this.#openedAt = undefined
    const base = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    const window = first ? Math.max(base, spreadMs) : base
    return (failure.retryAfterMs ?? 0) + this.#random() * window
  }
}
