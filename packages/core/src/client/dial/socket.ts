import type { Transport } from '../../transport/transport.js'
import type { WebSocketLike } from '../../transport/web-socket.js'
import type { Failure } from './failure.js'

/** Headers of the request that opens a connection, or what says them before each attempt. */
export type HeadersSource =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** Whom to trust and who to be on `wss:`; as the options of the same names in `node:tls`. */
export interface TlsSettings {
  /** Certificates to trust instead of those Node does: PEM. They hold for an `https:` proxy, too. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** The client's own certificate, where the server asks for one: PEM. */
  readonly cert?: string | Uint8Array
  /** The private key of `cert`: PEM. */
  readonly key?: string | Uint8Array
  /** What `key` is encrypted with. */
  readonly passphrase?: string
  /** The name the server's certificate must have. Default: the url's host. */
  readonly servername?: string
  /** False trusts everybody, and so protects from nobody: for tests. Default true. */
  readonly rejectUnauthorized?: boolean
}

/** How to open a client's sockets, beyond their address. Node only: browsers allow none of it. */
export interface SocketSettings {
  /**
   * Headers of the request that opens the connection, such as `authorization` and `cookie`, or what
   * says them; asked before every attempt. Node only: a page puts its token into the url, or lets
   * the browser send its cookies.
   */
  headers?: HeadersSource
  /**
   * The proxy to connect through, such as `http://user:password@proxy.example.com:3128`; `false`
   * connects without. Default: that of `HTTP_PROXY` (for `ws:`) or `HTTPS_PROXY` (for `wss:`), unless
   * `NO_PROXY` names the server. Node only: browsers have their own setting.
   */
  proxy?: string | URL | false
  /** Whom to trust and who to be on `wss:`. Node only. */
  tls?: TlsSettings
  /**
   * Whether frames are read and written in fewer steps than the package `ws` takes. False leaves all of them to `ws`,
   * which costs a small call some 15 % more CPU: set it to find out whether a fault lies there. It is false by itself
   * with a version of `ws` whose private members are not as expected. Default true. Node only.
   */
  fastPath?: boolean
}

/** A socket that is being opened. */
export interface OpeningSocket {
  readonly socket: WebSocketLike
  /** The proxy it is opened through, by its address without credentials. */
  readonly proxy?: string | undefined
  /** What is known of the cause, where opening fails; browsers tell none. */
  failure(): Partial<Failure>
}

/** What one attempt to open a socket needs besides the address. */
export interface SocketOptions extends Omit<SocketSettings, 'headers'> {
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The largest frame accepted, in bytes, where the socket can hold to it itself. */
  readonly maxMessage: number
}

/**
 * `#socket` is the browser's WebSocket or Node's, by the import conditions; both have these three.
 *
 * Checks a client's settings: throws `RpcConfigError` where they are wrong, or can't be held to here.
 */
export type AssertSocketSettings = (settings: SocketSettings) => void

/** Makes a transport of a socket that has opened. */
export type TransportOf = (socket: WebSocketLike) => Transport

/** Gets all ready that takes time; what it returns begins to open the WebSocket. */
export type PrepareSocket = (url: string, options: SocketOptions) => Promise<() => OpeningSocket>
