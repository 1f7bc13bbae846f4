import { isBinary, isUint8Array, notCarried } from './binary.js'
import { jsonOf } from './json-text.js'

/**
 * Bytes beside JSON (docs/protocol.md, "Bytes"): each `Uint8Array` of a message leaves a null behind and follows the
 * message's frame in a binary frame of its own; the message's member `rpc.bytes` says where each belongs. The form of a
 * user's value does not matter, so no value can be mistaken for bytes.
 */

/** Where one `Uint8Array` of a message belongs. */
interface Announced {
  /** The members that lead to it, from the message on. */
  at: string[]
  /** Its number of bytes. */
  size: number
}

/** A message with bytes, or one that nests deep, as JSON. */
export interface JsonParts {
  readonly frame: string
  /** The caller's own, in the order of their announcements. */
  readonly bytes: readonly Uint8Array[]
  /** The path to the first of them, from the message on; empty if there are none. */
  readonly path: readonly string[]
  /** How many levels the message nests, without the member `rpc` of the protocol. */
  readonly depth: number
}

const NONE: readonly never[] = []
/**
 * A value is searched for bytes down to this level only, because a cycle has no end. A deeper value counts as one with
 * bytes.
 */
const MAX_SEARCHED_DEPTH = 100
/** A message that was made as text only nests no deeper than this. */
export const SHALLOW_LEVELS = MAX_SEARCHED_DEPTH + 1
/** The most levels of a message that is made. */
const MAX_DEPTH = 1_000

/**
 * @returns the message as JSON, and the bytes in it, if there are any. A message without bytes takes little more work
 *   than `JSON.stringify`.
 * @throws {TypeError} naming the value that JSON can't carry.
 */
export function toJsonWithBytes(message: object): string | JsonParts {
  if (!mayHoldBytes(message, 0)) return jsonOf(message)

  // The protocol's own member holds no bytes. It announces the bytes of the other members.
  const { rpc, ...users } = message as { rpc?: object }
  const lifted = new LiftedBytes()
  const text = JSON.stringify(complete(lifted.without(users, [])))
  const { bytes, announced, depth } = lifted
  if (bytes.length === 0) {
    const frame = withOwn(text, rpc)
    return depth > SHALLOW_LEVELS ? { frame, bytes, path: NONE, depth } : frame
  }
  return {
    // No spread: see findSlot.
    frame: withOwn(text, Object.assign({}, rpc, { bytes: announced })),
    bytes,
    path: announced[0]?.at ?? NONE,
    depth,
  }
}

/**
 * A `toJSON` may give `undefined`. A result is then null, so that the answer has a result.
 *
 * @throws {TypeError} if the `toJSON` of params or a result gives something that can't be in a message.
 */
function complete(message: { params?: unknown; result?: unknown }): object {
  const { params, result } = message
  // Params that were bytes were replaced by null.
  if (typeof params !== 'object' && Object.hasOwn(message, 'params')) {
    throw new TypeError('the toJSON of params must give an object')
  }
  if (typeof result === 'function' || typeof result === 'symbol') {
    throw new TypeError(`the toJSON of a result gave a ${typeof result}`)
  }
  if (result !== undefined || !Object.hasOwn(message, 'result')) return message
  return { ...message, result: null }
}

/** Takes the bytes out of a message. */
class LiftedBytes {
  readonly bytes: Uint8Array[] = []
  readonly announced: Announced[] = []
  /** The number of levels that were found. */
  depth = 0

  /**
   * Walks a value as `JSON.stringify` does, but before the `toJSON` of a Buffer is called, which returns a number for
   * each byte.
   *
   * @param at the members that lead to it.
   * @returns the value itself, or an equal one with nulls in place of the bytes.
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

  /** In JSON an array has no named members, so bytes in them are not announced. */
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

  /** @returns the value of a member without its bytes. */
  #left(member: object, key: string, at: string[]): unknown {
    if (isPlainDate(member)) return member
    at.push(key)
    const left = this.#lifted(member, key, at)
    at.pop()
    return left
  }

  #lifted(member: object, key: string, at: string[]): unknown {
    if (isBinary(member)) return this.#take(member, at)
    if (!saysItsJson(member)) return this.without(member, at)
    const said: unknown = member.toJSON(key)
    if (typeof said !== 'object' || said === null) return said
    return isBinary(said) ? this.#take(said, at) : mute(this.without(said, at))
  }

  #take(found: object, at: readonly string[]): null {
    if (!isUint8Array(found)) throw new TypeError(notCarried(found, at))
    // Bytes that were transferred elsewhere are empty, and copying them throws.
    const isCarried = found.byteLength > 0 && isPlain(found.buffer)
    const bytes = isCarried ? found : new Uint8Array(found)
    this.bytes.push(bytes)
    this.announced.push({ at: [...at], size: bytes.byteLength })
    return null
  }
}

