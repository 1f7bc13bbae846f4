import { MAX_TIMER_MS } from '../base/max-timer.js'
import { areKnown, assertOptions, type OptionKinds } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'

/**
 * How long a call waits, in ms; `Infinity` waits for ever. A number is the whole of it, `total`; `idle`
 * bounds the time without a sign of life of the call: progress, an item, or, where items go along,
 * the other side taking them.
 */
export type Timeout = number | { readonly idle?: number; readonly total?: number }

/** The same, with what was left out. */
export interface TimeLimits {
  readonly idle: number
  readonly total: number
}

const LIMITS = { idle: 'elsewhere', total: 'elsewhere' } as const satisfies OptionKinds<TimeLimits>

/** As much of a call as its timer needs. */
interface TimedCall {
  /** Whether it is this side that keeps the other from showing any sign. */
  readonly isHeldUp: boolean
}

/** Runs out, once, when a call has taken too long, or has shown no sign of life for too long. */
export class CallTimer {
  readonly #idleMs: number
  readonly #call: TimedCall
  readonly #runOut: (which: keyof TimeLimits) => void
  #heardAt = performance.now()
  #total: ReturnType<typeof setTimeout> | undefined
  #idle: ReturnType<typeof setTimeout> | undefined

  /** @param runOut told once, of which of the two it was. */
  constructor(
    { idle, total }: TimeLimits,
    call: TimedCall,
    runOut: (which: keyof TimeLimits) => void,
  ) {
    this.#idleMs = idle
    this.#call = call
    this.#runOut = runOut
    if (total <= MAX_TIMER_MS) this.#waitUntil(performance.now() + total)
    if (idle <= MAX_TIMER_MS && idle < total) this.#watch(idle)
  }

  /** A sign of life. Costs no timer: the one there is looks back at it. */
  touch(): void {
    this.#heardAt = performance.now()
  }

  /**
   * A timer may fire a little early. The time is checked again, so that all who watch the same deadline agree that it
   * is over.
   */
  #waitUntil(endsAt: number): void {
    this.#total = setTimeout(() => {
      if (performance.now() < endsAt) this.#waitUntil(endsAt)
      else this.#runOut('total')
    }, endsAt - performance.now())
  }

  #watch(ms: number): void {
    this.#idle = setTimeout(() => this.#lookBack(), ms)
  }

  #lookBack(): void {
    const left = this.#call.isHeldUp
      ? this.#idleMs
      : this.#heardAt + this.#idleMs - performance.now()
    if (left > 0) this.#watch(left)
    else this.#runOut('idle')
  }

  stop(): void {
    clearTimeout(this.#total)
    clearTimeout(this.#idle)
  }
}

/**
 * @param method the call's method; undefined if the timeout is that of all calls.
 * @returns the two limits, checked; what is left out is not bounded.
 * @throws {RpcConfigError} if it is neither a number of ms nor an object of such.
 */
export function readTimeout(method: string | undefined, timeout: unknown): TimeLimits {
  const isObject = typeof timeout === 'object' && timeout !== null
  if (isObject && (Array.isArray(timeout) || !areKnown(timeout, LIMITS))) {
    assertOptions(nameOf(method), timeout, LIMITS, method)
  }
  const { idle = Number.POSITIVE_INFINITY, total = Number.POSITIVE_INFINITY } = isObject
    ? (timeout as { idle?: unknown; total?: unknown })
    : { total: timeout }
  if (isDuration(idle) && isDuration(total)) return { idle, total }
  throw new RpcConfigError(
    `${nameOf(method)} must be a number of ms, or Infinity, or { idle, total } of such; it is ${describe(timeout)}`,
    { method },
  )
}

function nameOf(method: string | undefined): string {
  return method === undefined ? 'timeout' : `The timeout of "${method}"`
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}

function describe(timeout: unknown): string {
  return typeof timeout === 'object' && timeout !== null ? JSON.stringify(timeout) : String(timeout)
}
