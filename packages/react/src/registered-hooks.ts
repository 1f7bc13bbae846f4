import { createRpcContext } from './context.js'
import { bindHooks, type RpcHooks } from './create-hooks.js'
import type { RegisteredContract } from './register.js'

type Hooks = RpcHooks<RegisteredContract>

/** The hooks of the contract that the application registered. */
const hooks: Hooks = bindHooks<RegisteredContract>(createRpcContext())

export const RpcProvider: Hooks['RpcProvider'] = hooks.RpcProvider
export const useRpc: Hooks['useRpc'] = hooks.useRpc
export const useRpcClient: Hooks['useRpcClient'] = hooks.useRpcClient
export const useRpcMethod: Hooks['useRpcMethod'] = hooks.useRpcMethod
export const useRpcState: Hooks['useRpcState'] = hooks.useRpcState
export const useRpcStore: Hooks['useRpcStore'] = hooks.useRpcStore
