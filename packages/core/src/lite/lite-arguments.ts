import { assertAreFeatures, assertFeatures } from '../calls/assert-features.js'
import type { Feature } from '../calls/feature.js'
import { firstOf } from '../calls/feature-table.js'
import type { Contract } from '../contract/contract.js'
import { checkedArguments } from '../contract/contract-and-options.js'

/** What a client, a channel or an endpoint can do besides calling and answering. */
export interface FeatureOptions {
  /** Made by the functions of `@flashrpc/core/features`, such as `[streams(), sessions()]`. Default: none. */
  features?: readonly Feature[]
}

/**
 * The arguments of a function that takes options, among them `features`, with or without a contract before them.
 *
 * @param where the function's name, for the text of an error.
 * @param known its other options.
 * @param always features that it has in any case.
 * @throws {RpcConfigError} if the contract is not valid, an option is wrong, or one of them needs a feature that is
 *   missing.
 */
export function liteArguments<Options extends object>(
  where: string,
  args: readonly unknown[],
  known: object,
  always: readonly Feature[] = [],
): [Contract | undefined, Options, readonly Feature[]] {
  const { features: asked = [] } = (args.at(-1) ?? {}) as FeatureOptions
  assertAreFeatures(asked)
  const nearest = firstOf(asked, 'diagnostics')?.nearest
  const all = { ...known, features: 'elsewhere' }
  const [contract, options] = checkedArguments<Options & FeatureOptions>(where, args, all, nearest)
  const features = [...always, ...asked]
  assertFeatures(contract, options, features)
  return [contract, options, features]
}
