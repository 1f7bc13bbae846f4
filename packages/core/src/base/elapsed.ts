/**
 * How much time has passed since a moment, by two clocks that can differ: `performance.now()`, which nobody
 * sets and which may stand still while the machine sleeps, and `Date.now()`, which counts a sleep and can be
 * set forward and back. A promise that rests on time takes the reading that errs to its safe side:
 * docs/architecture.md, "Time".
 */
export class Elapsed {
  readonly #monotonic = performance.now()
  readonly #wall = Date.now()

  /** The smaller reading, in ms; below 0 if the wall clock was set back. Use it for what must be kept for so long. */
  get least(): number {
    return Math.min(this.monotonic, Date.now() - this.#wall)
  }

  /** The larger reading, in ms, never below 0. Use it for what must not be relied on for longer. */
  get most(): number {
    return Math.max(this.monotonic, Date.now() - this.#wall)
  }

  /** The reading of `performance.now()` alone, in ms: how long this machine was awake, at least. */
  get monotonic(): number {
    return performance.now() - this.#monotonic
  }
}
