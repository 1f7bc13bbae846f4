import type { Owner } from './shares.js'

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
