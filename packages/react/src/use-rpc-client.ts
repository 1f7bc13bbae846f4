import type { Client, Contract } from '@flashrpc/core'
import { useProvidedClient } from './context.js'

/** The client itself: `reconnect()`, calls by name, and everything else it can do. */
export function useBoundRpcClient<C extends Contract>(
  boundTo: C | undefined,
): Client<C['client'], C['server']> {
  return useProvidedClient(boundTo, 'useRpcClient')
}
