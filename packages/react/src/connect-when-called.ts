import type { AnyClient } from '@flashrpc/core'

const watched = new WeakSet<AnyClient>()

/**
 * Connects a client of the application's when it is called, if it has not been connected yet (`autoConnect: false`).
 */
export function connectWhenCalled(client: AnyClient): void {
  if (watched.has(client) || client.state.status !== 'idle') return
  watched.add(client)
  const stop = client.subscribe(({ status, inFlight, queued }) => {
    if (status === 'idle' && inFlight + queued === 0) return
    stop()
    if (status === 'idle') void client.connect()
  })
}
