import { RpcConfigError } from '@flashrpc/core'
import { hashKey } from '@tanstack/react-query'

/** A member that stands for what JSON has no word for. */
const KIND = '$flashrpc'

/** Numbers of values that are the same only as themselves. */
const numbers = new WeakMap<object, number>()
let lastNumber = 0

/**
 * Params as a key holds them. TanStack Query compares keys as JSON, in which a `Map`, a `Set` and an instance of a class
 * are all `{}`, `NaN` is null, and a `bigint` an error: here each has a word of its own. What says itself what it is as
 * JSON (`toJSON`), such as a `Date`, stays as it is, and an instance that does not is the same only as itself.
 *
 * @throws {RpcConfigError} where a value holds itself.
 */
export function keyParams(method: string, params: unknown): unknown {
  /** The values that hold the one that is looked at. */
  const around = new Set<object>()
  const word = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return primitiveWord(value)
    if (around.has(value)) {
      const message = `The params of "${method}" make no query key: they hold themselves`
      throw new RpcConfigError(message, { method })
    }
    around.add(value)
    const said = objectWord(value, word)
    around.delete(value)
    return said
  }
  return word(params)
}

function primitiveWord(value: unknown): unknown {
  if (typeof value === 'bigint') return { [KIND]: 'bigint', value: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { [KIND]: String(value) }
  if (typeof value === 'function') return { [KIND]: 'function', value: numberOf(value) }
  return value
}

function objectWord(value: object, word: (member: unknown) => unknown): unknown {
  if (ArrayBuffer.isView(value)) return { [KIND]: 'bytes', value: bytesOf(value) }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  if (Array.isArray(value)) return value.map(word)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Map.prototype || prototype === Set.prototype) {
    const members = [...(value as Iterable<unknown>)].map(word)
    return { [KIND]: prototype === Map.prototype ? 'Map' : 'Set', value: inOrder(members) }
  }
  if (prototype !== null && prototype !== Object.prototype) {
    return { [KIND]: 'instance', value: numberOf(value) }
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, word(member)]))
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): number[] {
  return [...new Uint8Array(buffer, byteOffset, byteLength)]
}

/** The same order, whatever order they were put in. */
function inOrder(words: unknown[]): unknown[] {
  const texts = new Map(words.map((word) => [word, hashKey([word])]))
  const text = (word: unknown) => texts.get(word) ?? ''
  return words.sort((one, other) => (text(one) < text(other) ? -1 : 1))
}

function numberOf(value: object): number {
  const number = numbers.get(value) ?? ++lastNumber
  numbers.set(value, number)
  return number
}
