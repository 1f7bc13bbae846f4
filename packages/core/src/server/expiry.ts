import { Elapsed } from '../base/elapsed.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import { RpcConfigError } from '../errors/errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { RejectUpgrade } from './authentication.js'

/**
 * Returns the time at which the credentials of an identity end: in ms since the epoch, or as a date; `undefined` for
 * never.
 */
export type ExpiresAt<Identity> = (identity: Identity) => number | Date | undefined

/** How often connections are checked for credentials that have ended, in ms. */
const CHECK_INTERVAL_MS = 1_000
/** A smaller number (before 1973) is probably in seconds, as `exp` of a JSON Web Token is (RFC 7519, section 4.1.4). */
const EARLIEST = 1e11

interface Lifetime {
  /** The time that was left when the connection came, in ms. */
  readonly leftMs: number
  readonly since: Elapsed
}

/**
 * Ends connections when their credentials end, as soon as one of two clocks says so. So neither a sleep of the machine
 * nor a clock that is set back gives a client more time.
 */
export class Expiry {
  readonly #expiresAt: ExpiresAt<unknown>
  readonly #channels: Iterable<LiveChannel>
  readonly #lifetimes = new WeakMap<Visitor, Lifetime>()
  #timer: ReturnType<typeof setInterval> | undefined

  /** @param channels the present channels. */
  constructor(expiresAt: ExpiresAt<unknown>, channels: Iterable<LiveChannel>) {
    this.#expiresAt = expiresAt
    this.#channels = channels
  }

  /** Begins to measure the time of a visitor. @returns the refusal if its time has ended; otherwise `undefined`. */
  begin(visitor: Visitor): RejectUpgrade | undefined {
    let leftMs: number
    try {
      leftMs = timeOf(this.#expiresAt(visitor.identity)) - Date.now()
    } catch (cause) {
      return new RejectUpgrade(500, 'Authentication failed', { cause })
    }
    if (leftMs <= 0) return new RejectUpgrade(401, EXPIRED.reason)
    if (leftMs === Number.POSITIVE_INFINITY) return undefined
    this.#lifetimes.set(visitor, { leftMs, since: new Elapsed() })
    this.#timer ??= setInterval(() => this.#check(), CHECK_INTERVAL_MS).unref()
    return undefined
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #check(): void {
    for (const channel of [...this.#channels]) {
      // A client without a connection shows its credentials again when it comes back.
      const lifetime = channel.isConnected ? this.#lifetimes.get(channel.visitor) : undefined
      if (lifetime && lifetime.since.most >= lifetime.leftMs) channel.end(EXPIRED)
    }
  }
}

const EXPIRED: CloseInfo = { code: CloseCode.unauthorized, reason: 'The credentials have expired' }

/**
 * @returns the time in ms since the epoch; `Infinity` for never.
 * @throws {RpcConfigError} if the value is not a time.
 */
function timeOf(given: unknown): number {
  if (given === undefined || given === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  const time = given instanceof Date ? given.getTime() : given
  if (typeof time !== 'number' || Number.isNaN(time)) {
    throw new RpcConfigError(
      `expiresAt must return a number of ms since the epoch, a Date, or undefined. It returned ${String(given)}`,
    )
  }
  if (time > 0 && time < EARLIEST) {
    throw new RpcConfigError(
      `expiresAt must return ms since the epoch. It returned ${time}, which looks like seconds. Write exp * 1000`,
    )
  }
  return time
}
