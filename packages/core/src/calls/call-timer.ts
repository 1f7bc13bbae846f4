import { MAX_TIMER_MS } from '../base/max-timer.js'
import { RpcConfigError } from '../errors/errors.js'
import type { NearestName } from '../errors/nearest.js'
import { areKnown, checkOptions, type OptionKinds } from '../errors/options.js'

/**
 * How long a call waits, in ms; `Infinity` waits for ever. A number is the same as `total`, the time for the whole
 * call. `idle` limits the time without a sign of life of the call: progress, an item, or, if the call has input, the
 * other side taking items.
 */
export type Timeout =
  | number
  | {
      /** The longest time without a sign of life of the call, in ms. Default: no limit. */
      readonly idle?: number
      /** The longest time for the whole call, in ms. Default: no limit. */
      readonly total?: number
    }

/** A timeout with both members present. */
export interface TimeLimits {
  readonly idle: number
  readonly total: number
}

const LIMITS = { idle: 'elsewhere', total: 'elsewhere' } as const satisfies OptionKinds<TimeLimits>

/** The part of a call that its timer needs. */
interface TimedCall {
  /** Whether the other side can't show a sign of life because this side holds it up. */
  readonly isHeldUp: boolean
}

/** Calls a function once, when a call has taken too long or has shown no sign of life for too long. */
export class CallTimer {
  readonly #idleMs: number
  readonly #call: TimedCall
  readonly #runOut: (which: keyof TimeLimits) => void
  #heardAt = performance.now()
  #total: ReturnType<typeof setTimeout> | undefined
  #idle: ReturnType<typeof setTimeout> | undefined

  /** @param runOut called once, with the limit that was exceeded. */
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

  /** Records a sign of life. It needs no new timer: the timer that runs reads the time of the last sign. */
  touch(): void {
    this.#heardAt = performance.now()
  }

  /**
   * A timer may fire a little early. The time is checked again, so that all programs with the same deadline agree that
   * it has passed.
   */
  #waitUntil(endsAt: number): void {
    this.#total = setTimeout(() => {
      if (performance.now() < endsAt) this.#waitUntil(endsAt)
      else this.#runOut('total')
    }, endsAt - performance.now())
  }

  #watch(ms: number): void {
    this.#idle = setTimeout(() => this.#checkIdle(), ms)
  }

  #checkIdle(): void {
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
 * @param nearest as for {@link checkOptions}.
 * @returns the two limits, checked; a limit that is left out is `Infinity`.
 * @throws {RpcConfigError} if it is neither a number of ms nor an object of such numbers.
 */
export function readTimeout(
  method: string | undefined,
  timeout: unknown,
  nearest: NearestName | undefined,
): TimeLimits {
  const isObject = typeof timeout === 'object' && timeout !== null
  if (isObject && (Array.isArray(timeout) || !areKnown(timeout, LIMITS))) {
    checkOptions(nameOf(method), timeout, LIMITS, nearest, method)
  }
  const { idle = Number.POSITIVE_INFINITY, total = Number.POSITIVE_INFINITY } = isObject
    ? (timeout as { idle?: unknown; total?: unknown })
    : { total: timeout }
  if (isDuration(idle) && isDuration(total)) return { idle, total }
  throw new RpcConfigError(
    `${nameOf(method)} must be a number of ms, Infinity, or { idle, total } of such numbers. It is ${describe(timeout)}`,
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
