import type { Discovery } from '../calls/discovery.js'
import { RpcConfigError } from '../errors/errors.js'
import { createDiscovery, type DiscoveryInfo } from './create-discovery.js'

/**
 * The option `discover` of programs that serve many callers.
 *
 * - `true`: a caller that asks (`rpc.discover`) gets an OpenRPC document of the methods that it may call.
 * - An object: the same, with this title, version and description.
 * - A function: it makes the answer.
 * - `false`: no caller gets an answer.
 */
export type DiscoveryOption = boolean | DiscoveryInfo | Discovery

/**
 * @returns the function that answers `rpc.discover`; undefined if no caller gets an answer. Call it once for all
 *   channels of a program: the function keeps the schemas that it has converted.
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
