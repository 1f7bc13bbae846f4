import type { Connector, ConnectorEvents } from './dial/connector.js'

/**
 * A socket that connects again by itself, for the option `socket` of a client: what `fromReconnectingWebSocket` of
 * `@flashrpc/core/reconnecting-websocket` returns.
 */
export interface ClientSocket {
  /**
   * Makes the connector of a client over the socket.
   *
   * @param options `connectTimeoutMs`: the option of the client.
   */
  createConnector(
    options: { readonly connectTimeoutMs: number },
    events: ConnectorEvents,
  ): Connector
  /**
   * Closes the socket, unless a client uses it. It is called when a client is closed that has no connector: one that is
   * idle, or has stopped. Resolves when the socket is closed.
   */
  close?(): Promise<void>
}
