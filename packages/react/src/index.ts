export { createRpcHooks, type RpcHooks } from './create-hooks.js'
export type { RpcProviderProps } from './provider.js'
export type { Register, RegisteredContract } from './register.js'
export {
  RpcProvider,
  useRpc,
  useRpcClient,
  useRpcMethod,
  useRpcState,
  useRpcStore,
} from './registered-hooks.js'
export type { RpcStore } from './store.js'
