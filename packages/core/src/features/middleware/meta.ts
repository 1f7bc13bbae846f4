import type { Meta } from '../../calls/middleware-call.js'

const MAX_ENTRIES = 32
/** The limit of all names and texts together. */
const MAX_CHARACTERS = 16_384

/** @returns a new meta object without a prototype, so that names of members of `Object` have no special meaning. */
export function createMeta(entries: object = {}): Meta {
  return Object.assign(Object.create(null), entries)
}

/** @returns why a value can't be sent as meta, as a text that follows its name; undefined if it can. */
export function whyNoMeta(meta: unknown): string | undefined {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) {
    return 'must be an object of texts'
  }
  const entries = Object.entries(meta)
  if (entries.length > MAX_ENTRIES) {
    return `may have ${MAX_ENTRIES} entries, and has ${entries.length}`
  }
  let characters = 0
  for (const [name, text] of entries) {
    if (typeof text !== 'string') return 'must have nothing but texts'
    characters += name.length + text.length
  }
  if (characters <= MAX_CHARACTERS) return undefined
  return `may have ${MAX_CHARACTERS} characters, and has ${characters}`
}
