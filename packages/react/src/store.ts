import { type AnyClient, type ClientState, IDLE_STATE } from '@flashrpc/core'
import type { StoreApi } from 'zustand/vanilla'

/** A client's state as a zustand store; read only: the client alone changes it. */
export type RpcStore = Pick<StoreApi<ClientState>, 'getState' | 'getInitialState' | 'subscribe'>

/** One store a client, for as long as the client is kept. */
const stores = new WeakMap<AnyClient, RpcStore>()

/**
 * The store of a client. It knows no React; its initial state is `idle`, which is what a server
 * renders and what the first render in a browser must agree with.
 */
export function storeOf(client: AnyClient): RpcStore {
  const known = stores.get(client)
  if (known) return known
  // What was told last: who is told, and who asks, find the same.
  let told = client.state
  client.subscribe((state) => {
    told = state
  })
  const store: RpcStore = {
    getState: () => told,
    getInitialState: () => IDLE_STATE,
    // By the client itself, which sees to it that a listener that calls is not told for ever.
    subscribe(listener) {
      let before = told
      return client.subscribe((state) => {
        const previous = before
        before = state
        listener(state, previous)
      })
    },
  }
  stores.set(client, store)
  return store
}
