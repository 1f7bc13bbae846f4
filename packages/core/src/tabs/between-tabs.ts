import type { Link, LinkEvents } from '../client/link.js'
import type { Share, ShareOptions } from '../client/share.js'
import { RpcConfigError } from '../errors.js'
import { SharedLink, type SharedWorkerLike } from './shared-link.js'

/**
 * Has the tabs of an origin share one connection, where the browser has a `SharedWorker`; elsewhere each has its
 * own. For the option `share` of a client.
 *
 * @param createWorker makes the worker whose script calls `serveTabs()`. Tabs share what has the same script and
 *   the same `name`: give workers of different servers, or of different users, different names. What it throws
 *   fails an attempt to connect, but a `SecurityError` (a page that may have none): then the tab has its own.
 * @throws {RpcConfigError} where it is no function.
 *
 * @example
 * createClient(contract, {
 *   url: 'wss://app.example.com/rpc',
 *   share: betweenTabs(
 *     () => new SharedWorker(new URL('./rpc.worker.ts', import.meta.url), { type: 'module' }),
 *   ),
 * })
 */
export function betweenTabs(createWorker: () => SharedWorkerLike): Share {
  if (typeof createWorker !== 'function') {
    throw new RpcConfigError('betweenTabs takes a function that makes a SharedWorker')
  }
  return {
    createLink(options: ShareOptions, events: LinkEvents): Link | undefined {
      if (typeof globalThis.SharedWorker !== 'function') return undefined
      let first: SharedWorkerLike | undefined
      try {
        first = createWorker()
      } catch (thrown) {
        if ((thrown as Partial<Error> | null)?.name === 'SecurityError') return undefined
      }
      const takeFirst = () => {
        const worker = first ?? createWorker()
        first = undefined
        return worker
      }
      return new SharedLink(takeFirst, options, events)
    },
  }
}
