import type { CallOptions } from '@flashrpc/core'
import type { OptionKinds } from '@flashrpc/core/internal'
import { QUERY_KEY_OPTIONS, type RpcQueryKeyOptions } from './query-key.js'

/** The cached form of a result: TanStack Query does not cache `undefined`, so that null is cached instead. */
export type Cached<Result> = Result extends undefined ? null : Result

/** The options of a query's call. TanStack Query decides when it is cancelled. */
export interface RpcQueryCallOptions extends Pick<CallOptions, 'timeout'>, RpcQueryKeyOptions {}

export const QUERY_CALL_OPTIONS = {
  ...QUERY_KEY_OPTIONS,
  timeout: 'elsewhere',
} as const satisfies OptionKinds<RpcQueryCallOptions>
