'use client'

import type { AnyClient, At, Client, ClientState, Handler, Name } from '@flashrpc/core'
import { assertFunction, assertOptions } from '@flashrpc/core/internal'
import { type InvalidateQueryFilters, useQueryClient } from '@tanstack/react-query'
import { useEffect, useInsertionEffect, useRef } from 'react'
import { QUERY_KEY_OPTIONS, type RpcQueryKeyOptions, rpcQueryKey } from './query-key.js'

/** The queries that a notification makes stale: filters, or several, or undefined for none. */
export type Invalidates<M> = (
  params: Parameters<Handler<M>>[0],
) => InvalidateQueryFilters | readonly InvalidateQueryFilters[] | undefined

/**
 * Invalidates queries when the server notifies: `useRpcInvalidation(client, 'changed', ({ id }) => ({ queryKey:
 * rpcQueryKey('item', { id }) }))`. Queries that are observed are fetched again at once, the others when they are
 * observed again.
 *
 * If a connection was lost for longer than its session, the notifications of that time are lost. Then all queries
 * whose key begins with `keyPrefix` are invalidated.
 *
 * @throws {RpcConfigError} (in an effect) if the contract has no such notification.
 */
export function useRpcInvalidation<Local, Remote, K extends Name<Local>>(
  client: Client<Local, Remote>,
  notification: K,
  invalidates: Invalidates<At<Local, K>>,
  options: RpcQueryKeyOptions = {},
): void {
  assertFunction('useRpcInvalidation', invalidates)
  assertOptions('useRpcInvalidation', options, QUERY_KEY_OPTIONS)
  const { keyPrefix } = options
  const queryClient = useQueryClient()
  const newest = useRef({ invalidates, keyPrefix })
  useInsertionEffect(() => {
    newest.current = { invalidates, keyPrefix }
  })
  useEffect(() => {
    const hear = (params: unknown) => {
      const filters = newest.current.invalidates(params as Parameters<typeof invalidates>[0]) ?? []
      for (const some of [filters].flat()) void queryClient.invalidateQueries(some)
    }
    const take = (client as AnyClient).expose(notification, hear)
    const end = onMissed(client, () => {
      const { keyPrefix } = newest.current
      const queryKey = rpcQueryKey(undefined, undefined, { keyPrefix })
      void queryClient.invalidateQueries({ queryKey })
    })
    return () => {
      take()
      end()
    }
  }, [client, notification, queryClient])
}

/** Calls back at each connection that did not go on with the session before. @returns ends that. */
function onMissed(client: AnyClient, missed: () => void): () => void {
  let wasConnected = false
  let last: ClientState['status'] | undefined
  const look = ({ status, resumed }: ClientState) => {
    const isNew = status === 'connected' && last !== 'connected'
    last = status
    if (!isNew) return
    if (wasConnected && !resumed) missed()
    wasConnected = true
  }
  look(client.state)
  return client.subscribe(look)
}
