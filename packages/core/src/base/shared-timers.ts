import { MAX_TIMER_MS } from './max-timer.js'

/** Something that a timer wakes. */
export interface Sleeper {
  /** @param lateMs how much later than it was due, in ms; less than 0 if it is earlier. */
  wake(lateMs: number): void
}

/** Sleepers that are woken together. */
export class Round {
  readonly #sleepers = new Set<Sleeper>()
  readonly #at: number
  readonly #onOver: () => void
  readonly #timer: ReturnType<typeof setTimeout>
  #isOver = false

  /** @param onOver called when no more sleepers can join. */
  constructor(delayMs: number, onOver: () => void) {
    this.#at = performance.now() + delayMs
    this.#onOver = onOver
    this.#timer = setTimeout(() => this.#wake(), Math.min(delayMs, MAX_TIMER_MS))
  }

  add(sleeper: Sleeper): this {
    this.#sleepers.add(sleeper)
    return this
  }

  /** The sleeper is not woken any more. */
  remove(sleeper: Sleeper): void {
    if (this.#sleepers.delete(sleeper) && this.#sleepers.size === 0) this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#onOver()
  }

  #wake(): void {
    this.#end()
    const lateMs = performance.now() - this.#at
    for (const sleeper of this.#sleepers) sleeper.wake(lateMs)
  }
}

/**
 * Wakes many sleepers with few timers: sleepers that are due at about the same time are woken together. Otherwise each
 * of thousands of connections would have its own timer, and nearly all of them would fire for nothing.
 */
export class SharedTimers {
  readonly #grainMs: number
  readonly #rounds = new Map<number, Round>()

  /** @param grainMs how much too early or too late a sleeper may be woken, in ms. */
  constructor(grainMs: number) {
    this.#grainMs = grainMs
  }

  /** @returns the round in which the sleeper is woken, once. */
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
