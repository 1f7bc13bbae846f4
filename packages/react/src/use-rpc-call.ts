import type {
  AnyClient,
  CallOptions,
  Contract,
  ProgressOf,
  RemoteFunction,
  ResultOf,
} from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { useEffect, useInsertionEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { useProvidedClient } from './context.js'
import { type CallState, LatestCall } from './latest-call.js'
import { useInstance } from './use-instance.js'

/** The calls of a component to one method. */
export interface RpcCall<M> extends CallState<ResultOf<M>, ProgressOf<M>> {
  /**
   * Calls the method, and cancels the call before. It rejects as `rpc.method()` does; the call that was cancelled
   * rejects with `RpcAbortedError`. The rejection need not be handled, as the state has the error, too. It is the
   * same function at every render.
   */
  readonly call: (...args: Parameters<RemoteFunction<M>>) => Promise<ResultOf<M>>
  /** Cancels the call that runs. It is the same function at every render. */
  readonly cancel: () => void
  /**
   * Cancels the call that runs, and removes the data and the error of those before. It is the same function at every
   * render.
   */
  readonly reset: () => void
}

/** Options of all calls that a component makes. Options of one call come first. */
export type UseRpcCallOptions = Pick<CallOptions, 'timeout'>

const CALL_OPTIONS = { timeout: 'elsewhere' } as const satisfies OptionKinds<UseRpcCallOptions>

/** `useRpcCall`. Its export documents it. */
export function useBoundRpcCall(
  boundTo: Contract | undefined,
  method: string,
  options: UseRpcCallOptions = {},
) {
  assertOptions('useRpcCall', options, CALL_OPTIONS, method)
  const { timeout } = options
  const client = useProvidedClient(boundTo, 'useRpcCall')
  const latest = useInstance(`useRpcCall("${method}")`, createCall, [client, method])
  // An insertion effect runs before the other effects of this commit, which may call.
  useInsertionEffect(() => latest.follow({ timeout }))
  useEffect(() => latest.hold(), [latest])
  const state = useStore(latest.store)
  const { call, cancel, reset } = latest
  return useMemo(() => ({ ...state, call, cancel, reset }), [state, call, cancel, reset])
}

function createCall(client: AnyClient, method: string): LatestCall {
  return new LatestCall(client, method)
}
