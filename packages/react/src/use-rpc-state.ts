import type { ClientState, Contract } from '@flashrpc/core'
import { useStore } from 'zustand'
import { useProvidedClient } from './context.js'
import { storeOf } from './store.js'

/**
 * The connection's state, or what a selector makes of it. The component renders again only when the
 * selected value is another (`Object.is`): select single fields, not new objects.
 */
export interface UseRpcState {
  (): ClientState
  <T>(selector: (state: ClientState) => T): T
}

export function useBoundRpcState(
  boundTo: Contract | undefined,
  selector: (state: ClientState) => unknown = identity,
): unknown {
  return useStore(storeOf(useProvidedClient(boundTo, 'useRpcState')), selector)
}

function identity(state: ClientState): ClientState {
  return state
}
