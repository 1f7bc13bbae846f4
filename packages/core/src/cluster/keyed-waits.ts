import type { CallContext } from '../calls/call-context.js'
import type { NodeRuns } from '../server/wait-elsewhere.js'
import { isObject } from './checks.js'
import type { Links } from './links.js'

/** The service of a node that answers when its run of a key has ended. */
const KEYED_WAIT = 'keyed.wait'

/** Serves the nodes that wait for runs of this one. @param wait see `SeatHost`. */
export function serveKeyedWaits(
  links: Links,
  wait: (key: string, signal: AbortSignal) => Promise<boolean>,
): void {
  links.serve(KEYED_WAIT, (_, params, context: CallContext) => {
    const { key } = isObject(params) ? params : {}
    return typeof key === 'string' && wait(key, context.signal)
  })
}

/** The runs of other nodes. @param links undefined until the endpoint is made. */
export function nodeRuns(node: string, links: () => Links | undefined): NodeRuns {
  return {
    node,
    async wait(to, key, signal) {
      const options = { signal, timeout: Number.POSITIVE_INFINITY }
      try {
        return (await links()?.to(to).call(KEYED_WAIT, { key }, options)) === true
      } catch {
        return false
      }
    },
  }
}
