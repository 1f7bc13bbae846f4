import type { LoggerOption } from '../logging/logger.js'
import type { RetryOptions } from './dial/backoff.js'
import type { Link, LinkEvents } from './dial/link.js'
import type { UrlSource } from './dial/url.js'

/** What a link that shares another program's connection has to know of the client's own wishes. */
export interface ShareOptions {
  readonly url: UrlSource
  readonly retry: RetryOptions
  readonly connectTimeoutMs: number
  /** The option `logger` of the client. */
  readonly logger?: LoggerOption | undefined
}

/** Has a client use another program's connection to its server; made by `betweenTabs` of `@flashrpc/core/tabs`. */
export interface Share {
  /**
   * @param createOwn makes a link of the client's own, for the day when nothing can be shared any more.
   * @returns `undefined` where nothing can be shared: then the client has a connection of its own.
   */
  createLink(options: ShareOptions, events: LinkEvents, createOwn: () => Link): Link | undefined
}
