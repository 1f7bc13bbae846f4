/** How often to look whether the other side is alive, and how long to wait for its sign. */
export interface HeartbeatOptions {
  /** Silence, in ms, after which the other side is asked for a sign of life. Default 15,000. */
  readonly intervalMs: number
  /** How long, in ms, to wait for the sign before the connection counts as dead. Default 10,000. */
  readonly timeoutMs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 15_000, timeoutMs: 10_000 }

/**
 * A timer that comes this much late, or by half the time for an answer where that is less, was held
 * up by sleep or suspension: an answer may be here already, unread.
 */
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
  /** What is waited for: nothing yet, the answer to a ping, or that to one after a hold-up. */
  #asked: 'no' | 'ping' | 'probe' = 'no'

  constructor(options: HeartbeatOptions, events: HeartbeatEvents) {
    this.#options = options
    this.#events = events
    this.#schedule(options.intervalMs)
  }

  /** Something came in. */
  heard(): void {
    this.#lastHeard = now()
    if (this.#asked !== 'no') this.#wait(this.#options.intervalMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#asked = 'no'
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer)
    this.#due = now() + delay
    this.#timer = setTimeout(() => this.#check(), delay)
  }

  #check(): void {
    const { intervalMs, timeoutMs } = this.#options
    const late = now() - this.#due > Math.min(LATE_MS, timeoutMs / 2)
    // One probe, and no more: the timers of a page in the background are late for ever.
    if (this.#asked === 'probe' || (this.#asked === 'ping' && !late)) {
      this.stop()
      return this.#events.dead()
    }
    const silence = now() - this.#lastHeard
    if (this.#asked === 'ping' || silence >= intervalMs) this.#ask(late ? 'probe' : 'ping')
    else this.#wait(intervalMs - silence)
  }

  #ask(kind: 'ping' | 'probe'): void {
    const { timeoutMs } = this.#options
    this.#asked = kind
    this.#schedule(kind === 'probe' ? Math.min(PROBE_MS, timeoutMs) : timeoutMs)
    this.#events.ping()
  }

  #wait(delay: number): void {
    this.#asked = 'no'
    this.#schedule(delay)
  }
}

/** Monotonic: setting the clock makes nobody dead. */
function now(): number {
  return performance.now()
}
