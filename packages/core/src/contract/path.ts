import { type ContractSide, type Definition, type FlatSide, isDefinition } from './contract.js'

/**
 * The paths of a contract: a method in a group has the path of its group before its name, such as `users.admin.remove`.
 * That path is its name on the wire.
 */

/** A definition has a kind. A group of methods has none. */
export interface WithKind {
  /** Tells methods, streams and notifications from each other. */
  readonly kind: string
}

// These types have names because TypeScript makes an object type that is written inside a generic type again for each
// method of a contract.
type NoGroup = WithKind | ((...args: never) => unknown)

/** `M` if it is a group of methods, otherwise never. */
export type GroupOf<M> = M extends NoGroup
  ? never
  : string extends keyof M
    ? never
    : M extends object
      ? M
      : never

/** The names of a side's methods on the wire. */
export type Name<S> = {
  [K in keyof S & string]: [GroupOf<S[K]>] extends [never] ? K : `${K}.${Name<GroupOf<S[K]>>}`
}[keyof S & string]

/** The names of a side's methods on the wire, and the paths of its groups. */
export type Path<S> = {
  [K in keyof S & string]: [GroupOf<S[K]>] extends [never] ? K : K | `${K}.${Path<GroupOf<S[K]>>}`
}[keyof S & string]

/** The member of a side at a path: a method, or a group of them. */
export type At<S, P> = string extends keyof S
  ? S[keyof S & string]
  : P extends keyof S
    ? S[P]
    : P extends `${infer Head}.${infer Rest}`
      ? Head extends keyof S
        ? At<S[Head], Rest>
        : never
      : never

/** The sides that have groups, and their methods by their paths. */
const flatSides = new WeakMap<ContractSide, FlatSide>()

/** @returns all methods of a side, by their names on the wire. A side without groups is returned as it is. */
export function flatSideOf(side: ContractSide): FlatSide
export function flatSideOf(side: ContractSide | undefined): FlatSide | undefined
export function flatSideOf(side: ContractSide | undefined): FlatSide | undefined {
  if (!side || Object.values(side).every(isDefinition)) return side as FlatSide | undefined
  let flat = flatSides.get(side)
  if (!flat) {
    flat = Object.fromEntries(entriesOf(side, ''))
    flatSides.set(side, flat)
  }
  return flat
}

function entriesOf(group: ContractSide, prefix: string): [string, Definition][] {
  return Object.entries(group).flatMap(([name, member]) =>
    isDefinition(member)
      ? [[prefix + name, member] as [string, Definition]]
      : entriesOf(member, `${prefix}${name}.`),
  )
}
