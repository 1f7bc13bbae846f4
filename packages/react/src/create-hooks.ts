import type { Contract } from '@flashrpc/core'
import type { ReactElement } from 'react'
import { createRpcContext, type RpcContext } from './context.js'
import { bindRpcProvider, type RpcProviderProps } from './provider.js'
import { bindUseRpc } from './use-rpc.js'
import { bindUseRpcClient } from './use-rpc-client.js'
import { bindUseRpcMethod } from './use-rpc-method.js'
import { bindUseRpcState } from './use-rpc-state.js'
import { bindUseRpcStore } from './use-rpc-store.js'

/** The provider and the hooks of one contract. */
export interface RpcHooks<C extends Contract> {
  readonly RpcProvider: (props: RpcProviderProps<C>) => ReactElement
  readonly useRpc: ReturnType<typeof bindUseRpc<C>>
  readonly useRpcClient: ReturnType<typeof bindUseRpcClient<C>>
  readonly useRpcMethod: ReturnType<typeof bindUseRpcMethod<C>>
  readonly useRpcState: ReturnType<typeof bindUseRpcState>
  readonly useRpcStore: ReturnType<typeof bindUseRpcStore>
}

/**
 * Makes the provider and the hooks of one contract, with its types. Each call makes a set of its
 * own, whose hooks see only its own provider: an application can nest several contracts.
 */
export function createRpcHooks<C extends Contract>(contract: C): RpcHooks<C> {
  return bindHooks<C>(createRpcContext(), contract)
}

export function bindHooks<C extends Contract>(
  context: RpcContext,
  contract?: Contract,
): RpcHooks<C> {
  return {
    RpcProvider: bindRpcProvider(context, contract) as RpcHooks<C>['RpcProvider'],
    useRpc: bindUseRpc<C>(context),
    useRpcClient: bindUseRpcClient<C>(context),
    useRpcMethod: bindUseRpcMethod<C>(context),
    useRpcState: bindUseRpcState(context),
    useRpcStore: bindUseRpcStore(context),
  }
}
