import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import type { MessagePortLike } from '../transport/ports.js'
import { randomId } from '../wire/random-id.js'
import { holdLock } from './locks.js'
import { TabServer, type TabsOptions } from './tab-server.js'

/** The part of a shared worker's global object that `serveTabs` uses. The types of the DOM don't have it. */
interface SharedWorkerGlobal {
  readonly SharedWorkerGlobalScope?: unknown
  addEventListener(
    type: 'connect',
    listener: (event: { readonly ports: readonly MessagePortLike[] }) => void,
  ): void
}

const SERVE_OPTIONS = {
  codec: 'elsewhere',
  connectTimeoutMs: 'elsewhere',
  dialect: 'elsewhere',
  frameType: 'elsewhere',
  heartbeat: 'elsewhere',
  limits: 'elsewhere',
  logger: 'elsewhere',
  plain: 'boolean',
  resume: 'boolean',
  retry: 'elsewhere',
} as const satisfies OptionKinds<TabsOptions>

/**
 * Makes a `SharedWorker` the worker through which all tabs of an origin share a connection. It is the whole script of
 * the worker. It needs no contract and no address: the tabs name the server.
 *
 * Call it while the script first runs, and not after an `await`: tabs that connect before it are ignored.
 *
 * @param options the options of the one connection. They are options of a client.
 *   `codec` and `frameType` must be those of the tabs. Default: the defaults of a client.
 * @throws {RpcConfigError} if it is not called in a shared worker, or an option is wrong.
 *
 * @example
 * // rpc.worker.ts
 * serveTabs()
 */
export function serveTabs(options: TabsOptions = {}): void {
  const scope = globalThis as unknown as SharedWorkerGlobal
  if (scope.SharedWorkerGlobalScope === undefined) {
    throw new RpcConfigError(
      'serveTabs() is for the script of a SharedWorker. In a page, give the client share: betweenTabs(…)',
    )
  }
  assertOptions('serveTabs', options, SERVE_OPTIONS)
  const forEver = new AbortController().signal
  const server = new TabServer(options, holdLock(`flashrpc:${randomId()}`, forEver))
  scope.addEventListener('connect', ({ ports: [port] }) => {
    if (port) void server.accept(port)
  })
}
