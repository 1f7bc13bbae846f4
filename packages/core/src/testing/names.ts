import { RpcConfigError } from '../errors.js'

/**
 * Throws if the options have a member with an unknown name: a misspelt fault would do nothing, and the test would pass
 * without it.
 *
 * @param subject what the options belong to, for the text of the error.
 * @throws {RpcConfigError} naming the member and, if it can be guessed, the name that was meant.
 */
export function assertMembers(subject: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const what = options === null ? 'null' : JSON.stringify(options)
    throw new RpcConfigError(
      `${subject} takes an object with ${known.join(', ')}; it is ${what ?? String(options)}`,
    )
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const nearest = nearestOf(name, known)
    const remedy = nearest ? `; do you mean ${nearest}?` : ''
    throw new RpcConfigError(
      `${subject} knows no ${JSON.stringify(name)}, only ${known.join(', ')}${remedy}`,
    )
  }
}

/** @returns the name that differs least; `undefined` if all differ in most letters. */
function nearestOf(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = Math.ceil((name.length + 1) / 2)
  for (const one of known) {
    const edits = editsBetween(name.toLowerCase(), one.toLowerCase())
    if (edits < least) {
      least = edits
      nearest = one
    }
  }
  return nearest
}

/**
 * How many letters must be inserted, removed, replaced, or swapped with the next one: the optimal string alignment
 * distance.
 */
function editsBetween(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, n) => n)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= from.length; i++) {
    rows.push([i])
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      const isSwapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const edits = Math.min(
        at(i - 1, j - 1) + (isSame ? 0 : 1),
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
      rows[i]?.push(edits)
    }
  }
  return at(from.length, to.length)
}
