import { isBinary } from './binary.js'
import { hasToJson, isPlainDate } from './to-json-method.js'

/** The most levels that a message may nest. */
const MAX_DEPTH = 1_000

/** Takes bytes out of a message. @param at the members that lead to them. @returns what takes their place. */
export type Take = (bytes: object, at: readonly string[]) => null

/**
 * Makes JSON of a message that may need care.
 *
 * @returns the text, and how many levels it nests.
 * @throws {TypeError} if a value can't be carried.
 */
export function carefulJson(message: object, take: Take): { frame: string; depth: number } {
  const walk = new Walk(take)
  const left = walk.without(message, []) as Record<string, unknown>
  for (const name of ['params', 'result']) {
    if (!Object.hasOwn(left, name)) continue
    const member = memberOfMessage(name, left[name])
    if (member === left[name]) continue
    return { frame: JSON.stringify({ ...left, [name]: member }), depth: walk.depth }
  }
  return { frame: JSON.stringify(left), depth: walk.depth }
}

/**
 * Walks a message as `JSON.stringify` does, and takes the bytes out of it before their `toJSON` is called: that of a
 * Buffer returns a number for each byte.
 */
class Walk {
  /** The number of levels that were found. */
  depth = 0
  readonly #take: Take

  constructor(take: Take) {
    this.#take = take
  }

  /**
   * @param at the members that lead to the value.
   * @returns the value itself, or an equal one without bytes.
   */
  without(value: object, at: string[]): object {
    if (at.length > MAX_DEPTH) throw tooDeep(value)
    this.depth = Math.max(this.depth, at.length + 1)
    return Array.isArray(value) ? this.#withoutItems(value, at) : this.#withoutMembers(value, at)
  }

  #withoutMembers(value: object, at: string[]): object {
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[key]
      if (typeof member !== 'object' || member === null) continue
      const left = this.#left(member, key, at)
      if (left === member) continue
      copy ??= { ...value } as Record<string, unknown>
      copy[key] = left
    }
    return copy ?? value
  }

  /** In JSON an array has no named members. */
  #withoutItems(value: readonly unknown[], at: string[]): object {
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const item = value[index]
      if (typeof item !== 'object' || item === null) continue
      const left = this.#left(item, String(index), at)
      if (left === item) continue
      copy ??= itemsOf(value)
      copy[index] = left
    }
    return copy ?? value
  }

  /** @returns a member without its bytes. */
  #left(member: object, key: string, at: string[]): unknown {
    if (isPlainDate(member)) return member
    at.push(key)
    const left = this.#converted(member, key, at)
    at.pop()
    return left
  }

  /** @returns what `JSON.stringify` would make JSON of, in place of a member. */
  #converted(member: object, key: string, at: string[]): unknown {
    if (isBinary(member)) return this.#take(member, at)
    if (!hasToJson(member)) return this.without(member, at)
    const json: unknown = member.toJSON(key)
    if (typeof json !== 'object' || json === null) return json
    return isBinary(json) ? this.#take(json, at) : withoutToJson(this.without(json, at))
  }
}

/** Returns a copy without `toJSON`, as that has been called: a second call might return something else. */
function withoutToJson(json: object): object {
  if (!hasToJson(json) || isPlainDate(json)) return json
  return Array.isArray(json) ? itemsOf(json) : { ...json, toJSON: undefined }
}

/** @returns a plain array with the items of an array of a subclass. */
function itemsOf(array: readonly unknown[]): unknown[] {
  return Array.from({ length: array.length }, (_, index) => array[index])
}

/** A value that nests so deep is probably a cycle. `JSON.stringify` has the better error for that. */
function tooDeep(value: object): TypeError {
  JSON.stringify(value)
  return new TypeError(`it nests deeper than ${MAX_DEPTH}`)
}

/**
 * Checks what a `toJSON` has made of params or a result.
 *
 * @returns the member, or null for a result that is undefined, so that the answer has a result.
 * @throws {TypeError} if it can't be in a message.
 */
function memberOfMessage(name: string, value: unknown): unknown {
  if (name === 'params' && typeof value !== 'object') {
    throw new TypeError('the toJSON of params must return an object')
  }
  if (name !== 'result') return value
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(`the toJSON of a result returned a ${typeof value}`)
  }
  return value === undefined ? null : value
}
