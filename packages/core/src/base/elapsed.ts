/**
 * The time that has passed since a moment, by two clocks that can differ: `performance.now()`, which can't be set and
 * may stand still while the machine sleeps; and `Date.now()`, which counts a sleep and can be set forward and back.
 * Code that guarantees something by time uses the reading that is on the safe side: docs/architecture.md, "Time".
 */
export class Elapsed {
  readonly #monotonic = performance.now()
  readonly #wall = Date.now()

  /**
   * The smaller reading, in ms; below 0 if the wall clock was set back. Use it for things that must be kept for this
   * time.
   */
  get least(): number {
    return Math.min(this.monotonic, Date.now() - this.#wall)
  }

  /** The larger reading, in ms, never below 0. Use it for things that must not be relied on for longer. */
  get most(): number {
    return Math.max(this.monotonic, Date.now() - this.#wall)
  }

  /** The reading of `performance.now()` alone, in ms: how long this machine was awake, at least. */
  get monotonic(): number {
    return performance.now() - this.#monotonic
  }
}
