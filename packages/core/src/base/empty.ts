/**
 * An empty map and an empty set, shared by all that have no entries yet. Most maps and sets of a channel stay empty,
 * and a server has many channels. Code may read and delete in them as in others. Code that adds an entry makes its own
 * first.
 */
// biome-ignore lint/suspicious/noExplicitAny: nothing is in them, of whatever kind
export const EMPTY_MAP: Map<any, any> = new Map()
// biome-ignore lint/suspicious/noExplicitAny: as above
export const EMPTY_SET: Set<any> = new Set()

/** @returns the map, or a new one if it is {@link EMPTY_MAP}. */
export function ownMap<K, V>(map: Map<K, V>): Map<K, V> {
  return map === EMPTY_MAP ? new Map() : map
}

/** @returns the set, or a new one if it is {@link EMPTY_SET}. */
export function ownSet<T>(set: Set<T>): Set<T> {
  return set === EMPTY_SET ? new Set() : set
}
