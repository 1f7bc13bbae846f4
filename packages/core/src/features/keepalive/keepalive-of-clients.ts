import type { Feature } from '../../calls/feature.js'
import { assertCount } from '../../errors/assert-number.js'
import { withDefaults } from '../../errors/options.js'
import { DEFAULT_HEARTBEAT } from '../../link/heartbeat.js'
import { Keepalive, type KeepaliveOptions } from '../../link/keepalive.js'

/** Keepalive on the side of clients, which limit no rates. */
export const KEEPALIVE_OF_CLIENTS: Feature = keepaliveWith(undefined)

/** @param createRateLimit makes the limit of a server, which slows down a client that sends too much. */
export function keepaliveWith(createRateLimit: KeepaliveOptions['createRateLimit']): Feature {
  return {
    name: 'keepalive',
    resolve({ heartbeat: given }, nearest) {
      const heartbeat =
        given !== false && withDefaults('heartbeat', given, DEFAULT_HEARTBEAT, nearest)
      for (const [name, value] of Object.entries(heartbeat)) assertCount(`heartbeat.${name}`, value)
      const options: KeepaliveOptions = { heartbeat, createRateLimit }
      return {
        createKeepalive: (transport, side, events) =>
          new Keepalive(transport, options, side, events),
      }
    },
  }
}
