import { type Round, SharedTimers, type Sleeper } from '../base/shared-timers.js'

/** How often to look whether the other side is alive, and how long to wait for its sign. */
export interface HeartbeatOptions {
  /** Silence, in ms, after which the other side is asked for a sign of life, give or take 3 %. Default 15,000. */
  readonly intervalMs: number
  /** How long, in ms, to wait for the sign, or for bytes that move, before the connection counts as dead. Default 10,000. */
  readonly timeoutMs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 15_000, timeoutMs: 10_000 }

/**
 * A timer that comes this much late, or by half the time for an answer where that is less, was held
 * up by sleep or suspension: an answer may be here already, unread.
 */
const LATE_MS = 2_000
/** How long, in ms, the other side may be busy after such a delay, in addition to its latency. */
const PROBE_MS = 3_000
/** How many times, while a sign is awaited, it is checked whether bytes move. */
const LOOKS = 4

export interface HeartbeatEvents {
  /** Ask the other side for a sign of life. */
  ping(): void
  /** No sign came in time. Told once. */
  dead(): void
  /** Whether bytes have arrived, or waiting bytes have left, since the last time it was asked. Default: not known. */
  hasMoved?(): boolean
  /** How long the other side took for its last answer, in ms. Default 0. */
  readonly latencyMs?: number
}

/**
 * Finds out whether the other side is still alive: asks after a silence, and gives up on it when it
 * does not answer. Anything that comes in is a sign of life, and so are bytes of what is not whole yet, either way:
 * the question, or its answer, may wait behind them.
 *
 * After a sleep of the machine the timers fire late and nothing has come in meanwhile: the other
 * side is then asked once more before it is declared dead.
 */
export class Heartbeat implements Sleeper {
  readonly #options: HeartbeatOptions
  readonly #events: HeartbeatEvents
  /** In which it is looked how long nothing has come. */
  #round: Round | undefined
  /** Checks, while an answer is awaited, whether bytes move and whether the time is over. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** How long an answer is awaited after the last sign of life, in ms, and when that ends. */
  #patienceMs = 0
  #deadline = 0
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
    const isWaiting = this.#asked !== 'no'
    if (isWaiting && this.#events.hasMoved?.()) this.#deadline = now() + this.#patienceMs
    // One probe, and no more: the timers of a page in the background are late for ever.
    if (this.#asked === 'probe' || (this.#asked === 'ping' && !late)) {
      if (now() < this.#deadline) return this.#look()
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
    const probeMs = PROBE_MS + (this.#events.latencyMs ?? 0)
    this.#patienceMs = kind === 'probe' ? Math.min(probeMs, timeoutMs) : timeoutMs
    this.#deadline = now() + this.#patienceMs
    this.stop()
    this.#asked = kind
    // Bytes that moved before the question are no answer to it.
    this.#events.hasMoved?.()
    this.#look()
    this.#events.ping()
  }

  #look(): void {
    const step = this.#events.hasMoved ? this.#patienceMs / LOOKS : this.#patienceMs
    const delay = Math.max(1, Math.min(step, this.#deadline - now()))
    const due = now() + delay
    this.#timer = setTimeout(() => this.wake(now() - due), delay)
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
