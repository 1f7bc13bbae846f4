import { assertOptions, kindOf, type OptionKinds } from '../assert-options.js'
import { RpcConfigError } from '../errors.js'
import { quoted } from '../quoted.js'
import type { SendOptions } from './functions.js'

/** The options of a call. */
export const CALL_OPTIONS = {
  timeout: 0,
  signal: 0,
  idempotencyKey: 0,
  input: 0,
  onProgress: 0,
} satisfies OptionKinds<SendOptions>

/**
 * Checks the names of the options of one call. It runs for each call, so it makes no objects unless a name looks wrong.
 *
 * @throws {RpcConfigError} if they are not an object, or one of them is unknown.
 */
export function assertCallOptions(method: string, options: object): void {
  const isObject = typeof options === 'object' && options !== null
  if (isObject && areKnown(options)) return
  const where = `A call of ${quoted(method)}`
  if (!isObject) {
    // Probably params that were given one by one.
    throw new RpcConfigError(
      `${where} takes an object of options; it is ${kindOf(options)}. Options come second: put all params in one object, { name: value }`,
      { method },
    )
  }
  assertOptions(where, options, CALL_OPTIONS, method)
  if ('aborted' in options) {
    throw new RpcConfigError(`${where} takes a signal as an option: write { signal }`, { method })
  }
}

/** Inherited members do not count, but are seen here, too. */
function areKnown(options: object): boolean {
  // Inherited members of the table are no 0: this is faster than to ask whether it has the name.
  for (const name in options) if (CALL_OPTIONS[name as keyof SendOptions] !== 0) return false
  return true
}
