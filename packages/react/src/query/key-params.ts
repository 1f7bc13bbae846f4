import { RpcConfigError } from '@flashrpc/core'
import { hashKey } from '@tanstack/react-query'

/** The member that marks, in a key, a value that JSON can't express. */
const KIND = '$flashrpc'

/** A number for each value that is compared by identity. */
const numbers = new WeakMap<object, number>()
let lastNumber = 0

/**
 * Makes params ready for a query key. TanStack Query compares keys as JSON, in which a `Map`, a `Set` and an instance
 * of a class are all `{}`, `NaN` is null, and a `bigint` is an error. This function writes each of these in its own
 * way. A value with `toJSON`, such as a `Date`, stays as it is. An instance of a class without it is compared by
 * identity.
 *
 * @throws {RpcConfigError} if a value contains itself.
 */
export function keyParams(method: string, params: unknown): unknown {
  /** The values around the present one. */
  const around = new Set<object>()
  const encode = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return encodePrimitive(value)
    if (around.has(value)) {
      const message = `The params of "${method}" can't be a query key: they contain themselves`
      throw new RpcConfigError(message, { method })
    }
    around.add(value)
    const encoded = encodeObject(value, encode)
    around.delete(value)
    return encoded
  }
  return encode(params)
}

function encodePrimitive(value: unknown): unknown {
  if (typeof value === 'bigint') return { [KIND]: 'bigint', value: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { [KIND]: String(value) }
  if (typeof value === 'function') return { [KIND]: 'function', value: numberOf(value) }
  return value
}

function encodeObject(value: object, encode: (member: unknown) => unknown): unknown {
  if (ArrayBuffer.isView(value)) return { [KIND]: 'bytes', value: bytesOf(value) }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value
  if (Array.isArray(value)) return value.map(encode)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Map.prototype || prototype === Set.prototype) {
    const members = [...(value as Iterable<unknown>)].map(encode)
    return { [KIND]: prototype === Map.prototype ? 'Map' : 'Set', value: inOrder(members) }
  }
  if (prototype !== null && prototype !== Object.prototype) {
    return { [KIND]: 'instance', value: numberOf(value) }
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]))
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): number[] {
  return [...new Uint8Array(buffer, byteOffset, byteLength)]
}

/** Sorts the items of a Set or Map, so that the order in which they were added does not matter. */
function inOrder(values: unknown[]): unknown[] {
  const texts = new Map(values.map((value) => [value, hashKey([value])]))
  const text = (value: unknown) => texts.get(value) ?? ''
  return values.sort((one, other) => (text(one) < text(other) ? -1 : 1))
}

function numberOf(value: object): number {
  const number = numbers.get(value) ?? ++lastNumber
  numbers.set(value, number)
  return number
}
