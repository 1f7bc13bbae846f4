import { type AnyClient, type Contract, RpcConfigError } from '@flashrpc/core'
import { createContext, useContext } from 'react'

/** The value of a provider: its client, and the values of the providers around it. */
export interface Provided {
  readonly client: AnyClient
  /** The contract that its hooks are bound to; undefined for the registered one. */
  readonly boundTo: Contract | undefined
  readonly outer: Provided | null
}

export const RpcContext = createContext<Provided | null>(null)

/** The contexts of all copies of this package in the program. Each copy sees only its own providers. */
const copies = contextsOfCopies()
copies.add(RpcContext)

function contextsOfCopies(): Set<unknown> {
  const key = Symbol.for('flashrpc.react.contexts')
  const holder = globalThis as { [key]?: Set<unknown> }
  holder[key] ??= new Set()
  return holder[key]
}

/**
 * The client of the nearest provider; for hooks that are bound to a contract, of the nearest provider of the same
 * contract.
 *
 * @throws {RpcConfigError} if there is no such provider around the component.
 */
export function useProvidedClient(boundTo: Contract | undefined, hook: string): AnyClient {
  let provided = useContext(RpcContext)
  while (provided && boundTo && provided.boundTo !== boundTo) provided = provided.outer
  if (provided) return provided.client
  const remedy = boundTo
    ? 'These hooks were made by createRpcHooks: use the <RpcProvider> that was made with them'
    : 'Wrap your app in <RpcProvider url="…">'
  const cause =
    copies.size > 1
      ? `. There are ${copies.size} copies of @flashrpc/react in this program, and a provider of another one is the likely cause: "npm ls @flashrpc/react" shows them, and a bundler's "dedupe" makes them one`
      : ''
  throw new RpcConfigError(`${hook} found no provider around it. ${remedy}${cause}`)
}
