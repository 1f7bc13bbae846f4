import { RpcConfigError } from '../errors/errors.js'
import { type NearestName, nearestName } from '../errors/nearest.js'
import { checkOptions, kindOf } from '../errors/options.js'
import type { Contract } from './contract.js'

/**
 * The arguments of a function that takes options, with or without a contract before them. The error of an unknown
 * option names the one that was probably meant.
 *
 * @param where the function's name, for the text of an error.
 * @param known its options: see {@link checkOptions}.
 * @throws {RpcConfigError} if the contract is not valid, or an option is wrong.
 */
export function contractAndOptions<Options>(
  where: string,
  args: readonly unknown[],
  known: object,
): [Contract | undefined, Options] {
  return checkedArguments(where, args, known, nearestName)
}

/**
 * As {@link contractAndOptions}.
 *
 * @param nearest finds the option that was probably meant; without it, the error lists the options.
 */
export function checkedArguments<Options>(
  where: string,
  args: readonly unknown[],
  known: object,
  nearest: NearestName | undefined,
): [Contract | undefined, Options] {
  const [first, second] = args
  if (args.length > 1) {
    assertContract(where, first)
    checkOptions(where, second, known, nearest)
    return [first, second as Options]
  }
  if (isContract(first)) {
    throw new RpcConfigError(`${where} needs options after the contract: ${where}(contract, { … })`)
  }
  checkOptions(where, first, known, nearest)
  return [undefined, first as Options]
}

/**
 * @param place how the contract is given to `where`, for the text of the error.
 * @throws {RpcConfigError} if it is not what `defineContract` makes, in any copy of this library.
 */
export function assertContract(
  where: string,
  contract: unknown,
  place = 'first',
): asserts contract is Contract {
  if (isContract(contract)) return
  const what = isObject(contract) ? 'an object without "server" and "client"' : kindOf(contract)
  const remedy =
    contract === undefined
      ? 'Do two modules import each other? Define the contract in a module that imports neither of them'
      : 'Write defineContract({ server, client })'
  throw new RpcConfigError(`${where} takes a contract ${place}, not ${what}. ${remedy}`)
}

function isContract(value: unknown): value is Contract {
  const { server, client } = (value ?? {}) as { server?: unknown; client?: unknown }
  return isObject(server) && isObject(client)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
