import type { FlatSide, Side } from '../../contract/contract.js'
import { nearestName } from '../../errors/nearest.js'

/** The most names of a contract that an error lists. */
const MAX_LISTED = 10

/**
 * @param otherSide the side of the other program, if handlers are looked for. It may have the name.
 * @param own the name of the side of this program, if handlers are looked for.
 * @returns the end of an error for a name that a side of a contract does not have: the names that it has, and a remedy.
 */
export function insteadOf(name: string, side: FlatSide, otherSide?: FlatSide, own?: Side): string {
  const known = Object.keys(side)
  const more = known.length - MAX_LISTED
  const listed = known.slice(0, MAX_LISTED).join(', ') || 'nothing'
  const nearest = nearestName(name, known)
  let remedy = nearest
    ? `Did you mean "${nearest}"?`
    : 'Check the spelling, or add it to the contract'
  if (otherSide && Object.hasOwn(otherSide, name)) {
    const how = own === 'server' ? `channel.other.${name}` : 'useRpcCall'
    remedy = `The other side has it: call it (${how})`
  }
  return `has ${listed}${more > 0 ? ` and ${more} more` : ''}. ${remedy}`
}
