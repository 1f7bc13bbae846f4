import { Elapsed } from '../channel/elapsed.js'
import type { LiveChannel, Visitor } from '../channel/live-channel.js'
import { RpcConfigError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { RejectUpgrade } from './authentication.js'

/** Says of an identity when its credentials end: in ms since the epoch, or as a date; never, where it says nothing. */
export type ExpiresAt<Identity> = (identity: Identity) => number | Date | undefined

/** How often it is looked whose credentials have ended, in ms. */
const LOOK_MS = 1_000
/** A time before this one, of 1973, is in seconds: the `exp` of a JSON Web Token (RFC 7519, section 4.1.4). */
const EARLIEST = 1e11

interface Lifetime {
  /** How much time was left when the connection came. */
  readonly leftMs: number
  readonly since: Elapsed
}

/**
 * Ends connections when the credentials end that they came with: as soon as either clock says so, so that neither a
 * sleep of the machine nor a clock that is set back gives anybody more time.
 */
export class Expiry {
  readonly #expiresAt: ExpiresAt<unknown>
  readonly #channels: () => Iterable<LiveChannel>
  readonly #lifetimes = new WeakMap<Visitor, Lifetime>()
  #timer: ReturnType<typeof setInterval> | undefined

  /** @param channels those that there are. */
  constructor(expiresAt: ExpiresAt<unknown>, channels: () => Iterable<LiveChannel>) {
    this.#expiresAt = expiresAt
    this.#channels = channels
  }

  /** Counts the time of a visitor from now on. @returns why it is not let in, where its time is over. */
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
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    return undefined
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    for (const channel of [...this.#channels()]) {
      // Who is away shows its credentials anew when it comes back.
      const lifetime = channel.isConnected ? this.#lifetimes.get(channel.visitor) : undefined
      if (lifetime && lifetime.since.most >= lifetime.leftMs) channel.end(EXPIRED)
    }
  }
}

const EXPIRED: CloseInfo = { code: CloseCode.unauthorized, reason: 'The credentials have expired' }

/**
 * @returns the time in ms since the epoch; `Infinity` for never.
 * @throws {RpcConfigError} where it is none.
 */
function timeOf(given: unknown): number {
  if (given === undefined || given === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  const time = given instanceof Date ? given.getTime() : given
  if (typeof time !== 'number' || Number.isNaN(time)) {
    throw new RpcConfigError(
      `expiresAt must return a number of ms since the epoch, a Date, or undefined; it returned ${String(given)}`,
    )
  }
  if (time > 0 && time < EARLIEST) {
    throw new RpcConfigError(
      `expiresAt must return ms since the epoch; it returned ${time}, which looks like seconds: write exp * 1000`,
    )
  }
  return time
}
