import type { WebSocketLike } from '../transport/web-socket.js'
import type { OpenSocket } from './socket.js'

/** The browser's WebSocket, or that of any other place with a global one. */
export const openSocket: OpenSocket = (url) => ({
  socket: new WebSocket(url) as WebSocketLike,
  failure: () => ({}),
})
