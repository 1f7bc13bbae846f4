import type { IncomingMessage, Server } from 'node:http'

/** The names of this machine, as browsers write them in `Host`, without a port. */
export const LOCAL_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Whether a request was made to this machine by one of its own names. A page from elsewhere can let
 * its name point here, and would then be of our origin (DNS rebinding): its requests name it.
 */
export function isMadeLocally({ headers: { host } }: IncomingMessage): boolean {
  return host !== undefined && LOCAL_NAMES.includes(host.replace(/:\d+$/, ''))
}

/** Ends upgrades to other paths than the endpoint's, which takes its own. */
export function refuseOtherUpgrades(server: Server): void {
  server.on('upgrade', (_, socket) => socket.destroy())
}
