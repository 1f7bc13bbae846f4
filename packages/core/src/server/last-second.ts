/** How many parts a second is divided into. */
const PARTS = 10
const PART_MS = 1_000 / PARTS

/** Counts events of the last second, to a tenth of a second. */
export class LastSecond {
  /** The count of each tenth of a second, in a ring. */
  readonly #counts: number[] = Array.from({ length: PARTS }, () => 0)
  #part = 0
  #sum = 0

  get count(): number {
    this.#forget()
    return this.#sum
  }

  add(): void {
    this.#forget()
    const at = this.#part % PARTS
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum++
  }

  #forget(): void {
    const part = Math.floor(performance.now() / PART_MS)
    for (let passed = Math.min(PARTS, part - this.#part); passed > 0; passed--) {
      const at = (part - passed + 1) % PARTS
      this.#sum -= this.#counts[at] ?? 0
      this.#counts[at] = 0
    }
    this.#part = part
  }
}
