export { fromReconnectingWebSocket } from './reconnecting-websocket/from-reconnecting-websocket.js'
export type { ReconnectingWebSocketLike } from './reconnecting-websocket/reconnecting-websocket-like.js'
