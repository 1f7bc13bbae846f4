/**
 * Counts the dates that were turned into text so far. Compare it before and after a message is made to find out whether
 * the message has a date.
 */
export const datesMade = { count: 0 }

/** Whether a value is a date with the standard `toJSON`, as nearly all dates have. Such dates are counted. */
export function isPlainDate(value: object): boolean {
  if (!(value instanceof Date) || value.toJSON !== Date.prototype.toJSON) return false
  datesMade.count++
  return true
}

/** Whether a value has a `toJSON`, as a `Date` or a `Buffer` has. */
export function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}
