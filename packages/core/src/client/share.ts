import type { LoggerOption } from '../logging/logger.js'
import type { RetryOptions } from './dial/backoff.js'
import type { Connector, ConnectorEvents } from './dial/connector.js'
import type { UrlSource } from './dial/url.js'

/** The options of the client that a connector needs if it shares another program's connection. */
export interface ShareOptions {
  readonly url: UrlSource
  readonly retry: RetryOptions
  readonly connectTimeoutMs: number
  /** The option `logger` of the client. */
  readonly logger?: LoggerOption | undefined
}

/** Lets a client use another program's connection to its server. Made by `betweenTabs` of `@flashrpc/core/tabs`. */
export interface Share {
  /**
   * @param createOwn makes a connector of the client's own, for when the connection can't be shared any more.
   * @returns the connector; `undefined` if nothing can be shared. Then the client has its own connection.
   */
  createConnector(
    options: ShareOptions,
    events: ConnectorEvents,
    createOwn: () => Connector,
  ): Connector | undefined
}
