import { assertOptions, kindOf } from './assert-options.js'
import type { Contract } from './contract.js'
import { RpcConfigError } from './errors.js'

/**
 * The arguments of a function that takes options, with or without a contract before them.
 *
 * @param where the function's name, for the text of an error.
 * @param known its options: see {@link assertOptions}.
 * @throws {RpcConfigError} if the contract is none, or an option is wrong.
 */
export function contractAndOptions<Options>(
  where: string,
  args: readonly unknown[],
  known: object,
): [Contract | undefined, Options] {
  const [first, second] = args
  if (args.length > 1) {
    assertContract(where, first)
    assertOptions(where, second, known)
    return [first, second as Options]
  }
  if (isContract(first)) {
    throw new RpcConfigError(
      `${where} needs options behind the contract: ${where}(contract, { … })`,
    )
  }
  assertOptions(where, first, known)
  return [undefined, first as Options]
}

/** @throws {RpcConfigError} if it is not what `defineContract` makes, in any copy of this library. */
export function assertContract(where: string, contract: unknown): asserts contract is Contract {
  if (isContract(contract)) return
  const why =
    contract === undefined
      ? 'it is undefined. Do two modules import each other? Define the contract in a module that imports neither of them'
      : `it is ${kindOf(contract)}. Write defineContract({ server, client })`
  throw new RpcConfigError(`The contract of ${where} is no contract: ${why}`)
}

function isContract(value: unknown): value is Contract {
  const { server, client } = (value ?? {}) as { server?: unknown; client?: unknown }
  return isObject(server) && isObject(client)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
