import type { ClientSocket } from '../client/client-socket.js'
import type { ConnectorEvents } from '../client/dial/connector.js'
import { AdoptedSocket } from './adopted-socket.js'
import { AdoptedSocketConnector } from './adopted-socket-connector.js'
import type { ReconnectingWebSocketLike } from './reconnecting-websocket-like.js'

/**
 * Has a client speak through a `ReconnectingWebSocket` of `reconnecting-websocket`, or a `PartySocket` of `partysocket`,
 * for the option `socket` of a client. It connects again by its own options: its delays, its url provider. Each time it
 * opens, the client has a new connection, and its session goes on.
 *
 * From now on the socket is the client's, and its `send` throws. The client closes it when the client is closed or
 * stops; `close()` of the socket stops the client (`failed`), and `connect()` of the client opens it again.
 *
 * @param socket one that nothing was sent through yet.
 * @throws {RpcConfigError} if it is not such a socket, or messages wait in its queue.
 *
 * @example
 * const socket = new ReconnectingWebSocket('wss://app.example.com/rpc')
 * createClient(contract, { socket: fromReconnectingWebSocket(socket) })
 */
export function fromReconnectingWebSocket(socket: ReconnectingWebSocketLike): ClientSocket {
  const known = handedOver.get(socket)
  if (known) return known
  const adopted = new AdoptedSocket(socket)
  const handed: ClientSocket = {
    createConnector: ({ connectTimeoutMs }, events) =>
      new AdoptedSocketConnector(adopted, connectTimeoutMs, events),
    // One that is stopped before it has begun closes the socket, unless another one has it.
    close: () => new AdoptedSocketConnector(adopted, 0, NO_EVENTS).stop(),
  }
  handedOver.set(socket, handed)
  return handed
}

const NO_EVENTS: ConnectorEvents = {
  connecting() {},
  waiting() {},
  open() {},
  latency() {},
  stopped() {},
}

/** Sockets that were handed over: handing one over again, as at each render, changes nothing. */
const handedOver = new WeakMap<ReconnectingWebSocketLike, ClientSocket>()
