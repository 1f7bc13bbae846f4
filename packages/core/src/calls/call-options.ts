import { RpcConfigError } from '../errors/errors.js'
import type { NearestName } from '../errors/nearest.js'
import { areKnown, checkOptions, kindOf, type OptionKinds } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import type { SendOptions } from './functions.js'

/** The options of a call. */
export const CALL_OPTIONS = {
  timeout: 'elsewhere',
  signal: 'elsewhere',
  idempotencyKey: 'elsewhere',
  input: 'elsewhere',
  onProgress: 'elsewhere',
} as const satisfies OptionKinds<SendOptions>

/**
 * Checks the names of the options of one call. It runs for each call, so it makes no objects unless a name looks wrong.
 *
 * @param nearest as for {@link checkOptions}.
 * @param more further options, by their names: those of features that only links between programs have.
 * @throws {RpcConfigError} if they are not an object, or one of them is unknown.
 */
export function assertCallOptions(
  method: string,
  options: object,
  nearest: NearestName | undefined,
  more: ReadonlyMap<string, unknown>,
): void {
  const isObject = typeof options === 'object' && options !== null
  if (isObject && areKnown(options, CALL_OPTIONS)) return
  const where = `A call of ${quoted(method)}`
  if (!isObject) {
    // Probably params that were given one by one.
    throw new RpcConfigError(
      `${where} takes an object of options, not ${kindOf(options)}. Options come second: put all params in one object, { name: value }`,
      { method },
    )
  }
  // An AbortSignal has only inherited members, which the check of the names does not find.
  if ('aborted' in options) {
    throw new RpcConfigError(`${where} takes a signal as an option: write { signal }`, { method })
  }
  const others = Object.keys(options).filter((name) => !more.has(name) || name in CALL_OPTIONS)
  const checked = Object.fromEntries(others.map((name) => [name, Reflect.get(options, name)]))
  checkOptions(where, checked, CALL_OPTIONS, nearest, method)
}
