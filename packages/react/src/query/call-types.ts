import type { CallOptions, RemoteFunction } from '@flashrpc/core'
import type { RpcQueryKeyOptions } from './query-key.js'

/** The params of a member of a side. */
export type ParamsOf<M> = Parameters<RemoteFunction<M>>[0]

/** What is cached of a result: TanStack Query keeps no `undefined`, so that becomes null. */
export type Cached<Result> = Result extends undefined ? null : Result

/** How a query calls. When it is given up is TanStack Query's to say. */
export interface RpcQueryCallOptions extends Pick<CallOptions, 'timeout'>, RpcQueryKeyOptions {}

/** Params, which may be left out where a method has none, and options after them. */
export type ParamsAnd<Params, Options> = undefined extends Params
  ? [params?: Params, options?: Options]
  : [params: Params, options?: Options]
