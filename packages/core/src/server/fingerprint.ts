import { createHash, type Hash } from 'node:crypto'

/**
 * Identifies a call's method and params. Equal params have the same fingerprint, whatever the order of their members.
 *
 * @returns 43 characters, a SHA-256 in base64url.
 */
export function fingerprintOf(method: string, params: unknown): string {
  const hash = createHash('sha256')
  add(hash, method)
  add(hash, params)
  return hash.digest('base64url')
}

/** Adds the kind, the size and the content of a value, so that two different values never add the same bytes. */
function add(hash: Hash, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    // Neither an absent value nor null has a length: only their texts differ.
    const text = Object.is(value, -0) ? '0' : String(value)
    hash.update(`${typeof value} ${text.length} ${text}`)
  } else if (value instanceof Uint8Array) {
    hash.update(`bytes ${value.byteLength} `).update(value)
  } else if (value instanceof Date) {
    hash.update(`date ${value.getTime()} `)
  } else if (value instanceof Map) {
    addAll(hash, 'map', [...value].flat())
  } else if (value instanceof Set) {
    addAll(hash, 'set', [...value])
  } else if (Array.isArray(value)) {
    addAll(hash, 'array', value)
  } else {
    const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
    addAll(hash, 'object', members.flat())
  }
}

function addAll(hash: Hash, kind: string, values: readonly unknown[]): void {
  hash.update(`${kind} ${values.length} `)
  for (const value of values) add(hash, value)
}
