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
 * TanStack Query compares keys as JSON: params that are no JSON (a `bigint`, bytes) make no key.
 */
export function rpcQueryKey(
  method?: string,
  params?: unknown,
  { keyPrefix = PREFIX }: RpcQueryKeyOptions = {},
): RpcQueryKey {
  if (method === undefined) return keyPrefix
  return params === undefined ? [...keyPrefix, method] : [...keyPrefix, method, params]
}
