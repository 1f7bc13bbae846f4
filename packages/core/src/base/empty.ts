/**
 * Stand for a map, and a set, that nothing was put in yet: of a channel's many, most stay empty, and a server has
 * many channels. They are read and deleted from as others are; whoever adds makes one of its own first.
 */
// biome-ignore lint/suspicious/noExplicitAny: nothing is in them, of whatever kind
export const EMPTY_MAP: Map<any, any> = new Map()
// biome-ignore lint/suspicious/noExplicitAny: as above
export const EMPTY_SET: Set<any> = new Set()

/** @returns the map, or another in the place of {@link EMPTY_MAP}. */
export function ownMap<K, V>(map: Map<K, V>): Map<K, V> {
  return map === EMPTY_MAP ? new Map() : map
}

/** @returns the set, or another in the place of {@link EMPTY_SET}. */
export function ownSet<T>(set: Set<T>): Set<T> {
  return set === EMPTY_SET ? new Set() : set
}
