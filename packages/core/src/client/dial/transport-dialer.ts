import { assertTransport } from '../../transport/assert-transport.js'
import type { Transport } from '../../transport/transport.js'
import { closeQuietly } from './close-quietly.js'
import type { Dialer } from './dialer.js'

/**
 * Makes a connection of any kind, such as a port to a worker or a window, for a client without a `url`. It is called
 * for every attempt. If it throws or rejects, the attempt has failed. The `closeCode` of an `RpcDisconnectedError`
 * counts like that of a socket: after 4400 or 4403 the client stops.
 */
export type Connect = (attempt: {
  /** Aborts when the client no longer wants the connection. */
  signal: AbortSignal
}) => Transport | Promise<Transport>

/** Makes a dialer of a function of the application that connects. */
export function transportDialer(connect: Connect): Dialer {
  return {
    canRefresh: true,
    dial: (attempt) =>
      attempt.unlessGivenUp(
        async () => assertTransport(await connect({ signal: attempt.signal }), 'return'),
        closeQuietly,
      ),
  }
}
