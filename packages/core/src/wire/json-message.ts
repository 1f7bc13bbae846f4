import type { Attached, Attachments, JsonMessage } from './attachments.js'
import { described, isBinary } from './binary.js'
import { carefulJson, type Take } from './careful-json.js'
import type { NotificationMessage, RequestMessage, ResultMessage } from './message.js'
import { isPlainDate } from './to-json-method.js'

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
  const { params, result, error } = message as { params?: object; result?: unknown; error?: object }
  // A message has one of them, and all else in it is the protocol's own.
  const users = params ?? error ?? result
  const isSafe = typeof users !== 'object' || users === null || !mayNeedCare(users, 1)
  if (isSafe) return jsonOf(message)
  if (attachments) return attachments.encode(message)
  const { frame, depth } = carefulJson(message, refuse)
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
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return !isPlainDate(value)
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

/** The most methods whose JSON is kept. */
const MANY_METHODS = 1_000
/** The JSON of the member that names a call's method, by method. */
const methods = new Map<string, string>()

/**
 * Makes exactly the text that `JSON.stringify` makes of a message, in less time. For a small call, `JSON.stringify`
 * spends more than half of its time on members that are always the same.
 *
 * @param message a message in which only a `Date` has a `toJSON`.
 */
export function jsonOf(message: object): string {
  const { id, method, params, result, rpc } = message as Partial<
    RequestMessage & NotificationMessage & ResultMessage
  >
  // An id in JSON may be larger than the largest number.
  const hasNumber = Number.isFinite(id)
  if (rpc !== undefined || !(hasNumber || id === undefined)) return JSON.stringify(message)
  const head = hasNumber ? `{"jsonrpc":"2.0","id":${id},` : '{"jsonrpc":"2.0",'
  if (typeof method === 'string') {
    const named = head + memberOf(method)
    const text = params === undefined ? `${named}}` : `${named},"params":${JSON.stringify(params)}}`
    // In one piece: V8 keeps the parts of a joined text until a character of it is read. That takes more than twice the
    // memory, and a call keeps its message until it is answered.
    return text.charCodeAt(0) ? text : ''
  }
  // Otherwise an error, or several messages.
  return result === undefined
    ? JSON.stringify(message)
    : `${head}"result":${JSON.stringify(result)}}`
}

function memberOf(method: string): string {
  let member = methods.get(method)
  if (member === undefined) {
    member = `"method":${JSON.stringify(method)}`
    if (methods.size === MANY_METHODS) methods.clear()
    methods.set(method, member)
  }
  return member
}
