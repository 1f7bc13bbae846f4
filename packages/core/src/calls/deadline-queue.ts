/** Has calls that end when their time has run out. */
export interface TimedOwner {
  /** Whether a queue watches its calls; only the queue sets it. */
  isWatched: boolean
  /**
   * Ends the calls that are due.
   *
   * @param by the time, by `performance.now()`, in ms.
   * @returns the time at which the next call is due; `Infinity` if there is none.
   */
  endDue(by: number): number
}

/** Calls that are due within this time, in ms, end together, so that one timer serves many calls. */
const GRAIN_MS = 1
/** The timer waits at least this share of the calls' time, so a call may end late by as much. */
const GRAIN = 1 / 1_000

/**
 * Ends calls after a fixed time, for all channels whose calls may take this time. One timer is set for the first call
 * that is due. When it fires, it looks at the calls that are still open, and is set again for the next. A call needs no
 * timer of its own, and no place in a queue.
 */
export class DeadlineQueue {
  readonly #ms: number
  readonly #owners = new Set<TimedOwner>()
  /** How many calls are open. */
  #calls = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  /**
   * A call begins. The calls of an owner must begin one after another.
   *
   * @returns the time at which it is due, by `performance.now()`, in whole ms; never 0.
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
    // The timer is kept for the next call: it is needed again soon, or fires once with nothing to do.
    if (--this.#calls === 0 && this.#timer !== undefined) keepsAlive(this.#timer, false)
  }

  /** No more calls of an owner begin for now. If no other owner has a call, the timer is removed. */
  rest(owner: TimedOwner): void {
    // No call is due at 0: this ends none, and returns whether there are any.
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
    // A program that learns that a call has ended may begin another: its owner is still here, or is added at the end.
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

/** The queues by their times: one for all channels whose calls may take the same time. */
const queues = new Map<number, DeadlineQueue>()

export function deadlineQueue(ms: number): DeadlineQueue {
  const queue = queues.get(ms) ?? new DeadlineQueue(ms)
  queues.set(ms, queue)
  return queue
}

/** Sets whether a timer keeps the process alive, if timers can (in Node). */
function keepsAlive(timer: ReturnType<typeof setTimeout>, isKept: boolean): void {
  const { ref, unref } = timer as { ref?(): void; unref?(): void }
  if (isKept) ref?.call(timer)
  else unref?.call(timer)
}
