import type { Client, Contract, Handler } from '@flashrpc/core'
import { useEffect, useInsertionEffect, useRef } from 'react'
import { type RpcContext, useClientOf } from './context.js'

export function bindUseRpcMethod<C extends Contract>(context: RpcContext) {
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
  return function useRpcMethod<K extends keyof C['client'] & string>(
    method: K,
    handler: Handler<C['client'][K], Client<C['client'], C['server']>>,
  ): void {
    const client = useClientOf(context, 'useRpcMethod')
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
}
