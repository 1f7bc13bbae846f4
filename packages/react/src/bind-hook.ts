import type { Contract } from '@flashrpc/core'

/**
 * Binds a hook to a contract. It is bound, and not wrapped in a function: the rules of React, and its compiler, want
 * hooks at the top of a module. `RpcHooks` has the types that `bind` loses.
 *
 * @param boundTo the contract; undefined: the hook uses the nearest provider, whatever its contract is.
 */
export function bindHook<Bound>(
  hook: (boundTo: never, ...rest: never[]) => unknown,
  boundTo: Contract | undefined,
): Bound {
  return hook.bind(undefined, boundTo as never) as Bound
}
