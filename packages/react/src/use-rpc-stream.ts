import type { AnyClient, CallOptions, Contract, ItemOf } from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { useEffect, useInsertionEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { tracedTo } from './call-trace.js'
import { useProvidedClient } from './context.js'
import type { ParamsAnd, ParamsOf } from './params.js'
import { IDLE_STREAM, StreamReader, type StreamState } from './stream-reader.js'
import { useInstance } from './use-instance.js'
import { useIsHidden } from './use-is-hidden.js'

/** How a component reads a stream. */
export interface UseRpcStreamOptions<Item = unknown> extends Pick<CallOptions, 'timeout'> {
  /** Whether to read it. Default true; while false its status is `idle`. */
  enabled?: boolean
  /** How many of the newest items are in `items`; 0 keeps none but `latest`. Default 100. */
  keep?: number
  /** Is told each item, in its order, however many one render shows. The newest closure runs. */
  onItem?: (item: Item) => void
  /**
   * Ask for the stream again if its connection was lost and no session could resume it. It begins again, as a new
   * call of its handler. The items stay until there is a new one. Default true.
   */
  restart?: boolean
  /**
   * Take no items while the page is hidden: the server then has no credit to send more. Items that are on their way
   * wait. Default false.
   */
  pauseWhenHidden?: boolean
}

const STREAM_OPTIONS = {
  timeout: 'elsewhere',
  enabled: 'boolean',
  keep: 'number',
  onItem: 'function',
  restart: 'boolean',
  pauseWhenHidden: 'boolean',
} as const satisfies OptionKinds<UseRpcStreamOptions>

/** A stream as a component reads it. */
export interface RpcStreamState<Item = unknown> extends StreamState<Item> {
  /**
   * Asks for the stream again, from its beginning: after it has failed or ended, or instead of the run that goes on.
   * The items stay until there is a new one. It does nothing while `enabled` is false. It is the same function at
   * every render.
   */
  readonly restart: () => void
}

/** The arguments after the name: the params may be left out if the stream has none. */
export type UseRpcStreamArguments<M> = ParamsAnd<ParamsOf<M>, UseRpcStreamOptions<ItemOf<M>>>

/** `useRpcStream`. Its export documents it. */
export function useBoundRpcStream(
  boundTo: Contract | undefined,
  method: string,
  params?: unknown,
  options: UseRpcStreamOptions = {},
): RpcStreamState {
  assertOptions('useRpcStream', options, STREAM_OPTIONS, method)
  const { enabled = true, pauseWhenHidden = false, timeout } = options
  const client = useProvidedClient(boundTo, 'useRpcStream')
  const reader = useInstance(`useRpcStream("${method}")`, createReader, [
    client,
    method,
    params,
    timeout,
  ])
  // Before any effect of this commit, so that nobody is told by the closure of an older render.
  useInsertionEffect(() => reader.follow(options))
  const isPaused = useIsHidden() && pauseWhenHidden
  useEffect(() => reader.pause(isPaused), [reader, isPaused])
  useEffect(() => (enabled ? reader.hold() : undefined), [reader, enabled])
  const read = useStore(reader.store)
  const state = enabled ? read : IDLE_STREAM
  const { restart } = reader
  return useMemo(() => ({ ...state, restart }), [state, restart])
}

function createReader(
  client: AnyClient,
  method: string,
  params: unknown,
  timeout: CallOptions['timeout'],
): StreamReader {
  return new StreamReader(client, method, params, {
    ...(timeout !== undefined && { timeout }),
    ...tracedTo(client, useBoundRpcStream),
  })
}
