import { assertCount, assertShare } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import type { OptionKinds } from '../errors/options.js'
import { type ChannelLimits, DEFAULT_LIMITS } from '../link/limits.js'
import { RejectUpgrade, tooMany } from './authentication.js'
import { Authentications } from './authentications.js'
import { LastSecond } from './last-second.js'
import { type Owner, SHARE, Shares, shareOf } from './shares.js'

/** The limits on an endpoint's connections, in total and for each owner. */
export interface ConnectionLimits {
  /** The most connections in total; or `Infinity`. Default 20,000. One more is refused with HTTP 503. */
  connections?: number
  /**
   * The most connections from one address, of clients without a known identity, or not known yet; or `Infinity`. An
   * IPv6 address stands for its /64. Default 1,000, and no more than `share` of `connections`. One more is refused with
   * HTTP 429. A loopback address is taken for that of a reverse proxy and is not counted, unless `trustProxy` is set.
   * Behind a proxy on another machine, set `trustProxy`, too.
   */
  connectionsPerAddress?: number
  /**
   * The most new connections in one second; or `Infinity`. Default 600. One more is refused with HTTP 503. Then clients
   * that have all lost their connections at once reconnect over a longer time (docs/protocol.md, "Reconnecting").
   */
  connectionsPerSecond?: number
  /**
   * The most runs of `authenticate` at once; or `Infinity`. Default 1,000. One more is refused with HTTP 503. A run
   * that goes on although it was given up (see its `signal`) counts for one more minute at the most.
   */
  authentications?: number
  /**
   * The part of what all clients share that one owner may have: an identity (see `owner`), else an address. It is a
   * number above 0 and up to 1. Default 0.25. It holds for `connections`, `connectionsPerSecond`, `authentications`,
   * and of `resume` for `maxDetached` and `maxDetachedBytes`.
   */
  share?: number
}

const CONNECTION_LIMITS = {
  connections: 'elsewhere',
  connectionsPerAddress: 'elsewhere',
  connectionsPerSecond: 'elsewhere',
  authentications: 'elsewhere',
  share: 'elsewhere',
} as const satisfies OptionKinds<ConnectionLimits>

/** @returns the limits of an endpoint that apply to each of its channels. */
export function channelLimitsOf(
  limits: (Partial<ChannelLimits> & ConnectionLimits) | undefined,
): Partial<ChannelLimits> | undefined {
  if (limits === undefined) return undefined
  const {
    connections,
    connectionsPerAddress,
    connectionsPerSecond,
    authentications,
    share,
    ...rest
  } = limits
  return rest
}

/** Counts connections, and those that are being authenticated. */
export class Connections {
  /** The part of what all clients share that one owner may have. */
  readonly share: number
  readonly authentications: Authentications
  readonly #perSecond: number
  readonly #perSecondOfOne: number
  readonly #lately = new LastSecond()
  readonly #counts: ConnectionCounts

  /** @throws {RpcConfigError} naming the limit, also one of a channel, that is unknown, or is not valid. */
  constructor(limits: ConnectionLimits = {}) {
    assertOptions('limits', limits, { ...DEFAULT_LIMITS, ...CONNECTION_LIMITS })
    const {
      connections = 20_000,
      connectionsPerSecond = 600,
      authentications = 1_000,
      share = SHARE,
    } = limits
    assertShare('limits.share', share)
    const ofOne = shareOf(connections, share)
    const { connectionsPerAddress = Math.min(1_000, ofOne) } = limits
    const counts = { connections, connectionsPerAddress, connectionsPerSecond, authentications }
    for (const [name, value] of Object.entries(counts)) {
      assertCount(`limits.${name}`, value, { orInfinity: true })
    }
    this.share = share
    this.#perSecond = connectionsPerSecond
    // If one address may have any number of connections, many clients use it, so it has no share of its own.
    const isShared = connectionsPerAddress === Number.POSITIVE_INFINITY
    const maxOfOne = (of: number) => (isShared ? Number.POSITIVE_INFINITY : shareOf(of, share))
    this.#perSecondOfOne = maxOfOne(connectionsPerSecond)
    this.#counts = {
      unknown: new Shares(connections, connectionsPerAddress),
      known: new Shares(connections, ofOne),
    }
    this.authentications = new Authentications(authentications, maxOfOne(authentications))
  }

  /** @returns the refusal of one more connection from this address; `undefined` if it is allowed. */
  refusal(owner: Owner): RejectUpgrade | undefined {
    const { unknown } = this.#counts
    if (unknown.isFull) {
      return tooMany(503, 'The server has as many connections as it takes')
    }
    if (unknown.isFullFor(owner)) {
      return tooMany(429, 'There are too many connections from this address')
    }
    const isOneTooFast = owner !== undefined && this.#lately.of(owner) >= this.#perSecondOfOne
    if (isOneTooFast || this.#lately.total >= this.#perSecond) {
      // No Retry-After: the clients know their window, and each chooses its own time in it.
      return new RejectUpgrade(503, 'Too many clients connect at the same time; come back later')
    }
    return undefined
  }

  /** Counts a connection. */
  begin(address: Owner): CountedConnection {
    this.#lately.add(address)
    return new CountedConnection(this.#counts, address)
  }
}

/** The counts of connections: of those without a known identity by address, of the others by identity. */
interface ConnectionCounts {
  /** Its total counts all connections. */
  readonly unknown: Shares
  readonly known: Shares
}

/** One counted connection, from its request to its end. */
export class CountedConnection {
  readonly #counts: ConnectionCounts
  /** The owner that it counts for. */
  #owner: Owner
  #isKnown = false
  #isOver = false

  constructor(counts: ConnectionCounts, address: Owner) {
    this.#counts = counts
    this.#owner = address
    counts.unknown.add(address, 1)
  }

  /**
   * The owner of the connection is known now.
   *
   * @returns the refusal if this owner has too many; otherwise `undefined`.
   */
  claim(owner: Owner): RejectUpgrade | undefined {
    const { known } = this.#counts
    if (this.#isOver || owner === this.#owner) return undefined
    if (known.isFullFor(owner))
      return tooMany(429, 'There are too many connections of this identity')
    this.#count(-1)
    this.#owner = owner
    this.#isKnown = true
    this.#count(1)
    return undefined
  }

  /** Safe to call twice. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#count(-1)
  }

  #count(by: number): void {
    const { unknown, known } = this.#counts
    if (!this.#isKnown) return unknown.add(this.#owner, by)
    // It still counts in the total.
    unknown.add(undefined, by)
    known.add(this.#owner, by)
  }
}
