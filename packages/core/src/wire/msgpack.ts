import {
  decode,
  decodeTimestampExtension,
  ExtensionCodec,
  encode,
  encodeTimestampExtension,
} from '@msgpack/msgpack'
import { isBinary, isUint8Array, notCarried } from './binary.js'
import { type Codec, readText, utf8 } from './codec.js'
import { assertSane } from './msgpack-guard.js'

/** The application types of docs/protocol.md, "Codec"; −1 is MessagePack's own. */
const Type = { date: -1, map: 1, set: 2, bigint: 3 } as const

/**
 * How deep values may nest, in arrays, objects, Maps and Sets together, both when they are read and when they are
 * written.
 */
const MAX_DEPTH = 100
/** The application types that hold other values. */
const CONTAINERS: ReadonlySet<number> = new Set([Type.map, Type.set])

const extensionCodec = new ExtensionCodec()
const options = { extensionCodec, ignoreUndefined: true, maxDepth: MAX_DEPTH }

function pack(value: unknown): Uint8Array<ArrayBuffer> {
  return encode(value, options)
}

/**
 * How many Maps and Sets surround the value that is being written, and whether the message has any: the encoder counts
 * depth anew in each of them.
 */
let inside = 0
let wasInside = false

/** Writes the values of a Map or a Set. */
function packList(list: unknown[]): Uint8Array<ArrayBuffer> {
  if (inside === MAX_DEPTH) throw new TypeError(`it nests deeper than ${MAX_DEPTH}`)
  inside++
  wasInside = true
  try {
    return pack(list)
  } finally {
    inside--
  }
}

/** Reads the values of a Map or a Set, after {@link assertSane} has checked the frame. */
function unpackList(bytes: Uint8Array): unknown[] {
  const list = decode(bytes, options)
  if (!Array.isArray(list)) throw new TypeError('a Map or a Set must be an array of its items')
  return list
}

/** The encoder asks this extension first for every object, so it rejects the objects that would be mangled. */
extensionCodec.register({
  type: Type.date,
  encode(value) {
    assertCarried(value)
    if (!(value instanceof Date)) return null
    if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date has no timestamp')
    return encodeTimestampExtension(value)
  },
  decode: decodeTimestampExtension,
})

extensionCodec.register({
  type: Type.map,
  encode: (value) => (value instanceof Map ? packList([...value].flat()) : null),
  decode(bytes) {
    const list = unpackList(bytes)
    if (list.length % 2 > 0) throw new TypeError('a Map has a key without a value')
    const map = new Map<unknown, unknown>()
    for (let index = 0; index < list.length; index += 2) map.set(list[index], list[index + 1])
    return map
  },
})

extensionCodec.register({
  type: Type.set,
  encode: (value) => (value instanceof Set ? packList([...value]) : null),
  decode: (bytes) => new Set(unpackList(bytes)),
})

extensionCodec.register({
  type: Type.bigint,
  encode: (value) => (typeof value === 'bigint' ? utf8(value.toString(16)) : null),
  decode(bytes) {
    const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(readText(bytes)) ?? []
    if (digits === undefined) throw new TypeError('a bigint must be a hexadecimal number')
    const value = BigInt(`0x${digits}`)
    return sign ? -value : value
  },
})

function assertCarried(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (isBinary(value) && !isUint8Array(value)) throw new TypeError(notCarried(value, []))
  if (Object.hasOwn(value, '__proto__')) {
    throw new TypeError("a member can't be named __proto__")
  }
}

/**
 * MessagePack, in binary frames. `Date`, `Map`, `Set`, `bigint` and `Uint8Array` keep their types. Members that are
 * undefined are left out. Needs the package `@msgpack/msgpack`.
 */
export const msgpackCodec: Codec = {
  name: 'msgpack',
  encode(message) {
    wasInside = false
    // A copy, because the original is a part of a larger buffer, which a port would post whole.
    const frame = pack(message).slice()
    // The other side would refuse a message that nests too deep, so it is not sent.
    if (wasInside) assertSane(frame, MAX_DEPTH, CONTAINERS)
    return frame
  },
  decode(frame) {
    if (typeof frame === 'string') throw new TypeError('MessagePack is bytes, and this is text')
    // A Buffer's parts would be Buffers.
    const bytes = new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength)
    assertSane(bytes, MAX_DEPTH, CONTAINERS)
    return decode(bytes, options)
  },
}
