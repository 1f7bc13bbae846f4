import type { WebSocketLike } from '../transport/web-socket.js'
import type { Failure } from './retry.js'

/** A socket that is being opened. */
export interface OpeningSocket {
  readonly socket: WebSocketLike
  /** What is known of the cause, where opening fails; browsers tell none. */
  failure(): Partial<Failure>
}

export interface SocketOptions {
  /** The largest frame accepted, in bytes, where the socket can hold to it itself. */
  readonly maxMessage: number
}

/** Begins to open a WebSocket: `#socket` is the browser's or Node's, by the import conditions. */
export type OpenSocket = (url: string, options: SocketOptions) => OpeningSocket
