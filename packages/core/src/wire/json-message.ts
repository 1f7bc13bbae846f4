import type { Attached, Attachments, JsonMessage } from './attachments.js'
import { described, isBinary } from './binary.js'
import { carefully, type Take } from './careful-json.js'
import { jsonOf } from './json-text.js'
import { isPlainDate, saysItsJson } from './says-its-json.js'

/** A value is searched down to this level only, because a cycle has no end. */
const MAX_SEARCHED_DEPTH = 100
/** A message that was made as text only nests no deeper than this. */
export const SHALLOW_LEVELS = MAX_SEARCHED_DEPTH + 1

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
  if (attachments) return attachments.encode(message)
  const { frame, depth } = carefully(message, refuse)
  return jsonMessage(frame, depth, undefined)
}

/** @returns the text alone, if no more must be known of the message. */
export function jsonMessage(
  frame: string,
  depth: number,
  attached: Attached | undefined,
): string | JsonMessage {
  return attached || depth > SHALLOW_LEVELS ? { frame, depth, attached } : frame
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

const refuse: Take = (bytes, at) => {
  throw new TypeError(`${described(bytes, at)}, and JSON carries no bytes: add bytes() to features`)
}
