import type { Client, Contract, ExposeOptions, Other } from '@flashrpc/core'
import type { ReactElement } from 'react'
import { BoundRpcProvider, type RpcProviderProps } from './provider.js'
import type { RpcStore } from './store.js'
import { useBoundRpc } from './use-rpc.js'
import { useBoundRpcClient } from './use-rpc-client.js'
import { type ComponentHandler, useBoundRpcMethod } from './use-rpc-method.js'
import { type UseRpcState, useBoundRpcState } from './use-rpc-state.js'
import { useBoundRpcStore } from './use-rpc-store.js'

/** The provider and the hooks of one contract; each is documented where `useRpc` … are exported. */
export interface RpcHooks<C extends Contract> {
  readonly RpcProvider: (props: RpcProviderProps<C>) => ReactElement
  readonly useRpc: () => Other<C['server']>
  readonly useRpcClient: () => Client<C['client'], C['server']>
  readonly useRpcMethod: <K extends keyof C['client'] & string>(
    method: K,
    handler: ComponentHandler<C, K>,
    options?: ExposeOptions,
  ) => void
  readonly useRpcState: UseRpcState
  readonly useRpcStore: () => RpcStore
}

/**
 * Makes the provider and the hooks of one contract, with its types. Its hooks see only providers of
 * the same contract, so that an application can nest several.
 */
export function createRpcHooks<C extends Contract>(contract: C): RpcHooks<C> {
  return bindHooks<C>(contract)
}

/** @param boundTo undefined: the hooks see the nearest provider, whatever its contract. */
export function bindHooks<C extends Contract>(boundTo: C | undefined): RpcHooks<C> {
  // Bound, not wrapped: React's rules, and its compiler, want hooks at the top of a module. What
  // `bind` forgets of their types, RpcHooks says.
  const bind = (hook: (boundTo: never, ...rest: never[]) => unknown): unknown =>
    hook.bind(undefined, boundTo as never)
  return {
    RpcProvider: bind(BoundRpcProvider),
    useRpc: bind(useBoundRpc),
    useRpcClient: bind(useBoundRpcClient),
    useRpcMethod: bind(useBoundRpcMethod),
    useRpcState: bind(useBoundRpcState),
    useRpcStore: bind(useBoundRpcStore),
  } as RpcHooks<C>
}
