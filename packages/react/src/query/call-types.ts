import type { CallOptions } from '@flashrpc/core'
import type { OptionKinds } from '@flashrpc/core/internal'
import { QUERY_KEY_OPTIONS, type RpcQueryKeyOptions } from './query-key.js'

/** What is cached of a result: TanStack Query keeps no `undefined`, so that becomes null. */
export type Cached<Result> = Result extends undefined ? null : Result

/** How a query calls. When it is given up is TanStack Query's to say. */
export interface RpcQueryCallOptions extends Pick<CallOptions, 'timeout'>, RpcQueryKeyOptions {}

export const QUERY_CALL_OPTIONS = {
  ...QUERY_KEY_OPTIONS,
  timeout: 'elsewhere',
} as const satisfies OptionKinds<RpcQueryCallOptions>
