import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { keyParams } from './key-params.js'

/** The first members of every key, unless `keyPrefix` names others. */
const PREFIX: readonly unknown[] = ['flashrpc']

/** The options of `rpcQueryKey`. */
export interface RpcQueryKeyOptions {
  /**
   * The first members of the key. Give each client another one if a query client has queries of several. Default
   * `['flashrpc']`.
   */
  keyPrefix?: readonly unknown[] | undefined
}

export const QUERY_KEY_OPTIONS = {
  keyPrefix: 'list',
} as const satisfies OptionKinds<RpcQueryKeyOptions>

/** The key of a query of TanStack Query. */
export type RpcQueryKey = readonly unknown[]

/**
 * The key of a call's query: `[...keyPrefix, method, params]`. Without params, it is a prefix of the keys of all
 * queries of the method, and without a method of all queries: for `invalidateQueries` and similar functions.
 *
 * TanStack Query compares keys as JSON. Values that JSON can't express (bytes, `bigint`, `Map`, `Set`, `NaN`) are
 * written in their own way in the key, so that equal params make equal keys. An instance of a class without `toJSON`
 * makes a key of its own.
 *
 * @throws {RpcConfigError} if params contain themselves, or an option is wrong.
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
