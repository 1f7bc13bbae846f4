'use client'

export { createRpcHooks, type RpcHooks } from './create-hooks.js'
export type { CallState } from './latest-call.js'
export type { ParamsAnd, ParamsOf } from './params.js'
export type { RpcProviderProps } from './provider.js'
export type { LooseSide, Register, RegisteredContract } from './register.js'
export {
  type Hooks,
  RpcProvider,
  useRpc,
  useRpcCall,
  useRpcClient,
  useRpcMethod,
  useRpcPresence,
  useRpcState,
  useRpcStore,
  useRpcStream,
} from './registered-hooks.js'
export type { RpcStore } from './store.js'
export type { StreamState } from './stream-reader.js'
export type { RpcCall, UseRpcCallOptions } from './use-rpc-call.js'
export type { ComponentHandler } from './use-rpc-method.js'
export type {
  RpcPresence,
  UseRpcPresence,
  UseRpcPresenceOptions,
} from './use-rpc-presence.js'
export type { UseRpcState } from './use-rpc-state.js'
export type {
  RpcStreamState,
  UseRpcStreamArguments,
  UseRpcStreamOptions,
} from './use-rpc-stream.js'
export type { PresenceState } from './watched-group.js'
