const OPEN_ARRAY = 0x5b
const OPEN_OBJECT = 0x7b
const CLOSE_ARRAY = 0x5d
const CLOSE_OBJECT = 0x7d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const SPACE = 0x20

/**
 * Whether JSON nests deeper than it may. This is checked before the text is parsed: `JSON.parse` reads millions of
 * levels, at which `JSON.stringify`, schemas and loops of the application fail. It checks only the brackets outside of
 * strings. The parser finds out whether the text is JSON.
 *
 * @param maxDepth the most levels of a message. An array of messages does not count as a level.
 */
export function nestsDeeper(text: string, maxDepth: number): boolean {
  // Each level takes two characters.
  if (text.length < 2 * maxDepth) return false
  const most = mostLevels(text, maxDepth)
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > most) return true
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--
  }
  return false
}

/** JSON from which the values that nest too deep were removed. */
export interface Pruned {
  /** The JSON, with null in place of each value that nests too deep. */
  readonly text: string
  /** The indexes, in an array of messages, of those that had such values; 0 for a message that came alone. */
  readonly places: ReadonlySet<number>
}

/**
 * Removes the values that nest too deep from JSON, so that the rest can be parsed: the ids, the announcements of bytes,
 * and the other messages.
 *
 * @param text JSON that {@link nestsDeeper} than `maxDepth`. If it is not JSON, the result is not JSON either, unless
 *   the mistake was in a removed part.
 */
export function pruned(text: string, maxDepth: number): Pruned {
  const most = mostLevels(text, maxDepth)
  const isArray = most > maxDepth
  const left: string[] = []
  const places = new Set<number>()
  let depth = 0
  let place = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (depth++ !== most) continue
      left.push(text.slice(from, at), 'null')
      places.add(place)
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      if (--depth === most) from = at + 1
    } else if (code === COMMA && depth === 1 && isArray) place++
  }
  if (depth <= most) left.push(text.slice(from))
  return { text: left.join(''), places }
}

/** @returns how deep a text may nest if each message in it may nest `maxDepth` levels. */
function mostLevels(text: string, maxDepth: number): number {
  let at = 0
  while (text.charCodeAt(at) <= SPACE) at++
  return text.charCodeAt(at) === OPEN_ARRAY ? maxDepth + 1 : maxDepth
}

/** Whether a text has more than `most` opening brackets, also in strings. Otherwise no value in it nests deeper. */
export function opensMore(text: string, most: number): boolean {
  let left = most
  for (const bracket of '{[') {
    let at = text.indexOf(bracket)
    for (; at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true
  }
  return false
}

/** As {@link nestsDeeper}, for a parsed value, which costs a tenth. It walks no deeper than `maxDepth`. */
export function isDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (maxDepth === 0) return true
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const item: unknown = value[at]
      if (typeof item === 'object' && item !== null && isDeeper(item, maxDepth - 1)) return true
    }
    return false
  }
  // `Object.values` would cost as much as the text.
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key]
    if (typeof member === 'object' && member !== null && isDeeper(member, maxDepth - 1)) return true
  }
  return false
}

/** @returns the index of the quote that ends the string which begins here; the end of the text if there is none. */
function endOfString(text: string, begin: number): number {
  for (let at = begin + 1; ; at++) {
    at = text.indexOf('"', at)
    if (at === -1) return text.length
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return at
  }
}
