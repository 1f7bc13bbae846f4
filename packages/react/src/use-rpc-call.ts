import type { CallOptions, Contract, ProgressOf, RemoteFunction, ResultOf } from '@flashrpc/core'
import { useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { useProvidedClient } from './context.js'
import { type CallState, LatestCall } from './latest-call.js'

/** The calls of a component to one method. */
export interface RpcCall<M> extends CallState<ResultOf<M>, ProgressOf<M>> {
  /**
   * Calls, and gives up the call before. Rejects as `rpc.method()` does; the one that was given up, with
   * `RpcAbortedError`. Nobody has to wait for it: the state tells the same. The same function at every render.
   */
  readonly call: (...args: Parameters<RemoteFunction<M>>) => Promise<ResultOf<M>>
  /** Gives up the call that runs. The same function at every render. */
  readonly cancel: () => void
  /** … and forgets the data and the error of those before. The same function at every render. */
  readonly reset: () => void
}

/** Options of all calls that a component makes; those of one call count more. */
export type UseRpcCallOptions = Pick<CallOptions, 'timeout'>

/** `useRpcCall`; documented where it is exported. */
export function useBoundRpcCall(
  boundTo: Contract | undefined,
  method: string,
  { timeout }: UseRpcCallOptions = {},
) {
  const client = useProvidedClient(boundTo, 'useRpcCall')
  const latest = useMemo(() => new LatestCall(client, method), [client, method])
  useEffect(() => latest.cancel, [latest])
  const call = useMemo(
    () =>
      timeout === undefined
        ? latest.call
        : (params?: unknown, options?: CallOptions) => latest.call(params, { timeout, ...options }),
    [latest, timeout],
  )
  const state = useStore(latest.store)
  const { cancel, reset } = latest
  return useMemo(() => ({ ...state, call, cancel, reset }), [state, call, cancel, reset])
}
