import type { Contract } from '@flashrpc/core'

/**
 * A hook of one contract. It is bound, and not wrapped: React's rules, and its compiler, want hooks at the
 * top of a module. What `bind` forgets of its types, `RpcHooks` says.
 *
 * @param boundTo undefined: it sees the nearest provider, whatever its contract.
 */
export function bindHook<Bound>(
  hook: (boundTo: never, ...rest: never[]) => unknown,
  boundTo: Contract | undefined,
): Bound {
  return hook.bind(undefined, boundTo as never) as Bound
}
