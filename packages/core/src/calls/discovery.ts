import type { ContractSide, Side } from '../contract/contract.js'

/** What a side serves to one caller. */
export interface Served {
  /** The part that it plays in the contract. */
  readonly sideName: Side
  /** What the contract gives it; without a contract, only names are known. */
  readonly side: ContractSide | undefined
  /** The names that this caller may call. */
  readonly names: readonly string[]
}

/** Answers `rpc.discover`; made by `createDiscovery` of `@flashrpc/core/discovery`. */
export type Discovery = (served: Served) => object
