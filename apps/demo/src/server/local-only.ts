import type { IncomingMessage, Server } from 'node:http'

const LOCAL_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * Whether a request was made to this machine by one of its own names. A page from elsewhere can let
 * its name point here, and would then be of our origin (DNS rebinding): its requests name it.
 */
export function isMadeLocally({ headers: { host } }: IncomingMessage): boolean {
  return host !== undefined && LOCAL_NAMES.has(host.replace(/:\d+$/, ''))
}

/** Refuses WebSockets of another name or path, before the endpoint looks at them. */
export function refuseForeignUpgrades(server: Server, path: string): void {
  server.prependListener('upgrade', (request, socket) => {
    if (!isMadeLocally(request) || request.url !== path) socket.destroy()
  })
}
