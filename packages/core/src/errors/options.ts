import { RpcConfigError } from './errors.js'
import type { NearestName } from './nearest.js'

/** What the value of an option must be, in the words of an error. */
const KINDS = {
  boolean: 'true or false',
  function: 'a function',
  functions: 'a function, or an array of functions',
  list: 'an array',
  number: 'a number',
  object: 'an object',
  string: 'a string',
}

/** What the value of an option must be. `elsewhere`: the value is checked by the code that uses it. */
export type OptionKind = keyof typeof KINDS | 'elsewhere'

/** Also of a union: an option of one of its types is an option. */
type NameOf<Options> = Options extends unknown ? keyof Options : never

/**
 * The names of all options of a type, with the kinds of their values. `satisfies OptionKinds<Options>` keeps a new
 * option from being forgotten. The options named in `Left` are not allowed. Their value in the table is undefined, which
 * removes them from a table that was copied into this one.
 */
export type OptionKinds<Options, Left extends string = never> = {
  readonly [K in NameOf<Options>]-?: OptionKind
} & { readonly [K in Left]: undefined }

/**
 * Checks an object of options: each of its own enumerable members must be a known option, also if its value is
 * undefined, and the options must be of their kinds.
 *
 * @param where whose options they are, for the text of the error: a function, or the option that is an object.
 * @param known the options: {@link OptionKinds}, or defaults of all of them.
 * @param nearest finds the known option that was probably meant; without it, the error lists the options.
 * @param method the method that they are about, if there is one.
 * @throws {RpcConfigError} naming the option and, if there is one, the known option that was probably meant.
 */
export function checkOptions(
  where: string,
  options: unknown,
  known: object,
  nearest: NearestName | undefined,
  method?: string,
): void {
  const kinds = known as Readonly<Record<string, unknown>>
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new RpcConfigError(`${where} takes an object of options, not ${kindOf(options)}`, {
      method,
    })
  }
  const names = Object.keys(kinds).filter((name) => kinds[name] !== undefined)
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw unknownOption(where, name, names, nearest, method)
  }
  for (const name of names) {
    const kind = kinds[name]
    const value: unknown = (options as Readonly<Record<string, unknown>>)[name]
    if (value === undefined || !isKind(kind) || isOf(value, kind)) continue
    const what = KINDS[kind]
    throw new RpcConfigError(`${where}: ${name} must be ${what}, not ${kindOf(value)}`, {
      method,
    })
  }
}

/**
 * The fast check of the names of options. It makes no objects. If it returns false, {@link checkOptions} finds out which
 * name is wrong, if any: inherited members are seen here, and do not count there.
 *
 * @param known a table in which all kinds are `elsewhere`.
 */
export function areKnown(options: object, known: object): boolean {
  const kinds = known as Readonly<Record<string, unknown>>
  // Members that the table inherits have other values: this is faster than to ask whether it has the name.
  for (const name in options) if (kinds[name] !== 'elsewhere') return false
  return true
}

/** @throws {RpcConfigError} if it is not a function. */
export function assertFunction(where: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new RpcConfigError(`${where} takes a function, not ${kindOf(value)}`)
}

/** Says that there is no such option, and which one was probably meant. */
function unknownOption(
  where: string,
  name: string,
  names: string[],
  nearest: NearestName | undefined,
  method: string | undefined,
): RpcConfigError {
  const meant = nearest?.(name, names)
  const remedy = meant === undefined ? `It has ${names.join(', ')}` : `Did you mean "${meant}"?`
  return new RpcConfigError(`${where} has no option "${name}". ${remedy}`, { method })
}

/**
 * @param defaults of all options that there are.
 * @param nearest as for {@link checkOptions}.
 * @returns the options with their defaults, in place of those that are missing or undefined.
 * @throws {RpcConfigError} as {@link checkOptions}.
 */
export function withDefaults<Options extends object>(
  where: string,
  options: Partial<Options> = {},
  defaults: Options,
  nearest: NearestName | undefined,
): Options {
  checkOptions(where, options, defaults, nearest)
  const all = { ...defaults }
  for (const name of Object.keys(defaults) as (keyof Options)[]) {
    const value = options[name]
    // Null does not stand for the default: the code that checks the value refuses it.
    if (value !== undefined) all[name] = value
  }
  return all
}

/** The functions of an option that is a function, or an array of functions. */
export function listOf<T>(option: T | readonly T[] | undefined): readonly T[] {
  if (option === undefined) return NONE
  return Array.isArray(option) ? option : [option as T]
}

const NONE: readonly never[] = []

/** What a wrong value is, for an error: "a number", "an array". The value itself may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  const type = typeof value
  return `${type === 'object' ? 'an' : 'a'} ${type}`
}

function isKind(kind: unknown): kind is keyof typeof KINDS {
  return typeof kind === 'string' && kind !== 'elsewhere'
}

function isOf(value: unknown, kind: string): boolean {
  if (kind === 'functions') {
    return typeof value === 'function' || (Array.isArray(value) && value.every(isFunction))
  }
  return kind === 'list' ? Array.isArray(value) : value !== null && typeof value === kind
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
