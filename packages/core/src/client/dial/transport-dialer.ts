import type { Transport } from '../../transport/transport.js'
import { closeQuietly } from './close-quietly.js'
import type { Dialer } from './dialer.js'

/**
 * Makes a connection of any kind, for a client that has no `url`: a port to a worker, a window.
 * Called for every attempt; may throw or reject, which counts as a failed one. An
 * `RpcDisconnectedError` is judged by its `closeCode`, as the end of a socket is: after 4400 or 4403
 * the client stops.
 */
export type Connect = (attempt: {
  /** Aborts when the client no longer wants the connection. */
  signal: AbortSignal
}) => Transport | Promise<Transport>

/** A dialer of what a function of the application connects to. */
export function transportDialer(connect: Connect): Dialer {
  return {
    canRefresh: true,
    dial: (attempt) =>
      attempt.unlessGivenUp(() => connect({ signal: attempt.signal }), closeQuietly),
  }
}
