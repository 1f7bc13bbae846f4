import type { Contract } from '@flashrpc/core'
import { useProvidedClient } from './context.js'
import { type RpcStore, storeOf } from './store.js'

/** The zustand store of the connection's state itself, for use outside of rendering. */
export function useBoundRpcStore(boundTo: Contract | undefined): RpcStore {
  return storeOf(useProvidedClient(boundTo, 'useRpcStore'))
}
