import { withDefaults } from '../errors/assert-options.js'
import { RpcConfigError, RpcDisconnectedError } from '../errors/errors.js'
import { meantBy } from '../transport/close-codes.js'

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

/** Close codes with which a server ends all of its connections at once, or asks clients to come back later. */
const RESTARTS: ReadonlySet<number> = new Set([1001, 1012, 1013])

/** How long a connection must have held, in ms, before the failures ahead of it are forgotten. */
const STABLE_MS = 10_000

/** Why an attempt failed or a connection ended, as far as this side can see. */
export interface Failure {
  readonly message: string
  /** The address of the attempt, without secrets, if there is one. */
  readonly where?: string | undefined
  /** Whether the message itself says to which host and port. */
  readonly isAddressed?: boolean | undefined
  /** The WebSocket close code; 1006 if there was none. */
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

/** What a cause that forbids another attempt, as it was made, leads to. */
interface Stop {
  readonly verdict: Exclude<Verdict, 'retry'>
  /** What the user can do about it. */
  readonly remedy?: string
}

const UNKNOWN: Stop = {
  verdict: 'unauthorized',
  remedy: 'The server does not know who this is: check the credentials in the url or the headers',
}
const FORBIDDEN: Stop = {
  verdict: 'failed',
  remedy:
    'The server does not let this client in: check its rights and, for a page, the allowedOrigins of the server',
}
const NO_SOCKET = 'No WebSocket is served there: check the host, the port and the path of the url'

/**
 * The causes after which the same attempt would fail again: docs/protocol.md, "Reconnecting". After any
 * other the client tries again.
 */
const STOPS_BY_CLOSE_CODE: ReadonlyMap<number | undefined, Stop> = new Map([
  [4400, { verdict: 'failed' }],
  [4401, UNKNOWN],
  [4403, FORBIDDEN],
  [4409, { verdict: 'failed' }],
])
const STOPS_BY_HTTP_STATUS: ReadonlyMap<number | undefined, Stop> = new Map([
  [401, UNKNOWN],
  [403, FORBIDDEN],
  [404, { verdict: 'failed', remedy: 'Check the path of the url' }],
  [407, { verdict: 'failed' }],
  [426, { verdict: 'failed', remedy: 'Check the path of the url: no WebSocket is served there' }],
])

function asksToComeBackLater({ closeCode, httpStatus, proxy }: Failure): boolean {
  return RESTARTS.has(meantBy(closeCode)) || (httpStatus === 503 && proxy === undefined)
}

function stopOf({ closeCode, httpStatus, proxy }: Failure): Stop | undefined {
  if (proxy === undefined) {
    return STOPS_BY_CLOSE_CODE.get(closeCode) ?? STOPS_BY_HTTP_STATUS.get(httpStatus)
  }
  // Its own answer, by which the server has not been asked yet.
  return httpStatus === 403 || httpStatus === 407 ? { verdict: 'failed' } : undefined
}

/** Says what to do after a failure, by its cause. */
export function judge(failure: Failure): Verdict {
  return stopOf(failure)?.verdict ?? 'retry'
}

/** A failure with the address of the attempt. */
export function describeFailure({ where, message }: Failure): string {
  return where === undefined ? message : `${where}: ${message}`
}

/** What the user can do about a failure, where anything. */
export function remedyOf(failure: Failure): string | undefined {
  // Who made the connection knows more than its code tells.
  const isTold = failure.remedy !== undefined || failure.cause instanceof RpcDisconnectedError
  if (isTold || failure.proxy !== undefined) return failure.remedy
  // Neither an error nor an upgrade: a program answers there that serves something else.
  const { httpStatus } = failure
  return httpStatus !== undefined && httpStatus < 400 ? NO_SOCKET : stopOf(failure)?.remedy
}

/**
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is unknown or wrong.
 */
export function resolveRetryOptions(options?: Partial<RetryOptions>): RetryOptions {
  const resolved = withDefaults('retry', options, DEFAULT_RETRY)
  for (const [name, value] of Object.entries(resolved)) {
    if (typeof value === 'number' && value >= 0) continue
    throw new RpcConfigError(`retry.${name} must be a number, 0 or more; it is ${String(value)}`)
  }
  return resolved
}

/**
 * Counts failures and says how long to wait: full jitter, `random(0, min(cap, base · 2ⁿ))`, for the
 * first retry too.
 *
 * Clients that lose their server together come back over a window of the server's wish. One client can't
 * know whether others lost it too: it takes the server's word, by the close code or by HTTP 503. After any other
 * loss it takes the wish from its second attempt on, since the first has shown that the server is not there.
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
   * @param failure may ask for a longer wait.
   * @param spreadMs the server's wish for the window, in ms, over which its clients come back.
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
