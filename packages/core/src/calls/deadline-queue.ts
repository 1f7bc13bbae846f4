/** Whose calls are to end in time. */
export interface TimedOwner {
  /** Whether a queue looks after them; it alone says so. */
  isWatched: boolean
  /**
   * Ends what is due.
   *
   * @param by by `performance.now()`, in ms.
   * @returns when the next of them is due, by the same; `Infinity` where none is.
   */
  endDue(by: number): number
}

/** So late may it be noticed that something is due, in ms, so that one timer serves many … */
const GRAIN_MS = 1
/** … and with many, so late as this share of their time. */
const GRAIN = 1 / 1_000

/**
 * Tells when calls have taken so many ms, of all channels whose calls may take as many. One timer waits for the first
 * that is due, when it began; whoever's calls have ended by then has later ones, or none. A call costs no timer, and no
 * place in a queue.
 */
export class DeadlineQueue {
  readonly #ms: number
  readonly #owners = new Set<TimedOwner>()
  /** How many wait. */
  #calls = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  /**
   * A call begins. Those of an owner begin one after another.
   *
   * @returns when it is due, by `performance.now()`, in whole ms; never 0.
   */
  begin(owner: TimedOwner): number {
    if (!owner.isWatched) {
      owner.isWatched = true
      this.#owners.add(owner)
    }
    if (this.#timer === undefined) this.#timer = setTimeout(this.#look, this.#ms)
    else if (this.#calls === 0) keepsAlive(this.#timer, true)
    this.#calls++
    return Math.max(1, Math.ceil(performance.now() + this.#ms))
  }

  /** A call has ended. */
  end(): void {
    // The timer stays for the next: it is soon needed again, or looks once in vain.
    if (--this.#calls === 0 && this.#timer !== undefined) keepsAlive(this.#timer, false)
  }

  /** Nothing more of an owner's begins for now: where no other has anything, the timer goes. */
  rest(owner: TimedOwner): void {
    // Nothing is due by 0: that ends none, and tells whether there are any.
    if (owner.endDue(0) < Number.POSITIVE_INFINITY) return
    this.#leave(owner)
    if (this.#calls > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #leave(owner: TimedOwner): void {
    owner.isWatched = false
    this.#owners.delete(owner)
  }

  readonly #look = (): void => {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    // Whoever is told that a call has ended may begin another: its owner is here, or comes last.
    for (const owner of this.#owners) {
      const due = owner.endDue(now + GRAIN_MS)
      if (due === Number.POSITIVE_INFINITY) this.#leave(owner)
      else next = Math.min(next, due)
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (next === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(this.#look, Math.max(next - now, this.#ms * GRAIN))
  }
}

/** By the time: one for all channels whose calls may take as long. */
const queues = new Map<number, DeadlineQueue>()

export function deadlineQueue(ms: number): DeadlineQueue {
  const queue = queues.get(ms) ?? new DeadlineQueue(ms)
  queues.set(ms, queue)
  return queue
}

/** Whether a timer keeps the process alive, where there is one: in Node. */
function keepsAlive(timer: ReturnType<typeof setTimeout>, isKept: boolean): void {
  const { ref, unref } = timer as { ref?(): void; unref?(): void }
  if (isKept) ref?.call(timer)
  else unref?.call(timer)
}
