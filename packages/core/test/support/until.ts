import type { AnyClient, ClientState, ClientStatus } from '@flashrpc/core'
import { expect } from 'vitest'
import { eventually } from './eventually.js'

/** Waits until a client is in a state, however short its stay there. */
export async function until(client: AnyClient, status: ClientStatus): Promise<ClientState> {
  let reached: ClientState | undefined
  const look = (state: ClientState) => {
    if (state.status === status) reached ??= state
  }
  const unsubscribe = client.subscribe(look)
  look(client.state)
  try {
    return await eventually(() => {
      expect(reached, `the client is ${client.state.status}, not ${status}`).toBeDefined()
      return reached as ClientState
    })
  } finally {
    unsubscribe()
  }
}
