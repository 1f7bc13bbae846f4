import type { FlatSide, Side } from '../contract/contract.js'

/** The methods that one caller may call on a side. */
export interface Served {
  /** The side's name in the contract. */
  readonly sideName: Side
  /** The side's methods in the contract; without a contract, only names are known. */
  readonly side: FlatSide | undefined
  /** The names of the methods that this caller may call. */
  readonly names: readonly string[]
}

/** Makes the answer to `rpc.discover`; see `createDiscovery` of `@flashrpc/core/discovery`. */
export type Discovery = (served: Served) => object
