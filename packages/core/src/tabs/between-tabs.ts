import type { Link, LinkEvents } from '../client/dial/link.js'
import type { Share, ShareOptions } from '../client/share.js'
import { assertFunction, assertOptions, type OptionKinds } from '../errors/assert-options.js'
import { describeThrown, RpcConfigError } from '../errors/errors.js'
import { OF_CONNECTION } from '../logging/error-context.js'
import { log } from '../logging/logger.js'
import { SharedLink, type SharedLinkOptions, type SharedWorkerLike } from './shared-link.js'
import { OWN_CONNECTION, TabLink } from './tab-link.js'

/** Which tabs share. */
export interface BetweenTabsOptions {
  /**
   * Who uses this tab: any text that differs from user to user, or a function that says it, asked before each attempt
   * to join a worker. Tabs share a connection where it is the same. Default: where the `url` is the same, letter by
   * letter, so that a url with a token of its own for each tab shares nothing.
   */
  user?: SharedLinkOptions['user']
}

const TABS_OPTIONS = { user: 'elsewhere' } as const satisfies OptionKinds<BetweenTabsOptions>

/**
 * Has the tabs of an origin share one connection, where the browser has a `SharedWorker`; elsewhere each has its
 * own. For the option `share` of a client.
 *
 * A tab has a connection of its own where the worker has that of another user, is of another version of flashrpc, or
 * can't be joined three times in a row (its script is not served, or says nothing); the client's `logger` is told.
 *
 * @param createWorker makes the worker whose script calls `serveTabs()`. Tabs share what has the same script and
 *   the same `name`. What it throws fails an attempt to connect, but a `SecurityError` (a page that may have none):
 *   then the tab has its own.
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
    createLink(wishes: ShareOptions, events: LinkEvents, createOwn: () => Link): Link | undefined {
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
      return new TabLink(
        (alone) => new SharedLink(takeFirst, { ...wishes, user }, events, alone),
        createOwn,
        wishes,
      )
    },
  }
}
