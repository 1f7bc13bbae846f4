import type { Contract, Other } from '@flashrpc/core'
import { useProvidedClient } from './context.js'

/**
 * The other side as an object of functions: `rpc.add({ a, b })`. The same object at every render, so
 * it may stand in dependency lists; call it in handlers and effects, not while rendering.
 */
export function useBoundRpc<C extends Contract>(boundTo: C | undefined): Other<C['server']> {
  return useProvidedClient(boundTo, 'useRpc').other as Other<C['server']>
}
