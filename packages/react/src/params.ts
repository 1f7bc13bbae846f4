import type { RemoteFunction } from '@flashrpc/core'

/** The params of a member of a side. */
export type ParamsOf<M> = Parameters<RemoteFunction<M>>[0]

/** The params, which may be left out if a method has none, and then the options. */
export type ParamsAnd<Params, Options> = undefined extends Params
  ? [params?: Params, options?: Options]
  : [params: Params, options?: Options]
