import type { ClientState, Contract } from '@flashrpc/core'
import { assertFunction } from '@flashrpc/core/internal'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { shallow } from 'zustand/shallow'
import { useProvidedClient } from './context.js'
import { storeOf } from './store.js'

/**
 * The connection's state, or what a selector makes of it. The component renders again only when the
 * selected value is another: of objects and arrays that a selector makes, when one of their members is.
 */
export interface UseRpcState {
  (): ClientState
  <T>(selector: (state: ClientState) => T): T
}

export function useBoundRpcState(
  boundTo: Contract | undefined,
  selector: (state: ClientState) => unknown = identity,
): unknown {
  assertFunction('useRpcState', selector)
  const store = storeOf(useProvidedClient(boundTo, 'useRpcState'))
  const select = useMemo(() => keepSame(selector), [selector])
  return useStore(store, select)
}

function identity(state: ClientState): ClientState {
  return state
}

/** Selects the value it selected before, as long as the new one is like it. */
function keepSame<T>(selector: (state: ClientState) => T): (state: ClientState) => T {
  let kept: { readonly value: T } | undefined
  return (state) => {
    const value = selector(state)
    if (!kept || !isSame(kept.value, value)) kept = { value }
    return kept.value
  }
}

/** Only objects that selectors make are compared by their members. An error is equal only to itself. */
function isSame(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || (isMade(one) && isMade(other) && shallow(one, other))
}

function isMade(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}
