/**
 * A hash of 53 bits (after cyrb53, which is in the public domain) of plain data, by which states are
 * told apart: among a million, the chance that any two share one is 1 in 18,000, and then one of them
 * goes unexplored. Objects are told apart by their values; their members have one order.
 */
export function fingerprint(state: unknown): number {
  high = 0xdeadbeef
  low = 0x41c6ce57
  mixIn(state)
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0)
}

/** Of the hash that is being made. */
let high = 0
let low = 0

function mixIn(value: unknown): void {
  if (typeof value === 'number') mix(value)
  else if (typeof value === 'string')
    for (let at = 0; at < value.length; at++) mix(value.charCodeAt(at))
  else if (typeof value === 'boolean') mix(value ? -1 : -2)
  else if (Array.isArray(value)) {
    mix(-3 - value.length)
    for (const item of value) mixIn(item)
  } else if (value === null) mix(-0x10000)
  else for (const key in value as object) mixIn((value as Record<string, unknown>)[key])
}

function mix(code: number): void {
  high = Math.imul(high ^ code, 2654435761)
  low = Math.imul(low ^ code, 1597334677)
}
