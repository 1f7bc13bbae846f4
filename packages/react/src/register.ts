import type { Contract, ContractSide } from '@flashrpc/core'

/**
 * An application names its contract here, once, so that every hook knows its types:
 *
 * @example
 * declare module '@flashrpc/react' {
 *   interface Register { contract: typeof contract }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications fill it by declaration merging
export interface Register {}

/** The contract that was registered, or any. */
export type RegisteredContract = Register extends {
  /** The contract of the application. */
  contract: infer C extends Contract
}
  ? C
  : Contract<LooseSide, LooseSide>

/** A side of a contract that is not known. */
// biome-ignore lint/suspicious/noExplicitAny: without a contract nothing is known of a method
export type LooseSide = Record<string, any> & ContractSide
