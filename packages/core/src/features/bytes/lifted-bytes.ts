import type { JsonMessage } from '../../wire/attachments.js'
import { isBinary, isUint8Array, notCarried } from '../../wire/binary.js'
import {
  isPlainDate,
  MAX_DEPTH,
  memberOfMessage,
  SHALLOW_LEVELS,
  saysItsJson,
  tooDeep,
} from '../../wire/json-message.js'
import { ByteFrames } from './byte-frames.js'

/** Where one `Uint8Array` of a message belongs. */
interface Announced {
  /** The members that lead to it, from the message on. */
  at: string[]
  /** Its number of bytes. */
  size: number
}

/**
 * Makes JSON of a message. Each `Uint8Array` in it leaves a null behind and follows in a frame of its own; the message's
 * member `rpc.bytes` says where each belongs. The form of a user's value does not matter, so no value can be mistaken
 * for bytes.
 *
 * @throws {TypeError} naming the value that JSON can't carry.
 */
export function toJsonWithBytes(message: object): string | JsonMessage {
  // The protocol's own member holds no bytes. It announces the bytes of the other members.
  const { rpc, ...users } = message as { rpc?: object }
  const lifted = new LiftedBytes()
  const text = JSON.stringify(complete(lifted.without(users, [])))
  const { bytes, announced, depth } = lifted
  const [first] = announced
  if (first === undefined) {
    const frame = withOwn(text, rpc)
    return depth > SHALLOW_LEVELS ? { frame, depth, attached: undefined } : frame
  }
  return {
    // No spread: see findSlot.
    frame: withOwn(text, Object.assign({}, rpc, { bytes: announced })),
    depth,
    attached: new ByteFrames(bytes, first.at),
  }
}

/** A `toJSON` may give `undefined`. @throws {TypeError} if it gives something that can't be in a message. */
function complete(message: object): object {
  for (const name of ['params', 'result']) {
    if (!Object.hasOwn(message, name)) continue
    const said = (message as Record<string, unknown>)[name]
    const member = memberOfMessage(name, said)
    if (member !== said) return { ...message, [name]: member }
  }
  return message
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

/** Whether memory is not shared and can't change its size. Transports accept no other. */
function isPlain(buffer: ArrayBufferLike): boolean {
  return buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable
}

/** Adds the protocol's own member to a message that is JSON already. */
function withOwn(text: string, rpc: object | undefined): string {
  return rpc === undefined ? text : `${text.slice(0, -1)},"rpc":${JSON.stringify(rpc)}}`
}
