import { RpcConfigError } from '../errors.js'
import { nearestName } from '../nearest.js'

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
    const nearest = nearestName(name, known)
    const remedy = nearest ? `; do you mean ${nearest}?` : ''
    throw new RpcConfigError(
      `${subject} knows no ${JSON.stringify(name)}, only ${known.join(', ')}${remedy}`,
    )
  }
}
