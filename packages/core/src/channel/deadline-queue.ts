/** What has a time by which it is to have ended; a link of a list of its like. */
export interface Timed {
  /** By `performance.now()`, in whole ms: many of them are held. */
  dueAt: number
  earlier: Timed | undefined
  later: Timed | undefined
  queue: DeadlineQueue | undefined
  /** Told when it is due, once; it is out of the queue by then. */
  readonly owner: TimedOwner
}

export interface TimedOwner {
  overdue(item: Timed): void
}

/** So late may it be noticed that something is due, in ms, so that one timer serves many. */
const GRAIN_MS = 1

/**
 * Tells when something has taken so many ms, of all that may take as many: who comes later is due later, and one
 * timer waits for the first. Most never become due, and cost no timer of their own.
 */
export class DeadlineQueue {
  readonly #ms: number
  #first: Timed | undefined
  #last: Timed | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  add(item: Timed): void {
    item.dueAt = Math.ceil(performance.now() + this.#ms)
    item.queue = this
    if (this.#last) {
      item.earlier = this.#last
      this.#last.later = item
    } else {
      this.#first = item
      if (this.#timer === undefined) this.#timer = setTimeout(this.#look, this.#ms)
      else keepsAlive(this.#timer, true)
    }
    this.#last = item
  }

  remove(item: Timed): void {
    if (item.queue !== this) return
    const { earlier, later } = item
    if (earlier) earlier.later = later
    else this.#first = later
    if (later) later.earlier = earlier
    else this.#last = earlier
    item.queue = undefined
    item.earlier = undefined
    item.later = undefined
    // The timer stays for the next: it is soon needed again, or looks once in vain.
    if (!this.#first && this.#timer !== undefined) keepsAlive(this.#timer, false)
  }

  /** Nothing more is added for now: where it is empty, its timer goes. */
  rest(): void {
    if (this.#first) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #look = (): void => {
    this.#timer = undefined
    const now = performance.now() + GRAIN_MS
    while (this.#first && this.#first.dueAt <= now) {
      const item = this.#first
      this.remove(item)
      item.owner.overdue(item)
    }
    // Whoever was told may have added one, and a timer for it.
    if (!this.#first || this.#timer !== undefined) return
    this.#timer = setTimeout(this.#look, this.#first.dueAt - performance.now())
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
