/**
 * The owner whose share of a common limit is counted: an identity, or an address. `undefined` stands for clients that
 * can't be told apart, which have no share of their own.
 */
export type Owner = string | undefined

/** The default part of a common limit that one owner may have. */
export const SHARE = 0.25

/** @returns the share of one owner of a limit of `max`; at least 1. */
export function shareOf(max: number, share: number): number {
  return Math.max(1, Math.floor(max * share))
}

/** Counts something that all clients share, in total and by owner. */
export class Shares {
  readonly #max: number
  readonly #maxOfOne: number
  readonly #byOwner = new Map<string, number>()
  #total = 0

  constructor(max: number, maxOfOne: number) {
    this.#max = max
    this.#maxOfOne = maxOfOne
  }

  get total(): number {
    return this.#total
  }

  get isFull(): boolean {
    return this.#total >= this.#max
  }

  isFullFor(owner: Owner): boolean {
    return owner !== undefined && (this.#byOwner.get(owner) ?? 0) >= this.#maxOfOne
  }

  add(owner: Owner, by: number): void {
    this.#total += by
    if (owner === undefined) return
    const count = (this.#byOwner.get(owner) ?? 0) + by
    if (count > 0) this.#byOwner.set(owner, count)
    else this.#byOwner.delete(owner)
  }
}
