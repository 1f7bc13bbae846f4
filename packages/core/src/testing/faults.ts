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
 * The faults of one connection, or of all of a proxy's: those that are open, and those to come.
 *
 * A fault stays until it is set again or healed. To set it again replaces it as a whole: a direction that is left out
 * then is free of it. Wrong options throw `RpcConfigError`.
 */
export interface Faults {
  /**
   * Latency: bytes, and the end of the connection, arrive that many ms later. At most 1 MiB is on its way in each
   * direction; then the sender must wait.
   */
  delay(options: DelayOptions): void
  /** Bandwidth: at most that many bytes per second get through; the sender must wait. */
  throttle(bytesPerSecond: EachWay<number>): void
  /**
   * Exactly so many bytes get through, counted from now, or from the begin of a later connection. Then the connection
   * is cut, as by {@link cut}. 0 cuts it at once.
   */
  cutAfter(bytes: AfterBytes): void
  /** Like {@link cutAfter}, but the connection is reset some ms later, as by {@link reset}. */
  resetAfter(bytes: AfterBytes): void
  /** Nothing gets through, and nothing is lost: all of it arrives when this ends. Default: both directions. */
  stall(directions?: EachWay<boolean>): void
  /**
   * Drops all bytes, and ends (FIN, RST), too: neither side learns of anything. A connection that has lost bytes
   * can't go on, and is reset when this ends. Default: both directions.
   */
  blackHole(directions?: EachWay<boolean>): void
  /** Ends the connection on both sides (FIN), after the bytes that have got through. Bytes on their way are lost. */
  cut(): void
  /** Resets the connection on both sides (RST): they see `ECONNRESET`. */
  reset(): void
  /** Ends every fault. Bytes that are on their way arrive at once. */
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
