import { RpcConfigError } from '../errors.js'
import { RejectUpgrade } from './authentication.js'
import { LastSecond } from './last-second.js'
import { isLoopback } from './upgrade.js'

/** How many connections an endpoint has at the most. */
export interface ConnectionLimits {
  /** In all; or `Infinity`. Default 20,000. One more is refused with HTTP 503. */
  connections?: number
  /**
   * From one address; or `Infinity`. Default 1,000. One more is refused with HTTP 429. A loopback address
   * is not counted: it is that of a reverse proxy. Behind one on another machine, set `Infinity`.
   */
  connectionsPerAddress?: number
  /**
   * In one second; or `Infinity`. Default 600. One more is refused with HTTP 503. Clients that have all
   * lost their connections at once come back over a longer time then (docs/protocol.md, "Reconnecting").
   */
  connectionsPerSecond?: number
}

/** How long who is refused shall wait, in seconds. */
const RETRY_AFTER_S = 5

/** Counts connections, from their request to their end. */
export class Connections {
  readonly #limits: Required<ConnectionLimits>
  readonly #byAddress = new Map<string, number>()
  #count = 0
  readonly #lately = new LastSecond()

  constructor(limits: ConnectionLimits = {}) {
    const {
      connections = 20_000,
      connectionsPerAddress = 1_000,
      connectionsPerSecond = 600,
    } = limits
    this.#limits = { connections, connectionsPerAddress, connectionsPerSecond }
    for (const [name, value] of Object.entries(this.#limits)) {
      if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value > 0)) continue
      throw new RpcConfigError(
        `limits.${name} must be a positive integer, or Infinity; it is ${String(value)}`,
      )
    }
  }

  /** Why one more from this address is refused, where it is. */
  refusal(address: string | undefined): RejectUpgrade | undefined {
    const { connections, connectionsPerAddress, connectionsPerSecond } = this.#limits
    const wait = { retryAfterSeconds: RETRY_AFTER_S }
    if (this.#count >= connections) {
      return new RejectUpgrade(503, 'The server has as many connections as it takes', wait)
    }
    if (this.#of(address) >= connectionsPerAddress) {
      return new RejectUpgrade(429, 'There are too many connections from this address', wait)
    }
    if (this.#lately.count >= connectionsPerSecond) {
      // No Retry-After: the clients know their window, and each chooses a time of its own in it.
      return new RejectUpgrade(503, 'Too many clients connect at the same time; come back later')
    }
    return undefined
  }

  /** Counts one. @returns its end; safe to call twice. */
  begin(address: string | undefined): () => void {
    this.#add(address, 1)
    this.#lately.add()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#add(address, -1)
    }
  }

  #add(address: string | undefined, by: 1 | -1): void {
    this.#count += by
    if (address === undefined || isLoopback(address)) return
    const count = this.#of(address) + by
    if (count > 0) this.#byAddress.set(address, count)
    else this.#byAddress.delete(address)
  }

  #of(address: string | undefined): number {
    return this.#byAddress.get(address ?? '') ?? 0
  }
}
