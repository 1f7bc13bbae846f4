import type { Connector, ConnectorEvents } from '../client/dial/connector.js'
import type { Share, ShareOptions } from '../client/share.js'
import { assertOptions } from '../errors/assert-options.js'
import { describeThrown, RpcConfigError } from '../errors/errors.js'
import { assertFunction, type OptionKinds } from '../errors/options.js'
import { OF_CONNECTION } from '../logging/error-context.js'
import { log } from '../logging/log.js'
import {
  SharedConnector,
  type SharedConnectorOptions,
  type SharedWorkerLike,
} from './shared-connector.js'
import { OWN_CONNECTION, TabConnector } from './tab-connector.js'

/** The options of `betweenTabs`. */
export interface BetweenTabsOptions {
  /**
   * The user of this tab: any text that differs between users, or a function that returns it, which is called before
   * each attempt to join a worker. Tabs with the same user share a connection. Default: tabs share if their `url` is
   * the same, letter by letter. So a url with a token of its own for each tab shares nothing.
   */
  user?: SharedConnectorOptions['user']
}

const TABS_OPTIONS = { user: 'elsewhere' } as const satisfies OptionKinds<BetweenTabsOptions>

/**
 * Lets the tabs of an origin share one connection, if the browser has a `SharedWorker`; otherwise each tab has its own.
 * For the option `share` of a client.
 *
 * A tab has its own connection if the worker serves another user, is of another version of flashrpc, or can't be joined
 * three times in a row (its script is not served, or does not answer). The client's `logger` reports this.
 *
 * @param createWorker makes the worker whose script calls `serveTabs()`. Tabs share a worker if its script and its
 *   `name` are the same. If it throws, the attempt to connect fails. After a `SecurityError` (the page may not have a
 *   worker), the tab has its own connection.
 * @throws {RpcConfigError} if it is not a function, or an option is wrong.
 *
 * @example
 * createClient(contract, {
 *   url: 'wss://app.example.com/rpc',
 *   share: betweenTabs(
 *     () => new SharedWorker(new URL('./rpc.worker.ts', import.meta.url), { type: 'module' }),
 *   ),
 * })
 */
export function betweenTabs(
  createWorker: () => SharedWorkerLike,
  options: BetweenTabsOptions = {},
): Share {
  assertFunction('betweenTabs', createWorker)
  assertOptions('betweenTabs', options, TABS_OPTIONS)
  const { user } = options
  if (user !== undefined && typeof user !== 'string' && typeof user !== 'function') {
    throw new RpcConfigError('user must be a string, or a function that returns one')
  }
  return {
    createConnector(
      wishes: ShareOptions,
      events: ConnectorEvents,
      createOwn: () => Connector,
    ): Connector | undefined {
      if (typeof globalThis.SharedWorker !== 'function') return undefined
      let first: SharedWorkerLike | undefined
      try {
        first = createWorker()
      } catch (thrown) {
        if ((thrown as Partial<Error> | null)?.name === 'SecurityError') {
          log(wishes.logger, 'warn', `${OWN_CONNECTION}: ${describeThrown(thrown)}`, OF_CONNECTION)
          return undefined
        }
      }
      const takeFirst = () => {
        const worker = first ?? createWorker()
        first = undefined
        return worker
      }
      return new TabConnector(
        (alone) => new SharedConnector(takeFirst, { ...wishes, user }, events, alone),
        createOwn,
        wishes,
      )
    },
  }
}
