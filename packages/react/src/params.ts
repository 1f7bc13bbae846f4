import type { RemoteFunction } from '@flashrpc/core'

/** The params of a member of a side. */
export type ParamsOf<M> = Parameters<RemoteFunction<M>>[0]

/** Params, which may be left out where a method has none, and options after them. */
export type ParamsAnd<Params, Options> = undefined extends Params
  ? [params?: Params, options?: Options]
  : [params: Params, options?: Options]
