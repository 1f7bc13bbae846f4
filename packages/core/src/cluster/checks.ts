import { RpcConfigError } from '../errors/errors.js'
import { kindOf } from '../errors/options.js'

/** @throws {RpcConfigError} if the name of a method that is to be called is not text. */
export function assertName(method: unknown): asserts method is string {
  if (typeof method === 'string') return
  throw new RpcConfigError(`A method's name is a string, not ${kindOf(method)}`)
}

/** Whether a value of another node is an object with members. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value of another node is an integer that a size can have. See `isCount` for numbers of 32 bits. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
