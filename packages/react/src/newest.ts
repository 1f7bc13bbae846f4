/** The newest of some items, which are at the end: so many at the most, in an array of their own. */
export function newest<T>(items: readonly T[], most: number): T[] {
  return items.slice(Math.max(0, items.length - most))
}
