import { type Count, countOf } from './source-functions.ts'
import { SIDES, type Walk } from './walks.ts'

/**
 * The most that either side may need: what it needs now, with a little room for the functions. Lower them when a walk
 * gets shorter.
 */
export const BUDGETS: Readonly<Record<Walk['name'], Count>> = {
  call: { functions: 78, files: 24 },
  item: { functions: 44, files: 15 },
  resume: { functions: 250, files: 53 },
}

/** In words: what of a walk is above its budget. */
export function excesses(walk: Walk, budget: Count = BUDGETS[walk.name]): string[] {
  return SIDES.flatMap((side) => {
    const count = countOf(walk[side])
    return (['functions', 'files'] as const).flatMap((what) =>
      count[what] > budget[what]
        ? [`${walk.title}, ${side}: ${count[what]} ${what}, and at most ${budget[what]} may be`]
        : [],
    )
  })
}
