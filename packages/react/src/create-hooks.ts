import type {
  At,
  Client,
  Contract,
  ExposeOptions,
  ItemOf,
  MethodName,
  Name,
  Other,
  StreamName,
} from '@flashrpc/core'
import { assertContract } from '@flashrpc/core/internal'
import type { ReactElement } from 'react'
import { bindHook } from './bind-hook.js'
import { BoundRpcProvider, type RpcProviderProps } from './provider.js'
import type { RpcStore } from './store.js'
import { useBoundRpc } from './use-rpc.js'
import { type RpcCall, type UseRpcCallOptions, useBoundRpcCall } from './use-rpc-call.js'
import { useBoundRpcClient } from './use-rpc-client.js'
import { type ComponentHandler, useBoundRpcMethod } from './use-rpc-method.js'
import { type UseRpcPresence, useBoundRpcPresence } from './use-rpc-presence.js'
import { type UseRpcState, useBoundRpcState } from './use-rpc-state.js'
import { useBoundRpcStore } from './use-rpc-store.js'
import {
  type RpcStreamState,
  type UseRpcStreamArguments,
  useBoundRpcStream,
} from './use-rpc-stream.js'

/** The provider and the hooks of one contract. The exports of `@flashrpc/react` with the same names document them. */
export interface RpcHooks<C extends Contract> {
  /** `RpcProvider` of the contract. */
  readonly RpcProvider: (props: RpcProviderProps<C>) => ReactElement
  /** `useRpc` of the contract. */
  readonly useRpc: () => Other<C['server']>
  /** `useRpcCall` of the contract. */
  readonly useRpcCall: <K extends MethodName<C['server']>>(
    method: K,
    options?: UseRpcCallOptions,
  ) => RpcCall<At<C['server'], K>>
  /** `useRpcClient` of the contract. */
  readonly useRpcClient: () => Client<C['client'], C['server']>
  /** `useRpcMethod` of the contract. */
  readonly useRpcMethod: <K extends Name<C['client']>, const Literal = never>(
    method: K,
    handler: ComponentHandler<C, K, Literal>,
    options?: ExposeOptions,
  ) => void
  /** `useRpcPresence` of the contract. */
  readonly useRpcPresence: UseRpcPresence
  /** `useRpcState` of the contract. */
  readonly useRpcState: UseRpcState
  /** `useRpcStore` of the contract. */
  readonly useRpcStore: () => RpcStore
  /** `useRpcStream` of the contract. */
  readonly useRpcStream: <K extends StreamName<C['server']>>(
    method: K,
    ...args: UseRpcStreamArguments<At<C['server'], K>>
  ) => RpcStreamState<ItemOf<At<C['server'], K>>>
}

/**
 * Makes the provider and the hooks of one contract, with its types. Its hooks see only providers of the same
 * contract, so that an application can nest several.
 *
 * @throws {RpcConfigError} if it is not a contract, such as one that is undefined because modules import each other.
 */
export function createRpcHooks<C extends Contract>(contract: C): RpcHooks<C> {
  assertContract('createRpcHooks', contract)
  return {
    RpcProvider: bindHook(BoundRpcProvider, contract),
    useRpc: bindHook(useBoundRpc, contract),
    useRpcCall: bindHook(useBoundRpcCall, contract),
    useRpcClient: bindHook(useBoundRpcClient, contract),
    useRpcMethod: bindHook(useBoundRpcMethod, contract),
    useRpcPresence: bindHook(useBoundRpcPresence, contract),
    useRpcState: bindHook(useBoundRpcState, contract),
    useRpcStore: bindHook(useBoundRpcStore, contract),
    useRpcStream: bindHook(useBoundRpcStream, contract),
  }
}
