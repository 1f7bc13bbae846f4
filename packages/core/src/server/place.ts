import type { RejectUpgrade } from './authentication.js'
import type { Owner, Shares } from './shares.js'
import { tooMany } from './too-many.js'

/** The counts of connections: of those without a known identity by address, of the others by identity. */
export interface CountedConnections {
  /** Its total counts all connections. */
  readonly unknown: Shares
  readonly known: Shares
}

/** One counted connection, from its request to its end. */
export class Place {
  readonly #counted: CountedConnections
  /** The owner that it counts for. */
  #owner: Owner
  #isKnown = false
  #isOver = false

  constructor(counted: CountedConnections, address: Owner) {
    this.#counted = counted
    this.#owner = address
    counted.unknown.add(address, 1)
  }

  /**
   * The owner of the connection is known now.
   *
   * @returns the refusal if this owner has too many; otherwise `undefined`.
   */
  claim(owner: Owner): RejectUpgrade | undefined {
    const { known } = this.#counted
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
    const { unknown, known } = this.#counted
    if (!this.#isKnown) return unknown.add(this.#owner, by)
    // It still counts in the total.
    unknown.add(undefined, by)
    known.add(this.#owner, by)
  }
}
