import type { FlatSide } from '../../contract/contract.js'
import { nearestName } from '../../errors/nearest.js'

/** How many names of a contract an error lists. */
const MOST_LISTED = 10

/** What a side of a contract has instead of a name, and what to do: for the error of a name that it has not. */
export function insteadOf(name: string, side: FlatSide): string {
  const known = Object.keys(side)
  const more = known.length - MOST_LISTED
  const listed = known.slice(0, MOST_LISTED).join(', ') || 'nothing'
  const nearest = nearestName(name, known)
  const remedy =
    nearest === undefined
      ? 'Check the spelling, or add it to the contract'
      : `Did you mean "${nearest}"?`
  return `has ${listed}${more > 0 ? ` and ${more} more` : ''}. ${remedy}`
}
