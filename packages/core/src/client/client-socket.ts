import type { Link, LinkEvents } from './dial/link.js'

/**
 * A socket that connects again by itself, for the option `socket` of a client: what `fromReconnectingWebSocket` of
 * `@flashrpc/core/reconnecting-websocket` returns.
 */
export interface ClientSocket {
  /**
   * Makes the link of a client over the socket.
   *
   * @param options `connectTimeoutMs`: the option of the client.
   */
  createLink(options: { readonly connectTimeoutMs: number }, events: LinkEvents): Link
}
