import type { At, Client, Contract, ExposeOptions, Handler, Name } from '@flashrpc/core'
import { assertFunction, assertOptions, EXPOSE_OPTIONS } from '@flashrpc/core/internal'
import { useEffect, useInsertionEffect, useRef } from 'react'
import { useProvidedClient } from './context.js'

/** A component's handler of one of the methods that the server can call. */
export type ComponentHandler<
  C extends Contract,
  K extends Name<C['client']>,
  Literal = never,
> = Handler<At<C['client'], K>, Client<C['client'], C['server']>, Literal>

/**
 * Lets the server call this component while it is mounted.
 *
 * The newest closure runs, so an inline function sees the newest props and state; the method is
 * registered once. If several components register one name, a method goes to the one mounted
 * last, a notification to all. The server knows which methods are mounted (`channel.has`). While none is, its
 * call is answered −32601 with `data.reason: 'not-mounted'`, or waits for the next one to mount: after this one
 * as many ms as its `waitForMount` says, otherwise as many as the provider's.
 *
 * @throws {RpcConfigError} (rendering) if the handler is no function, or an option is unknown; (in an effect) if
 *   the contract has no such method, or an option is wrong.
 */
export function useBoundRpcMethod<C extends Contract, K extends Name<C['client']>>(
  boundTo: C | undefined,
  method: K,
  handler: ComponentHandler<C, K>,
  options: ExposeOptions = {},
): void {
  assertFunction(`useRpcMethod("${String(method)}")`, handler)
  assertOptions('useRpcMethod', options, EXPOSE_OPTIONS, method)
  const { waitForMount } = options
  const client = useProvidedClient(boundTo, 'useRpcMethod')
  const newest = useRef(handler)
  // Before any effect of this commit, so that nobody sees the closure of an older render.
  useInsertionEffect(() => {
    newest.current = handler
  })
  useEffect(() => {
    type Call = (params: unknown, context: unknown) => unknown
    return client.expose(
      method,
      (params: unknown, call: unknown) => (newest.current as Call)(params, call),
      { waitForMount },
    )
  }, [client, method, waitForMount])
}
