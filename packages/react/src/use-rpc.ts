import type { Contract, Other } from '@flashrpc/core'
import { type RpcContext, useClientOf } from './context.js'

export function bindUseRpc<C extends Contract>(context: RpcContext) {
  /**
   * The other side as an object of functions: `rpc.add({ a, b })`. The same object at every render,
   * so it may stand in dependency lists; call it in handlers and effects, not while rendering.
   */
  return function useRpc(): Other<C['server']> {
    return useClientOf(context, 'useRpc').other as Other<C['server']>
  }
}
