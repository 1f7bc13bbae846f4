import type { Client, Contract, Handler } from '@flashrpc/core'
import { useEffect, useInsertionEffect, useRef } from 'react'
import { useProvidedClient } from './context.js'

/** A component's handler of one of the methods that the server can call. */
export type ComponentHandler<C extends Contract, K extends keyof C['client']> = Handler<
  C['client'][K],
  Client<C['client'], C['server']>
>

/**
 * Lets the server call this component while it is mounted.
 *
 * The newest closure runs, so an inline function sees the newest props and state; the method is
 * registered once. Where several components register one name, a method goes to the one mounted
 * last, a notification to all. While none is mounted, the server's call is answered −32601 with
 * `data.reason: 'not-mounted'`.
 *
 * @throws {RpcConfigError} (in an effect) where the contract has no such method.
 */
export function useBoundRpcMethod<C extends Contract, K extends keyof C['client'] & string>(
  boundTo: C | undefined,
  method: K,
  handler: ComponentHandler<C, K>,
): void {
  const client = useProvidedClient(boundTo, 'useRpcMethod')
  const newest = useRef(handler)
  // Before any effect of this commit, so that nobody sees the closure of an older render.
  useInsertionEffect(() => {
    newest.current = handler
  })
  useEffect(() => {
    type Call = (params: unknown, context: unknown) => unknown
    return client.expose(method, (params: unknown, call: unknown) =>
      (newest.current as Call)(params, call),
    )
  }, [client, method])
}
