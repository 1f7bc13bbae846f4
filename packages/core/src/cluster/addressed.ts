import { addComputedExtra } from '../calls/computed-extras.js'
import type { Around, Feature } from '../calls/feature.js'
import type { PendingCall } from '../calls/pending-call.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { RpcConfigError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { insteadOf } from '../features/diagnostics/unknown-name.js'
import { middleware } from '../features/middleware/middleware.js'

const AROUND = middleware().around as Around

/** The calls of links that are for a channel, and have middleware. */
const FOR_CLIENTS = new WeakSet<PendingCall>()

/** The middleware of links surrounds the calls that are for a channel, and not the messages of the nodes themselves. */
export const MIDDLEWARE_OF_LINKS: Feature = {
  name: 'cluster',
  around: {
    ...AROUND,
    send: (channel, surrounded) =>
      FOR_CLIENTS.has(surrounded.call) ? AROUND.send(channel, surrounded) : surrounded.send(),
  },
}

/**
 * Calls over a link between nodes name the channel that they are for (`rpc.to`). Only links have this feature: other
 * channels ignore the name. The caller's node validates the results.
 *
 * @param clients the methods of clients; undefined without a contract.
 */
export function addressed(clients: FlatSide | undefined): Feature {
  return {
    name: 'cluster',
    callOptions: {
      to: {
        check({ method }) {
          if (!clients || definitionOf(clients, method)) return
          const instead = insteadOf(method, clients)
          throw new RpcConfigError(
            `Unknown method ${quoted(method)}: the other side of the contract ${instead}`,
            { method },
          )
        },
        open(channel, call, to: string) {
          call.definition = definitionOf(clients, call.method)
          if (channel.kind.settings.use) FOR_CLIENTS.add(call)
          addComputedExtra(call, 'to', () => to)
        },
      },
    },
    extras: {
      to: {
        isForNotifications: true,
        whyWrong: (value, { method }) =>
          value === undefined || typeof value === 'string'
            ? undefined
            : `rpc.to of ${quoted(method)} must be text`,
        take(_, context, value) {
          if (value !== undefined) context.to = value as string
        },
      },
    },
  }
}

/**
 * Calls that a node passes on to its own client keep the metadata that they came with (the option `passed`), and what
 * comes back is left for the caller's node to validate.
 */
export const PASSED: Feature = {
  name: 'cluster',
  callOptions: {
    passed: {
      open(_, call, meta: Record<string, string>) {
        call.definition = undefined
        if (Object.keys(meta).length === 0) return
        call.passedMeta = meta
        addComputedExtra(call, 'meta', () => meta)
      },
    },
  },
}
