import type { Client, Contract } from '@flashrpc/core'
import { type RpcContext, useClientOf } from './context.js'

export function bindUseRpcClient<C extends Contract>(context: RpcContext) {
  /** The client itself: `reconnect()`, calls by name, and everything else it can do. */
  return function useRpcClient(): Client<C['client'], C['server']> {
    return useClientOf(context, 'useRpcClient')
  }
}
