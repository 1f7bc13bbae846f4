import type { Discovery } from '../calls/discovery.js'
import { RpcConfigError } from '../errors/errors.js'
import { createDiscovery, type DiscoveryInfo } from './create-discovery.js'

/**
 * The option `discover` of programs that serve many callers. `true`: callers that ask (`rpc.discover`) are
 * told what they may call, as an OpenRPC document of the contract. An object: the same, with this title,
 * version and description. A function: what answers instead. `false`: nobody is told.
 */
export type DiscoveryOption = boolean | DiscoveryInfo | Discovery

/**
 * @returns what answers `rpc.discover`; undefined if nobody is told. Call it once for all channels of a program: the
 *   result keeps the schemas that it has converted.
 * @throws {RpcConfigError} if the option is not a {@link DiscoveryOption}.
 */
export function resolveDiscovery(discover: DiscoveryOption = false): Discovery | undefined {
  if (typeof discover === 'boolean') return discover ? createDiscovery() : undefined
  if (typeof discover === 'function') return discover
  if (typeof discover === 'object' && discover !== null && !Array.isArray(discover)) {
    return createDiscovery(discover)
  }
  throw new RpcConfigError('discover must be true, false or { title, version, description }')
}
