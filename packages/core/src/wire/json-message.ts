import type { Attachments, JsonMessage } from './attachments.js'
import { described, isBinary } from './binary.js'
import { jsonOf } from './json-text.js'

/** A value is searched down to this level only, because a cycle has no end. */
const MAX_SEARCHED_DEPTH = 100
/** A message that was made as text only nests no deeper than this. */
export const SHALLOW_LEVELS = MAX_SEARCHED_DEPTH + 1
/** The most levels of a message that is made. */
export const MAX_DEPTH = 1_000

/**
 * Makes JSON of a message. For most messages this takes little more work than `JSON.stringify`.
 *
 * @param attachments carries what JSON can't; undefined if nothing does.
 * @throws {TypeError} naming the value that can't be carried.
 */
export function toJson(
  message: object,
  attachments: Attachments | undefined,
): string | JsonMessage {
  if (!mayNeedCare(message, 0)) return jsonOf(message)
  return attachments ? attachments.encode(message) : carefully(message)
}

/**
 * Whether a value may hold bytes, nests deep, or has a `toJSON` of its own, by a quick check: then `JSON.stringify`
 * alone might change it without an error.
 */
function mayNeedCare(value: object, depth: number): boolean {
  if (depth > MAX_SEARCHED_DEPTH) return true
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const item: unknown = value[at]
      if (typeof item === 'object' && item !== null && mayNeedCare(item, depth + 1)) return true
    }
    return false
  }
  if (ArrayBuffer.isView(value)) return true
  if (saysItsJson(value)) return !isPlainDate(value)
  let isEmpty = true
  // Every call passes here: this loop costs a tenth of `JSON.stringify`, `Object.values` a half.
  for (const key in value) {
    isEmpty = false
    const member = (value as Record<string, unknown>)[key]
    if (typeof member === 'object' && member !== null && mayNeedCare(member, depth + 1)) {
      return true
    }
  }
  // This check comes last: raw memory has no members.
  return isEmpty && value.constructor !== Object && isBinary(value)
}

/** Makes JSON of a message that may need care, and refuses bytes. */
function carefully(message: object): string | JsonMessage {
  /** The objects that lead to the value that is looked at, and the names of all but the first. */
  const holders: object[] = []
  const path: string[] = []
  let depth = 0
  const frame = JSON.stringify(message, function (this: object, key, said: unknown) {
    while (holders.length > 0 && holders.at(-1) !== this) {
      holders.pop()
      path.pop()
    }
    const member = (this as Record<string, unknown>)[key]
    for (const value of [member, said]) {
      if (typeof value !== 'object' || value === null || isPlainDate(value)) continue
      if (isBinary(value)) throw new TypeError(refusalOf(value, [...path, key].slice(1)))
    }
    const value = holders.length === 1 ? memberOfMessage(key, said) : said
    if (typeof value !== 'object' || value === null) return value
    if (holders.push(value) > MAX_DEPTH) throw tooDeep(value)
    path.push(key)
    depth = Math.max(depth, holders.length)
    return value
  })
  return depth > SHALLOW_LEVELS ? { frame, depth, attached: undefined } : frame
}

function refusalOf(bytes: object, at: readonly string[]): string {
  return `${described(bytes, at)}, and JSON carries no bytes: add bytes() to features`
}

/** A value that nests so deep is probably a cycle. `JSON.stringify` has the better error for that. */
export function tooDeep(value: object): TypeError {
  JSON.stringify(value)
  return new TypeError(`it nests deeper than ${MAX_DEPTH}`)
}

/**
 * Checks what a `toJSON` has made of params or a result.
 *
 * @returns the member, or null for a result that is undefined, so that the answer has a result.
 * @throws {TypeError} if it can't be in a message.
 */
export function memberOfMessage(name: string, value: unknown): unknown {
  if (name === 'params' && typeof value !== 'object') {
    throw new TypeError('the toJSON of params must give an object')
  }
  if (name !== 'result') return value
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`the toJSON of a result gave a ${typeof value}`)
  }
  return value === undefined ? null : value
}

let dates = 0

/**
 * @returns the number of dates that were turned into text so far. Compare it before and after a message is made to find
 *   out whether the message has a date.
 */
export function datesSoFar(): number {
  return dates
}

/** Whether a date has the standard `toJSON`, as nearly all dates have. */
export function isPlainDate(value: object): boolean {
  if (!(value instanceof Date) || value.toJSON !== Date.prototype.toJSON) return false
  dates++
  return true
}

export function saysItsJson(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}
