'use client'

export { RpcProvider, type RpcProviderProps } from './client-provider.js'
export type { CallState } from './latest-call.js'
export type { Register, RegisteredContract } from './register.js'
export {
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
export type { RpcPresence, UseRpcPresenceOptions } from './use-rpc-presence.js'
export type {
  RpcStreamState,
  UseRpcStreamArguments,
  UseRpcStreamOptions,
} from './use-rpc-stream.js'
export type { PresenceState } from './watched-group.js'
