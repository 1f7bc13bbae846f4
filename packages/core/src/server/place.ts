import type { RejectUpgrade } from './authentication.js'
import type { Owner, Shares } from './shares.js'
import { tooMany } from './too-many.js'

/** What counts connections: those without a known identity by address, and those with one by identity. */
export interface CountedConnections {
  /** Its total is that of all connections. */
  readonly unknown: Shares
  readonly known: Shares
}

/** A connection that is counted, from its request to its end. */
export class Place {
  readonly #counted: CountedConnections
  /** Whom it counts for. */
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
   * @returns why it is refused, if this owner has too many; `undefined` if it is not.
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
