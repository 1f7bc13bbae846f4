import { type AnyClient, type ClientState, IDLE_STATE } from '@flashrpc/core'
import { createStore, type StoreApi } from 'zustand/vanilla'

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
  const store = createStore<ClientState>(() => IDLE_STATE)
  store.setState(client.state, true)
  client.subscribe((state) => store.setState(state, true))
  stores.set(client, store)
  return store
}
