import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'

/** `up` is from the client to the server, `down` from the server to the client. */
export type Direction = 'up' | 'down'

/** Something of one direction, of the other, or of both. */
export interface EachWay<T> {
  /** From the client to the server. */
  readonly up?: T
  /** From the server to the client. */
  readonly down?: T
}

/** Something of each direction. */
export type BothWays<T> = Readonly<Record<Direction, T>>

/** How long bytes are on their way, in ms, in each direction. */
export interface DelayOptions extends EachWay<number> {
  /** At most this much more, in ms, at random; bytes never overtake each other. Default 0. */
  readonly jitterMs?: number
  /** The same seed jitters alike. Default 0. */
  readonly seed?: number
}

/** How many bytes still get through, in each direction. */
export interface AfterBytes extends EachWay<number> {
  /** Only the first connection that comes that far. Default false: each one. */
  readonly once?: boolean
}

/**
 * What can be done to one connection, or to all of a proxy's: those that are open, and those to come.
 *
 * A fault stays until it is set anew or healed. Setting it anew replaces it as a whole: a direction
 * that is left out then is free of it. Wrong options throw `RpcConfigError`.
 */
export interface Faults {
  /**
   * Latency: what is sent, its end included, arrives that many ms later. As much as 1 MiB is on its
   * way in each direction; then the sender has to wait.
   */
  delay(options: DelayOptions): void
  /** Bandwidth: at most that many bytes per second get through; the sender has to wait. */
  throttle(bytesPerSecond: EachWay<number>): void
  /**
   * Exactly so many bytes get through, counted from now or from where the connection begins; then it
   * is as after {@link cut}. 0 is at once.
   */
  cutAfter(bytes: AfterBytes): void
  /** The same, and then, some ms later, it is as after {@link reset}. */
  resetAfter(bytes: AfterBytes): void
  /** Nothing gets through, and nothing is lost: it all arrives, late, when this ends. Default: both. */
  stall(directions?: EachWay<boolean>): void
  /**
   * Swallows what is sent, and ends (FIN, RST) too: neither side learns of anything. A connection
   * that has lost something so can't go on, and is reset when this ends. Default: both directions.
   */
  blackHole(directions?: EachWay<boolean>): void
  /** Ends it on both sides (FIN), after what has got through. What is on its way is lost. */
  cut(): void
  /** Resets it on both sides (RST): they see `ECONNRESET`. */
  reset(): void
  /** Ends every fault. What is on its way arrives at once. */
  heal(): void
}

/** When a connection ends by a fault, and how. */
export interface Limit {
  readonly bytes: EachWay<number>
  readonly how: Ending
  readonly once: boolean
  /** Some connection has come to it. */
  reached: boolean
}

export type Ending = 'cut' | 'reset'

/** Every fault that stays. An object is replaced, not changed, so that its identity tells it's new. */
export interface FaultSettings {
  readonly delay: DelayOptions
  readonly bytesPerSecond: EachWay<number>
  readonly limit: Limit | undefined
  readonly stall: EachWay<boolean>
  readonly blackHole: EachWay<boolean>
}

export const NO_FAULTS: FaultSettings = {
  delay: {},
  bytesPerSecond: {},
  limit: undefined,
  stall: {},
  blackHole: {},
}

/** The faults as calls, each of which is checked and becomes a change of the settings. */
export abstract class FaultControls implements Faults {
  abstract apply(change: Partial<FaultSettings>): void
  abstract cut(): void
  abstract reset(): void

  delay(options: DelayOptions): void {
    assertOptions('delay', options, DELAY_OPTIONS)
    const { up, down, jitterMs = 0, seed = 0 } = options
    assertEach('delay', { up, down, jitterMs }, isDuration, 'a number of ms, 0 or more')
    if (!Number.isSafeInteger(seed)) throw wrong('delay', 'seed', 'an integer', seed)
    if (jitterMs > 0 && up === undefined && down === undefined) {
      throw new RpcConfigError(
        'delay.jitterMs needs a direction. Set delay.up, delay.down or both (0 or more)',
      )
    }
    this.apply({ delay: { ...options } })
  }

  throttle(bytesPerSecond: EachWay<number>): void {
    assertOptions('throttle', bytesPerSecond, EACH_WAY)
    const { up, down } = bytesPerSecond
    const what = 'a positive number of bytes per second; to let nothing through, use stall()'
    assertEach('throttle', { up, down }, isPositive, what)
    this.apply({ bytesPerSecond: eachWay(up, down) })
  }

  cutAfter(bytes: AfterBytes): void {
    this.apply({ limit: limitOf('cutAfter', bytes, 'cut') })
  }

  resetAfter(bytes: AfterBytes): void {
    this.apply({ limit: limitOf('resetAfter', bytes, 'reset') })
  }

  stall(directions: EachWay<boolean> = BOTH): void {
    this.apply({ stall: directionsOf('stall', directions) })
  }

  blackHole(directions: EachWay<boolean> = BOTH): void {
    this.apply({ blackHole: directionsOf('blackHole', directions) })
  }

  heal(): void {
    this.apply(NO_FAULTS)
  }
}

const BOTH = { up: true, down: true }

const EACH_WAY = { up: 'elsewhere', down: 'elsewhere' } as const satisfies OptionKinds<
  EachWay<number>
>
const DELAY_OPTIONS = {
  ...EACH_WAY,
  jitterMs: 'elsewhere',
  seed: 'elsewhere',
} as const satisfies OptionKinds<DelayOptions>
const AFTER_BYTES = { ...EACH_WAY, once: 'boolean' } as const satisfies OptionKinds<AfterBytes>

function limitOf(fault: string, bytes: AfterBytes, how: Ending): Limit {
  assertOptions(fault, bytes, AFTER_BYTES)
  const { up, down, once = false } = bytes
  assertEach(fault, { up, down }, isCount, 'an integer number of bytes, 0 or more')
  return { bytes: eachWay(up, down), how, once, reached: false }
}

function directionsOf(fault: string, directions: EachWay<boolean>): EachWay<boolean> {
  assertOptions(fault, directions, EACH_WAY)
  const { up, down } = directions
  assertEach(fault, { up, down }, (value) => typeof value === 'boolean', 'true or false')
  return eachWay(up, down)
}

function eachWay<T>(up: T | undefined, down: T | undefined): EachWay<T> {
  return { ...(up !== undefined && { up }), ...(down !== undefined && { down }) }
}

function isDuration(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}

function isPositive(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) > 0
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function assertEach(
  fault: string,
  values: Record<string, unknown>,
  isRight: (value: unknown) => boolean,
  what: string,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !isRight(value)) throw wrong(fault, name, what, value)
  }
}

function wrong(fault: string, name: string, what: string, value: unknown): RpcConfigError {
  return new RpcConfigError(`${fault}: ${name} must be ${what}. It is ${String(value)}`)
}
