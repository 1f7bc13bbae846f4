import { MAX_TIMER_MS } from '../base/max-timer.js'
import { type Round, SharedTimers, type Sleeper } from '../base/shared-timers.js'

/** How often to check whether the other side is alive, and how long to wait for its sign of life. */
export interface HeartbeatOptions {
  /** Silence, in ms, after which the other side is asked for a sign of life, give or take 3 %. Default 15,000. */
  readonly intervalMs: number
  /**
   * How long, in ms, to wait for the sign of life, or for bytes that move, before the connection counts as dead.
   * Default 10,000.
   */
  readonly timeoutMs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatOptions = { intervalMs: 15_000, timeoutMs: 10_000 }

/**
 * A timer that fires this late, or late by half the time for an answer if that is less, was delayed by sleep or
 * suspension. An answer may have arrived already and be unread.
 */
const LATE_MS = 2_000
/** How long, in ms, the other side may be busy after such a delay, beyond its latency. */
const PROBE_MS = 3_000
/** How many times it is checked whether bytes move while a sign of life is awaited. */
const CHECKS = 4

export interface HeartbeatEvents {
  /** Ask the other side for a sign of life. */
  ping(): void
  /** No sign of life came in time. Called once. */
  dead(): void
  /** Whether bytes have arrived, or waiting bytes have left, since the last time it was asked. Default: not known. */
  hasMoved?(): boolean
  /** How long the other side took for its last answer, in ms. Default 0. */
  readonly latencyMs?: number
}

/**
 * Finds out whether the other side is still alive: it sends a ping after a silence, and reports the other side dead if
 * no answer comes. Every incoming frame is a sign of life. So are bytes of an unfinished message, in either direction,
 * because the ping or its answer may wait behind them.
 *
 * After a sleep of the machine, the timers fire late and nothing has come in meanwhile. Then the other side is asked
 * once more before it is reported dead.
 */
export class Heartbeat implements Sleeper {
  readonly #options: HeartbeatOptions
  readonly #events: HeartbeatEvents
  /** The round of shared timers in which the silence is checked. */
  #round: Round | undefined
  /** Checks, while an answer is awaited, whether bytes move and whether the time is over. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** How long to wait for an answer after the last sign of life, in ms, and when that time ends. */
  #answerTimeoutMs = 0
  #deadline = 0
  #lastReceived = now()
  /** What is awaited: nothing, the answer to a ping, or the answer to a ping after a delay. */
  #asked: 'no' | 'ping' | 'probe' = 'no'

  constructor(options: HeartbeatOptions, events: HeartbeatEvents) {
    this.#options = options
    this.#events = events
    this.#wait(options.intervalMs)
  }

  /** Something came in. */
  received(): void {
    this.#lastReceived = now()
    if (this.#asked !== 'no') this.#wait(this.#options.intervalMs)
  }

  stop(): void {
    this.#asked = 'no'
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#round?.remove(this)
    this.#round = undefined
  }

  /** It is time to check. */
  wake(lateMs: number): void {
    const { intervalMs, timeoutMs } = this.#options
    const late = lateMs > Math.min(LATE_MS, timeoutMs / 2)
    const isWaiting = this.#asked !== 'no'
    if (isWaiting && this.#events.hasMoved?.()) this.#deadline = now() + this.#answerTimeoutMs
    // Only one probe, because the timers of a page in the background are always late.
    if (this.#asked === 'probe' || (this.#asked === 'ping' && !late)) {
      if (now() < this.#deadline) return this.#checkLater()
      this.stop()
      return this.#events.dead()
    }
    const silence = now() - this.#lastReceived
    const isSilent = silence >= intervalMs - grainOf(intervalMs)
    if (this.#asked === 'ping' || isSilent) this.#ask(late ? 'probe' : 'ping')
    else this.#wait(intervalMs - silence)
  }

  #ask(kind: 'ping' | 'probe'): void {
    const { timeoutMs } = this.#options
    const probeMs = PROBE_MS + (this.#events.latencyMs ?? 0)
    this.#answerTimeoutMs = kind === 'probe' ? Math.min(probeMs, timeoutMs) : timeoutMs
    this.#deadline = now() + this.#answerTimeoutMs
    this.stop()
    this.#asked = kind
    // Bytes that moved before the ping are not an answer to it.
    this.#events.hasMoved?.()
    this.#checkLater()
    this.#events.ping()
  }

  #checkLater(): void {
    const step = this.#events.hasMoved ? this.#answerTimeoutMs / CHECKS : this.#answerTimeoutMs
    const delay = Math.max(1, Math.min(step, this.#deadline - now(), MAX_TIMER_MS))
    const due = now() + delay
    this.#timer = setTimeout(() => this.wake(now() - due), delay)
  }

  #wait(delay: number): void {
    this.stop()
    this.#round = timersOf(this.#options.intervalMs).add(this, delay)
  }
}

/** The shared timers of all connections, by their interval. */
const timers = new Map<number, SharedTimers>()

function timersOf(intervalMs: number): SharedTimers {
  const known = timers.get(intervalMs) ?? new SharedTimers(grainOf(intervalMs))
  timers.set(intervalMs, known)
  return known
}

/** How much earlier or later than the interval a check may come, in ms. */
function grainOf(intervalMs: number): number {
  return intervalMs / 32
}

/** Monotonic, so that a change of the clock ends no connection. */
function now(): number {
  return performance.now()
}
