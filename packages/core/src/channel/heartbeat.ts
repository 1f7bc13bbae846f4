/** How often to look whether the other side is alive, and how long to wait for its sign. */
export interface HeartbeatOptions {
  /** Silence, in ms, after which the other side is asked for a sign of life. Default 15,000. */
  readonly intervalMs: number
  /** How long, in ms, to wait for the sign before the connection counts as dead. Default 10,000. */
  readonly timeoutMs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 15_000, timeoutMs: 10_000 }

/** A timer that comes this much late was held up by sleep or suspension, not by the network. */
const LATE_MS = 2_000
/** How long, in ms, to wait for a sign after such a delay. */
const PROBE_MS = 3_000

export interface HeartbeatEvents {
  /** Ask the other side for a sign of life. */
  ping(): void
  /** No sign came in time. Told once. */
  dead(): void
}

/**
 * Finds out whether the other side is still alive: asks after a silence, and gives up on it when it
 * does not answer. Anything that comes in is a sign of life.
 *
 * After a sleep of the machine the timers fire late and nothing has come in meanwhile: the other
 * side is then asked once more before it is declared dead.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #events: HeartbeatEvents
  #timer: ReturnType<typeof setTimeout> | undefined
  #due = 0
  #lastHeard = now()
  #askedAt: number | undefined

  constructor(options: HeartbeatOptions, events: HeartbeatEvents) {
    this.#options = options
    this.#events = events
    this.#schedule(options.intervalMs)
  }

  /** Something came in. */
  heard(): void {
    this.#lastHeard = now()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(delay: number): void {
    this.#due = now() + delay
    this.#timer = setTimeout(() => this.#check(), delay)
  }

  #check(): void {
    const { intervalMs, timeoutMs } = this.#options
    const late = now() - this.#due > LATE_MS
    if (this.#askedAt !== undefined && this.#lastHeard < this.#askedAt) {
      if (late) return this.#ask(Math.min(PROBE_MS, timeoutMs))
      this.stop()
      return this.#events.dead()
    }
    const silence = now() - this.#lastHeard
    if (silence >= intervalMs) this.#ask(late ? Math.min(PROBE_MS, timeoutMs) : timeoutMs)
    else this.#wait(intervalMs - silence)
  }

  #ask(patience: number): void {
    this.#askedAt = now()
    this.#schedule(patience)
    this.#events.ping()
  }

  #wait(delay: number): void {
    this.#askedAt = undefined
    this.#schedule(delay)
  }
}

/** Monotonic: setting the clock makes nobody dead. */
function now(): number {
  return performance.now()
}
