import { MAX_TIMER_MS } from '../base/max-timer.js'
import { RpcConfigError } from './errors.js'

/** What else a count may be, besides a positive integer. */
export interface CountBounds {
  /** Whether `Infinity` is allowed. */
  orInfinity?: boolean
  /** The largest value; `timer`: the longest timer, in ms. */
  most?: number | 'timer' | undefined
}

/**
 * @param name of the option, for the text of the error.
 * @throws {RpcConfigError} naming the option, if it is not a positive integer within its bounds.
 */
export function assertCount(
  name: string,
  value: unknown,
  { orInfinity = false, most }: CountBounds = {},
): number {
  const isLarge = isPositiveInteger(value) && most !== undefined && value > mostOf(most)
  if (isPositiveInteger(value) && !isLarge) return value
  if (orInfinity && value === Number.POSITIVE_INFINITY) return value
  const upTo = most === 'timer' ? ' below 2³¹' : most === undefined ? '' : `, ${most} at the most`
  throw wrong(name, `a positive integer${orInfinity ? ', or Infinity' : ''}${upTo}`, value)
}

/** @throws {RpcConfigError} naming the option, if it is not a number of ms, 0 or more. */
export function assertDuration(name: string, ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0) return ms
  throw wrong(name, 'a number of ms, 0 or more', ms)
}

/** @throws {RpcConfigError} naming the option, if it is not a positive integer of ms. */
export function assertMs(name: string, ms: unknown): number {
  if (isPositiveInteger(ms)) return ms
  throw wrong(name, 'a positive number of ms', ms)
}

/** @throws {RpcConfigError} naming the option, if it is not a number, 0 or more. */
export function assertNotNegative(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value
  throw wrong(name, 'a number, 0 or more', value)
}

/** @throws {RpcConfigError} naming the option, if it is not a part of a whole: above 0, and up to 1. */
export function assertShare(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw wrong(name, 'a number above 0 and up to 1', value)
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0
}

function mostOf(most: number | 'timer'): number {
  return most === 'timer' ? MAX_TIMER_MS : most
}

function wrong(name: string, what: string, value: unknown): RpcConfigError {
  return new RpcConfigError(`${name} must be ${what}. It is ${String(value)}`)
}
