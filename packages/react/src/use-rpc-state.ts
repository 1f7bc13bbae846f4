import type { ClientState } from '@flashrpc/core'
import { useStore } from 'zustand'
import { type RpcContext, useClientOf } from './context.js'
import { storeOf } from './store.js'

export function bindUseRpcState(context: RpcContext) {
  /**
   * The connection's state, or what a selector makes of it. The component renders again only when
   * the selected value is another (`Object.is`): select single fields, not new objects.
   */
  function useRpcState(): ClientState
  function useRpcState<T>(selector: (state: ClientState) => T): T
  function useRpcState(selector: (state: ClientState) => unknown = identity): unknown {
    return useStore(storeOf(useClientOf(context, 'useRpcState')), selector)
  }
  return useRpcState
}

function identity(state: ClientState): ClientState {
  return state
}
