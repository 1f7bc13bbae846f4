import { keyParams } from './key-params.js'

/** What every key of ours begins with, where nothing else is said. */
const PREFIX: readonly unknown[] = ['flashrpc']

export interface RpcQueryKeyOptions {
  /**
   * What the key begins with: give each client another one, where a query client has queries of several.
   * Default `['flashrpc']`.
   */
  keyPrefix?: readonly unknown[] | undefined
}

export type RpcQueryKey = readonly unknown[]

/**
 * The key of a call's query: `[...keyPrefix, method, params]`. Without params, it begins the keys of all
 * queries of the method, and without a method those of all: for `invalidateQueries` and the like.
 *
 * TanStack Query compares keys as JSON. What has no word there (bytes, `bigint`, `Map`, `Set`, `NaN`) has one in the key,
 * so that params which say the same make the same key. An instance of a class without `toJSON` makes a key of its own.
 *
 * @throws {RpcConfigError} where params hold themselves.
 */
export function rpcQueryKey(
  method?: string,
  params?: unknown,
  { keyPrefix = PREFIX }: RpcQueryKeyOptions = {},
): RpcQueryKey {
  if (method === undefined) return keyPrefix
  return params === undefined
    ? [...keyPrefix, method]
    : [...keyPrefix, method, keyParams(method, params)]
}
