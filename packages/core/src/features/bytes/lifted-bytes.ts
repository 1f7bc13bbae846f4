import type { JsonMessage } from '../../wire/attachments.js'
import { isUint8Array, notCarried } from '../../wire/binary.js'
import { carefulJson } from '../../wire/careful-json.js'
import { jsonMessage } from '../../wire/json-message.js'
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
  const bytes: Uint8Array[] = []
  const announced: Announced[] = []
  const { frame, depth } = carefulJson(users, (found, at) => {
    if (!isUint8Array(found)) throw new TypeError(notCarried(found, at))
    // Bytes that were transferred elsewhere are empty, and copying them throws.
    const isCarried = found.byteLength > 0 && isPlain(found.buffer)
    const carried = isCarried ? found : new Uint8Array(found)
    bytes.push(carried)
    announced.push({ at: [...at], size: carried.byteLength })
    return null
  })
  const [first] = announced
  if (!first) return jsonMessage(withOwn(frame, rpc), depth, undefined)
  // No spread: see findSlot.
  const own = Object.assign({}, rpc, { bytes: announced })
  return jsonMessage(withOwn(frame, own), depth, new ByteFrames(bytes, first.at))
}

/** Whether memory is not shared and can't change its size. Transports accept no other. */
function isPlain(buffer: ArrayBufferLike): boolean {
  return buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable
}

/** Adds the protocol's own member to a message that is JSON already. */
function withOwn(text: string, rpc: object | undefined): string {
  return rpc === undefined ? text : `${text.slice(0, -1)},"rpc":${JSON.stringify(rpc)}}`
}
