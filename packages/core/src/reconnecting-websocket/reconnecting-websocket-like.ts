import { RpcConfigError } from '../errors/errors.js'

/**
 * The part of a `ReconnectingWebSocket` of `reconnecting-websocket`, or a `PartySocket` of `partysocket`, that a
 * client uses.
 */
export interface ReconnectingWebSocketLike {
  /** The state of the socket, as of a WebSocket. */
  readonly readyState: number
  /** Attempts since a connection that held. */
  readonly retryCount: number
  /** The bytes that wait in its queue, and in the socket that it has. */
  readonly bufferedAmount: number
  /** The address of the socket that it has; empty if it has none. */
  readonly url: string
  /** The form in which bytes arrive. */
  binaryType: string
  /** Sends a frame. */
  // biome-ignore lint/suspicious/noExplicitAny: each version has its own type of what it sends
  send(data: any): unknown
  /** Closes the socket for good. */
  close(code?: number, reason?: string): void
  /** Closes the connection, and opens another one. */
  reconnect(code?: number, reason?: string): void
  /** Adds a listener. */
  addEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    // biome-ignore lint/suspicious/noExplicitAny: each version has its own types of events
    listener: (event: any) => void,
  ): void
}

/**
 * The private members of `reconnecting-websocket` 4.4.0 and `partysocket` 1.3.0 that are used. Each may be missing in
 * another version.
 */
export interface PrivateMembers {
  /** The begin of an attempt: resolves after the delay before it. */
  _wait?(): Promise<void>
  /** Asks for the address of the attempt. */
  _getNextUrl?(provider: unknown): Promise<string>
  /** Begins an attempt, unless one is under way or all were made. */
  _connect?(): void
  /** Listens no more to the socket that it has. */
  _removeListeners?(): void
  /** The socket that it has. */
  readonly _ws?: { addEventListener(type: 'error', listener: () => void): void }
  /** Whether an attempt is under way, until it has a socket. */
  _connectLock?: boolean
  /** Whether it is to connect. */
  readonly _shouldReconnect?: boolean
  readonly _url?: unknown
  readonly _options?: { readonly maxRetries?: number }
}

const METHODS = ['send', 'close', 'reconnect', 'addEventListener'] as const

/** @throws {RpcConfigError} if it is not such a socket. */
export function assertReconnectingWebSocket(socket: unknown): void {
  const members = (socket ?? {}) as Partial<ReconnectingWebSocketLike>
  if (METHODS.every((name) => typeof members[name] === 'function')) return
  throw new RpcConfigError(
    'fromReconnectingWebSocket takes a ReconnectingWebSocket of reconnecting-websocket, or a PartySocket of partysocket. If you have a plain WebSocket, give the client its url instead',
  )
}
