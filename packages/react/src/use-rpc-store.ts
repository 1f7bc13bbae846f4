import { type RpcContext, useClientOf } from './context.js'
import { type RpcStore, storeOf } from './store.js'

export function bindUseRpcStore(context: RpcContext) {
  /** The zustand store of the connection's state itself, for use outside of rendering. */
  return function useRpcStore(): RpcStore {
    return storeOf(useClientOf(context, 'useRpcStore'))
  }
}
