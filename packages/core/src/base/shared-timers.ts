/** Something that is to be woken. */
export interface Sleeper {
  /** @param lateMs how much later than it was to be; less than 0 where it is earlier. */
  wake(lateMs: number): void
}

/** Those who are woken together. */
export class Round {
  readonly #sleepers = new Set<Sleeper>()
  readonly #at: number
  readonly #over: () => void
  readonly #timer: ReturnType<typeof setTimeout>
  #isOver = false

  /** @param over told when nobody joins it any more. */
  constructor(delayMs: number, over: () => void) {
    this.#at = performance.now() + delayMs
    this.#over = over
    this.#timer = setTimeout(() => this.#wake(), delayMs)
  }

  add(sleeper: Sleeper): this {
    this.#sleepers.add(sleeper)
    return this
  }

  /** It is not to be woken any more. */
  remove(sleeper: Sleeper): void {
    if (this.#sleepers.delete(sleeper) && this.#sleepers.size === 0) this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#over()
  }

  #wake(): void {
    this.#end()
    const lateMs = performance.now() - this.#at
    for (const sleeper of this.#sleepers) sleeper.wake(lateMs)
  }
}

/**
 * Wakes many with few timers: who is to be woken at about the time that somebody else is, is woken with them. Of
 * thousands of connections each would have its own timer, of which nearly all wake it for nothing.
 */
export class SharedTimers {
  readonly #grainMs: number
  readonly #rounds = new Map<number, Round>()

  /** @param grainMs so much too early or too late somebody may be woken, in ms. */
  constructor(grainMs: number) {
    this.#grainMs = grainMs
  }

  /** @returns the round in which it is woken, once. */
  add(sleeper: Sleeper, delayMs: number): Round {
    const slot = Math.floor((performance.now() + delayMs) / this.#grainMs)
    let round = this.#rounds.get(slot)
    if (!round) {
      round = new Round(delayMs, () => this.#rounds.delete(slot))
      this.#rounds.set(slot, round)
    }
    return round.add(sleeper)
  }
}
