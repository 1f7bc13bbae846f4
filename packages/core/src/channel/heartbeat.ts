import { type Round, SharedTimers, type Sleeper } from './shared-timers.js'

/** How often to look whether the other side is alive, and how long to wait for its sign. */
export interface HeartbeatOptions {
  /** Silence, in ms, after which the other side is asked for a sign of life, give or take 3 %. Default 15,000. */
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
export class Heartbeat implements Sleeper {
  readonly #options: HeartbeatOptions
  readonly #events: HeartbeatEvents
  /** In which it is looked how long nothing has come. */
  #round: Round | undefined
  /** Until which an answer is waited for. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastHeard = now()
  /** What is waited for: nothing yet, the answer to a ping, or that to one after a hold-up. */
  #asked: 'no' | 'ping' | 'probe' = 'no'

  constructor(options: HeartbeatOptions, events: HeartbeatEvents) {
    this.#options = options
    this.#events = events
    this.#wait(options.intervalMs)
  }

  /** Something came in. */
  heard(): void {
    this.#lastHeard = now()
    if (this.#asked !== 'no') this.#wait(this.#options.intervalMs)
  }

  stop(): void {
    this.#asked = 'no'
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#round?.remove(this)
    this.#round = undefined
  }

  /** It is time to look. */
  wake(lateMs: number): void {
    const { intervalMs, timeoutMs } = this.#options
    const late = lateMs > Math.min(LATE_MS, timeoutMs / 2)
    // One probe, and no more: the timers of a page in the background are late for ever.
    if (this.#asked === 'probe' || (this.#asked === 'ping' && !late)) {
      this.stop()
      return this.#events.dead()
    }
    const silence = now() - this.#lastHeard
    const isSilent = silence >= intervalMs - grainOf(intervalMs)
    if (this.#asked === 'ping' || isSilent) this.#ask(late ? 'probe' : 'ping')
    else this.#wait(intervalMs - silence)
  }

  #ask(kind: 'ping' | 'probe'): void {
    const { timeoutMs } = this.#options
    const delay = kind === 'probe' ? Math.min(PROBE_MS, timeoutMs) : timeoutMs
    const due = now() + delay
    this.stop()
    this.#asked = kind
    this.#timer = setTimeout(() => this.wake(now() - due), delay)
    this.#events.ping()
  }

  #wait(delay: number): void {
    this.stop()
    this.#round = timersOf(this.#options.intervalMs).add(this, delay)
  }
}

/** Those of all connections that wait as long, by that. */
const timers = new Map<number, SharedTimers>()

function timersOf(intervalMs: number): SharedTimers {
  const known = timers.get(intervalMs) ?? new SharedTimers(grainOf(intervalMs))
  timers.set(intervalMs, known)
  return known
}

/** So much sooner or later than after the whole interval may be looked, in ms. */
function grainOf(intervalMs: number): number {
  return intervalMs / 32
}

/** Monotonic: setting the clock makes nobody dead. */
function now(): number {
  return performance.now()
}
