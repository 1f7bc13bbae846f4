import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { keyParams } from './key-params.js'

/** What every key of ours begins with, unless `keyPrefix` says something else. */
const PREFIX: readonly unknown[] = ['flashrpc']

/** The options of `rpcQueryKey`. */
export interface RpcQueryKeyOptions {
  /**
   * What the key begins with: give each client another one if a query client has queries of several.
   * Default `['flashrpc']`.
   */
  keyPrefix?: readonly unknown[] | undefined
}

export const QUERY_KEY_OPTIONS = {
  keyPrefix: 'list',
} as const satisfies OptionKinds<RpcQueryKeyOptions>

/** The key of a query of TanStack Query. */
export type RpcQueryKey = readonly unknown[]

/**
 * The key of a call's query: `[...keyPrefix, method, params]`. Without params, it begins the keys of all
 * queries of the method, and without a method those of all: for `invalidateQueries` and the like.
 *
 * TanStack Query compares keys as JSON. What has no word there (bytes, `bigint`, `Map`, `Set`, `NaN`) has one in the key,
 * so that params which say the same make the same key. An instance of a class without `toJSON` makes a key of its own.
 *
 * @throws {RpcConfigError} if params hold themselves, or an option is wrong.
 */
export function rpcQueryKey(
  method?: string,
  params?: unknown,
  options: RpcQueryKeyOptions = {},
): RpcQueryKey {
  assertOptions('rpcQueryKey', options, QUERY_KEY_OPTIONS)
  const { keyPrefix = PREFIX } = options
  if (method === undefined) return keyPrefix
  return params === undefined
    ? [...keyPrefix, method]
    : [...keyPrefix, method, keyParams(method, params)]
}
