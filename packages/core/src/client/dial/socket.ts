import type { Transport } from '../../transport/transport.js'
import type { WebSocketLike } from '../../transport/web-socket.js'
import type { Failure } from './failure.js'

/**
 * Headers of the request that opens a connection, or a function that returns them, which is called before each attempt.
 */
export type HeadersSource =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)

/** The certificates to trust and to present on `wss:`, as the options of the same names in `node:tls`. */
export interface TlsSettings {
  /** Certificates to trust instead of those that Node trusts: PEM. They apply to an `https:` proxy, too. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** The client's own certificate, if the server asks for one: PEM. */
  readonly cert?: string | Uint8Array
  /** The private key of `cert`: PEM. */
  readonly key?: string | Uint8Array
  /** The passphrase that `key` is encrypted with. */
  readonly passphrase?: string
  /** The name that the server's certificate must have. Default: the url's host. */
  readonly servername?: string
  /**
   * Whether the certificate is checked. If false, any server is trusted, and there is no protection: for tests only.
   * Default true.
   */
  readonly rejectUnauthorized?: boolean
}

/** How to open a client's sockets, beyond their address. Node only: browsers do not allow these settings. */
export interface SocketSettings {
  /**
   * Headers of the request that opens the connection, such as `authorization` and `cookie`, or a function that returns
   * them, which is called before every attempt. Node only: a page puts its token into the url, or lets the browser send
   * its cookies.
   */
  headers?: HeadersSource
  /**
   * The proxy to connect through, such as `http://user:password@proxy.example.com:3128`; `false`
   * connects without. Default: that of `HTTP_PROXY` (for `ws:`) or `HTTPS_PROXY` (for `wss:`), unless
   * `NO_PROXY` names the server. Node only: browsers have their own setting.
   */
  proxy?: string | URL | false
  /** The certificates to trust and to present on `wss:`. Node only. */
  tls?: TlsSettings
  /**
   * Whether frames are read and written in fewer steps than the package `ws` takes. False leaves all of them to `ws`,
   * which costs a small call some 15 % more CPU: set it to find out whether a fault lies there. If the private members
   * of the installed version of `ws` are not as expected, it is false by itself. Default true. Node only.
   */
  fastPath?: boolean
}

/** A socket that is being opened. */
export interface OpeningSocket {
  readonly socket: WebSocketLike
  /** The proxy that it is opened through, by its address without credentials. */
  readonly proxy?: string | undefined
  /** @returns the known facts of the cause if opening fails. Browsers report none. */
  failure(): Partial<Failure>
}

/** The options of one attempt to open a socket, besides the address. */
export interface SocketOptions extends Omit<SocketSettings, 'headers'> {
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The largest frame that is accepted, in bytes, if the socket itself can enforce it. */
  readonly maxMessage: number
}

/**
 * `#socket` is the browser's WebSocket or Node's, by the import conditions; both have these three.
 *
 * Checks a client's settings: throws `RpcConfigError` if they are wrong, or not possible on this platform.
 */
export type AssertSocketSettings = (settings: SocketSettings) => void

/** Makes a transport of an open socket. */
export type TransportOf = (socket: WebSocketLike) => Transport

/** Does the slow preparations. The returned function begins to open the WebSocket. */
export type PrepareSocket = (url: string, options: SocketOptions) => Promise<() => OpeningSocket>
