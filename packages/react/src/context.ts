import type { AnyClient } from '@flashrpc/core'
import { type Context, createContext, useContext } from 'react'

/** How hooks find the client of the provider around them. */
export type RpcContext = Context<AnyClient | null>

/** A context of its own makes hooks blind to the providers of other contracts. */
export function createRpcContext(): RpcContext {
  return createContext<AnyClient | null>(null)
}

/** @throws {Error} where there is no provider around. */
export function useClientOf(context: RpcContext, hook: string): AnyClient {
  const client = useContext(context)
  if (client) return client
  throw new Error(
    `${hook} found no <RpcProvider> around it. Wrap your app in <RpcProvider url="…">; hooks made by createRpcHooks need the RpcProvider that was made with them`,
  )
}
