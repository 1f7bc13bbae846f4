import type { AnyClient, At, Client, MethodName, ResultOf, RpcError } from '@flashrpc/core'
import { assertOptions } from '@flashrpc/core/internal'
import {
  type QueryKeyWithDataTag,
  queryOptions,
  type SkipToken,
  skipToken,
  type UndefinedInitialDataOptions,
  type UnusedSkipTokenOptions,
} from '@tanstack/react-query'
import { tracedTo } from '../call-trace.js'
import type { ParamsAnd, ParamsOf } from '../params.js'
import { type Cached, QUERY_CALL_OPTIONS, type RpcQueryCallOptions } from './call-types.js'
import { type RpcQueryKey, rpcQueryKey } from './query-key.js'

type Data<Remote, K> = Cached<ResultOf<At<Remote, K>>>

/**
 * A method's call as options of `useQuery`, `useSuspenseQuery`, `prefetchQuery` and so on. The call is cancelled when
 * nothing observes the query any more. A result `undefined` is cached as null. With `skipToken` in place of the
 * params, nothing is called.
 *
 * While there is no connection, the call waits for one within its timeout, so that `retry` need not cover that.
 *
 * @example
 * const { data } = useQuery(rpcQueryOptions(client, 'add', { a: 5, b: 10 }))
 */
export function rpcQueryOptions<Local, Remote, K extends MethodName<Remote>>(
  client: Client<Local, Remote>,
  method: K,
  ...args: ParamsAnd<ParamsOf<At<Remote, K>>, RpcQueryCallOptions>
): UnusedSkipTokenOptions<Data<Remote, K>, RpcError, Data<Remote, K>, RpcQueryKey> &
  QueryKeyWithDataTag<RpcQueryKey, Data<Remote, K>, RpcError>
export function rpcQueryOptions<Local, Remote, K extends MethodName<Remote>>(
  client: Client<Local, Remote>,
  method: K,
  params: ParamsOf<At<Remote, K>> | SkipToken,
  options?: RpcQueryCallOptions,
): UndefinedInitialDataOptions<Data<Remote, K>, RpcError, Data<Remote, K>, RpcQueryKey> &
  QueryKeyWithDataTag<RpcQueryKey, Data<Remote, K>, RpcError>
export function rpcQueryOptions(
  client: AnyClient,
  method: string,
  params?: unknown,
  queryCallOptions: RpcQueryCallOptions = {},
): object {
  assertOptions('rpcQueryOptions', queryCallOptions, QUERY_CALL_OPTIONS, method)
  const { keyPrefix, ...options } = queryCallOptions
  const isSkipped = params === skipToken
  const traced = isSkipped ? {} : tracedTo(client, rpcQueryOptions)
  return queryOptions({
    queryKey: rpcQueryKey(method, isSkipped ? undefined : params, { keyPrefix }),
    queryFn: isSkipped
      ? skipToken
      : async ({ signal }) =>
          (await client.call(method, params, { ...options, ...traced, signal })) ?? null,
  })
}
