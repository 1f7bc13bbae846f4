/** Finds the known name that was probably meant. @returns undefined if none is near. */
export type NearestName = (name: string, candidates: Iterable<string>) => string | undefined

/**
 * The known name that was probably meant: the one that differs least, whatever the case of its letters.
 *
 * @returns undefined if none is near. A name is near if at most a third of the letters (but always one) differ and two
 *   letters are the same, or if one name is part of the other.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const asked = name.toLowerCase()
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const length = Math.max(asked.length, known.length)
    // Whatever else differs, the longer one has letters that the other one lacks.
    const most = Math.max(1, Math.floor(length / 3))
    const lacking = length - Math.min(asked.length, known.length)
    const edits = lacking > most ? length : editsBetween(asked, known)
    const isNear =
      (edits <= most && (edits === 0 || haveTwoInCommon(asked, known))) ||
      isPartOf(asked, known) ||
      isPartOf(known, asked)
    if (isNear && edits < least) {
      least = edits
      nearest = candidate
    }
  }
  return nearest
}

/** With one letter in common, almost every name of two letters would be near. */
function haveTwoInCommon(name: string, other: string): boolean {
  let common = 0
  for (const letter of name) if (other.includes(letter) && ++common === 2) return true
  return false
}

/** Two or three letters are part of too many names. */
function isPartOf(part: string, whole: string): boolean {
  return part.length >= 4 && whole.includes(part)
}

/**
 * How many letters must be inserted, removed, replaced, or swapped with the next one: the optimal string alignment
 * distance (Damerau, Levenshtein).
 */
function editsBetween(from: string, to: string): number {
  let before: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, n) => n)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      const isSwapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      row[j] = Math.min(
        at(above, j - 1) + (isSame ? 0 : 1),
        at(above, j) + 1,
        at(row, j - 1) + 1,
        isSwapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = row
  }
  return at(above, to.length)
}

/** A row has what is read of it. */
function at(row: readonly number[], index: number): number {
  return row[index] as number
}