/** Returns a copy without `toJSON`, as that has been called: a second call might give something else. */
function mute(said: object): object {
  if (!saysItsJson(said) || isPlainDate(said)) return said
  return Array.isArray(said) ? itemsOf(said) : { ...said, toJSON: undefined }
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

/** Whether memory is not shared and can't change its size. Transports accept no other. */
function isPlain(buffer: ArrayBufferLike): boolean {
  return buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable
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
function isPlainDate(value: object): boolean {
  if (!(value instanceof Date) || value.toJSON !== Date.prototype.toJSON) return false
  dates++
  return true
}

function saysItsJson(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

/** Adds the protocol's own member to a message that is JSON already. */
function withOwn(text: string, rpc: object | undefined): string {
  return rpc === undefined ? text : `${text.slice(0, -1)},"rpc":${JSON.stringify(rpc)}}`
}

/** Whether a search by `JSON.stringify` might find bytes, by a quick check. */
function mayHoldBytes(value: object, depth: number): boolean {
  if (depth > MAX_SEARCHED_DEPTH) return true
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const item: unknown = value[at]
      if (typeof item === 'object' && item !== null && mayHoldBytes(item, depth + 1)) return true
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
    if (typeof member === 'object' && member !== null && mayHoldBytes(member, depth + 1)) {
      return true
    }
  }
  // This check comes last: raw memory has no members.
  return isEmpty && value.constructor !== Object && isBinary(value)
}

/** A message whose bytes are still on their way. */
export class AwaitedBytes {
  /** The sum of the sizes of all awaited bytes. */
  readonly size: number
  readonly #slots: readonly Slot[]
  #arrived = 0

  /** @throws {TypeError} saying what is wrong with an announcement. */
  constructor(slots: readonly Slot[]) {
    this.#slots = slots
    this.size = slots.reduce((sum, slot) => sum + slot.size, 0)
    if (!Number.isSafeInteger(this.size)) throw new TypeError('its bytes are too many')
  }

  /**
   * Puts the next bytes in their place.
   *
   * @returns whether these were the last bytes.
   * @throws {TypeError} if there are not as many as were announced.
   */
  take(bytes: Uint8Array): boolean {
    const slot = this.#slots[this.#arrived++]
    if (slot?.size !== bytes.byteLength) {
      throw new TypeError(`${bytes.byteLength} bytes came where ${slot?.size} were announced`)
    }
    // A Buffer is a Uint8Array that behaves differently: its `slice` shares memory.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    slot.holder[slot.key] = plain
    return this.#arrived === this.#slots.length
  }
}

/** A null that bytes will replace. */
interface Slot {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly size: number
}

/**
 * @param refused messages of the frame that are refused: their bytes are awaited too, and dropped.
 * @returns the bytes that a decoded frame (a message, or an array of some) waits for; `undefined` if none.
 * @throws {TypeError} saying what is wrong with an announcement.
 */
export function awaitedBytes(
  decoded: unknown,
  refused?: ReadonlySet<unknown>,
): AwaitedBytes | undefined {
  if (!announcesBytes(decoded)) return undefined
  const slotsOf = (message: unknown) => slotsIn(message, refused?.has(message) ? dropped : findSlot)
  const slots = Array.isArray(decoded) ? decoded.flatMap(slotsOf) : slotsOf(decoded)
  return slots.length > 0 ? new AwaitedBytes(slots) : undefined
}

/** Whether there may be an announcement, by a quick check, because every frame is checked here. */
function announcesBytes(decoded: unknown): boolean {
  if (!Array.isArray(decoded)) return hasExtras(decoded)
  for (const message of decoded) if (hasExtras(message)) return true
  return false
}

function hasExtras(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'rpc' in message
}

type FindSlot = (message: unknown, at: unknown[], size: number) => Slot | undefined

function slotsIn(message: unknown, find: FindSlot): readonly Slot[] {
  const announced = own(own(message, 'rpc'), 'bytes')
  if (announced === undefined) return NONE
  const malformed = () => new TypeError('its rpc.bytes names no places and sizes')
  if (!Array.isArray(announced)) throw malformed()
  return announced.map((entry) => {
    const at = own(entry, 'at')
    const size = own(entry, 'size')
    const slot = Array.isArray(at) && isSize(size) && find(message, at, size)
    if (!slot) throw malformed()
    return slot
  })
}

/** The place for bytes that are dropped. */
const dropped: FindSlot = (_message, _at, size) => ({ holder: {}, key: '', size })

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Follows own members only, to a null in a user's value. */
function findSlot(message: unknown, at: unknown[], size: number): Slot | undefined {
  const key = at.at(-1)
  if (typeof key !== 'string' || !USERS.has(at[0])) return undefined
  let holder = message
  for (const step of at.slice(0, -1)) holder = own(holder, step)
  if (own(holder, key) !== null) return undefined
  // Written out, because a spread with one more member makes a new hidden class each time, which V8 keeps in its old
  // space.
  const slot: Slot = { holder: holder as Record<string, unknown>, key, size }
  // So that the same place is not announced twice.
  slot.holder[key] = undefined
  return slot
}

/** The members of a message that hold users' values. */
const USERS: ReadonlySet<unknown> = new Set(['params', 'result', 'error'])

function own(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof key !== 'string') return undefined
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}
