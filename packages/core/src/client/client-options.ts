import { CHANNEL_OPTIONS, type ChannelOptions } from '../calls/options.js'
import type { OptionKinds } from '../errors/options.js'
import type { ClientSocket } from './client-socket.js'
import type { RetryOptions } from './dial/backoff.js'
import type { SocketSettings } from './dial/socket.js'
import type { Connect } from './dial/transport-dialer.js'
import type { UrlSource } from './dial/url.js'
import type { Share } from './share.js'

/** Options of a client that say how to reach the server: exactly one of them. */
export type ClientTarget =
  | {
      /**
       * The server's address (`ws:` or `wss:`), or a function that returns it, which is called before every attempt.
       */
      url: UrlSource
      /** Not beside a `url`. */
      transport?: undefined
      /** Not beside a `url`. */
      socket?: undefined
    }
  | {
      /** Not beside a `transport`. */
      url?: undefined
      /** Makes each connection, if it is not a WebSocket to an address. */
      transport: Connect
      /** Not beside a `transport`. */
      socket?: undefined
    }
  | {
      /** Not beside a `socket`. */
      url?: undefined
      /** Not beside a `socket`. */
      transport?: undefined
      /** A socket of the application that connects again by itself: `fromReconnectingWebSocket(…)`. */
      socket: ClientSocket
    }

/** Options of a client besides its target, its methods and its hooks. */
export interface ClientSettings extends Omit<ChannelOptions, 'helloTimeoutMs'>, SocketSettings {
  /**
   * Shares another program's connection to the `url`: `betweenTabs(…)` of `@flashrpc/core/tabs`. Default: the client
   * has its own connection.
   */
  share?: Share
  /** When to try again. An option that is left out keeps its default. */
  retry?: Partial<RetryOptions>
  /** How long one attempt to connect may take, in ms, until the server has answered the hello. Default 10,000. */
  connectTimeoutMs?: number
  /**
   * Whether calls go on after a lost connection, if the server keeps sessions (its option `resume`). Default true. If
   * false, calls that were sent end with their connection.
   */
  resume?: boolean
  /** Whether the client connects as soon as it is made. Default true. If false, `connect()` begins. */
  autoConnect?: boolean
}

/** The options that say how a client reaches its server and how it behaves. */
export const CLIENT_SETTINGS = {
  ...CHANNEL_OPTIONS,
  helloTimeoutMs: undefined,
  url: 'elsewhere',
  transport: 'elsewhere',
  socket: 'elsewhere',
  headers: 'elsewhere',
  proxy: 'elsewhere',
  tls: 'elsewhere',
  fastPath: 'elsewhere',
  share: 'elsewhere',
  retry: 'elsewhere',
  connectTimeoutMs: 'elsewhere',
  resume: 'boolean',
  autoConnect: 'boolean',
} as const satisfies OptionKinds<ClientTarget & ClientSettings, 'helloTimeoutMs'>
