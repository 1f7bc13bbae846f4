import type { AnyClient, At, Client, ItemOf, RpcError, StreamName } from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import {
  type QueryKeyWithDataTag,
  queryOptions,
  experimental_streamedQuery as streamedQuery,
  type UnusedSkipTokenOptions,
} from '@tanstack/react-query'
import { tracedTo } from '../call-trace.js'
import { newest } from '../newest.js'
import type { ParamsAnd, ParamsOf } from '../params.js'
import { QUERY_CALL_OPTIONS, type RpcQueryCallOptions } from './call-types.js'
import { type RpcQueryKey, rpcQueryKey } from './query-key.js'

/** How a stream fills a query. */
export interface RpcStreamedQueryOptions extends RpcQueryCallOptions {
  /** How many of the newest items are cached. Default: all. Each item copies what is kept. */
  keep?: number
  /**
   * What a refetch does with the items: `reset` removes them and is pending until the first new one comes, `append`
   * adds to them, `replace` keeps them until the new stream has ended. Default `reset`.
   */
  refetchMode?: 'append' | 'reset' | 'replace'
}

const STREAMED_QUERY_OPTIONS = {
  ...QUERY_CALL_OPTIONS,
  keep: 'number',
  refetchMode: 'string',
} as const satisfies OptionKinds<RpcStreamedQueryOptions>

/** The data of a stream's query: its items. */
export type Items<Remote, K> = ItemOf<At<Remote, K>>[]

/**
 * A stream as options of `useQuery`: its data are the items that have come. It is pending until the first one, and
 * fetching until the stream ends, which nobody observing it any more does, too.
 *
 * @example
 * const { data: ticks = [] } = useQuery(rpcStreamedQueryOptions(client, 'ticks', { everyMs: 100 }, { keep: 50 }))
 */
export function rpcStreamedQueryOptions<Local, Remote, K extends StreamName<Remote>>(
  client: Client<Local, Remote>,
  method: K,
  ...args: ParamsAnd<ParamsOf<At<Remote, K>>, RpcStreamedQueryOptions>
): UnusedSkipTokenOptions<Items<Remote, K>, RpcError, Items<Remote, K>, RpcQueryKey> &
  QueryKeyWithDataTag<RpcQueryKey, Items<Remote, K>, RpcError>
export function rpcStreamedQueryOptions(
  client: AnyClient,
  method: string,
  params?: unknown,
  streamedOptions: RpcStreamedQueryOptions = {},
): object {
  assertOptions('rpcStreamedQueryOptions', streamedOptions, STREAMED_QUERY_OPTIONS, method)
  const { keyPrefix, keep, refetchMode = 'reset', ...options } = streamedOptions
  const traced = tracedTo(client, rpcStreamedQueryOptions)
  return queryOptions({
    queryKey: rpcQueryKey(method, params, { keyPrefix }),
    queryFn: streamedQuery<unknown, unknown[]>({
      streamFn: ({ signal }) => client.stream(method, params, { ...options, ...traced, signal }),
      refetchMode,
      initialValue: [],
      reducer: (items, item) =>
        keep === undefined ? [...items, item] : newest([...items, item], keep),
    }),
  })
}
