/**
 * The owner whose share of a common limit is counted: an identity, or an address. `undefined` stands for clients that
 * can't be told apart, which have no share of their own.
 */
export type Owner = string | undefined

/** The default part of a common limit that one owner may have. */
export const SHARE = 0.25

/** @returns the share of one owner of a limit of `most`; at least 1. */
export function shareOf(most: number, share: number): number {
  return Math.max(1, Math.floor(most * share))
}

/** Counts something that all clients share, in total and by owner. */
export class Shares {
  readonly #most: number
  readonly #mostOfOne: number
  readonly #byOwner = new Map<string, number>()
  #total = 0

  constructor(most: number, mostOfOne: number) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  get total(): number {
    return this.#total
  }

  get isFull(): boolean {
    return this.#total >= this.#most
  }

  isFullFor(owner: Owner): boolean {
    return owner !== undefined && (this.#byOwner.get(owner) ?? 0) >= this.#mostOfOne
  }

  add(owner: Owner, by: number): void {
    this.#total += by
    if (owner === undefined) return
    const count = (this.#byOwner.get(owner) ?? 0) + by
    if (count > 0) this.#byOwner.set(owner, count)
    else this.#byOwner.delete(owner)
  }
}

/** The number of parts that a second is divided into. */
const PARTS = 10
const PART_MS = 1_000 / PARTS

/** Counts events of the last second, to a tenth of a second, in total and by owner. */
export class LastSecond {
  /** The counts of each tenth of a second, in a ring. */
  readonly #parts = Array.from({ length: PARTS }, () => new Map<Owner, number>())
  readonly #byOwner = new Map<Owner, number>()
  #part = 0
  #total = 0

  get total(): number {
    this.#forget()
    return this.#total
  }

  of(owner: Owner): number {
    this.#forget()
    return this.#byOwner.get(owner) ?? 0
  }

  add(owner: Owner): void {
    this.#forget()
    const counts = this.#parts[this.#part % PARTS] as Map<Owner, number>
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
    this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? 0) + 1)
    this.#total++
  }

  #forget(): void {
    const part = Math.floor(performance.now() / PART_MS)
    for (let passed = Math.min(PARTS, part - this.#part); passed > 0; passed--) {
      this.#forgetPart(this.#parts[(part - passed + 1) % PARTS] as Map<Owner, number>)
    }
    this.#part = part
  }

  #forgetPart(counts: Map<Owner, number>): void {
    for (const [owner, count] of counts) {
      const left = (this.#byOwner.get(owner) ?? 0) - count
      if (left > 0) this.#byOwner.set(owner, left)
      else this.#byOwner.delete(owner)
      this.#total -= count
    }
    counts.clear()
  }
}
