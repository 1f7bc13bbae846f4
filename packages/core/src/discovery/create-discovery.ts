import type { Discovery, Served } from '../calls/discovery.js'
import type { FlatSide } from '../contract/contract.js'
import { assertOptions } from '../errors/assert-options.js'
import type { OptionKinds } from '../errors/options.js'
import {
  describeSide,
  type OpenRpcDocument,
  type OpenRpcInfo,
  openRpcDocument,
} from './open-rpc.js'

/** The title, the version and the description of a program, for its document. */
export type DiscoveryInfo = Partial<OpenRpcInfo>

const INFO = {
  title: 'string',
  version: 'string',
  description: 'string',
} as const satisfies OptionKinds<DiscoveryInfo>

/**
 * Makes the answers to `rpc.discover`, for the option `discover` of a channel or a client: an OpenRPC document of its
 * contract. An endpoint makes its own.
 *
 * @throws {RpcConfigError} naming the member that is wrong.
 * @example createChannel(contract, { side: 'server', transport, discover: createDiscovery() })
 */
export function createDiscovery(info: DiscoveryInfo = {}): Discovery {
  assertOptions('discover', info, INFO)
  // Schemas are converted once, so that a caller that asks often costs only the sending.
  const described = new WeakMap<FlatSide, ReturnType<typeof describeSide>>()
  const describe = (side: FlatSide) => {
    const description = described.get(side) ?? describeSide(side)
    described.set(side, description)
    return description
  }
  return ({ sideName, side, names }: Served): OpenRpcDocument =>
    openRpcDocument(
      { title: `flashrpc ${sideName}`, version: '0.0.0', ...info },
      names,
      side && describe(side),
    )
}
