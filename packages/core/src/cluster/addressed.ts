import { addComputedExtra } from '../calls/computed-extras.js'
import type { Feature } from '../calls/feature.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { RpcConfigError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { insteadOf } from '../features/diagnostics/unknown-name.js'

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
        open(_, call, to: string) {
          call.definition = definitionOf(clients, call.method)
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
