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
import { useMade } from './use-made.js'

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

const CALL_OPTIONS = { timeout: 'elsewhere' } as const satisfies OptionKinds<UseRpcCallOptions>

/** `useRpcCall`; documented where it is exported. */
export function useBoundRpcCall(
  boundTo: Contract | undefined,
  method: string,
  options: UseRpcCallOptions = {},
) {
  assertOptions('useRpcCall', options, CALL_OPTIONS, method)
  const { timeout } = options
  const client = useProvidedClient(boundTo, 'useRpcCall')
  const latest = useMade(`useRpcCall("${method}")`, createCall, [client, method])
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
