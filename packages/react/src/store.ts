import type { AnyClient, ClientState } from '@flashrpc/core'
import { IDLE_STATE } from '@flashrpc/core/internal'
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
  // The state that listeners were told last, so that `getState` agrees with them.
  let told = client.state
  client.subscribe((state) => {
    told = state
  })
  const store: RpcStore = {
    getState: () => told,
    getInitialState: () => IDLE_STATE,
    // The client itself calls the listeners, so that a listener that makes calls is not called for ever.
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
