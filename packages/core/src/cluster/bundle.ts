import { type Frame, readText } from '../wire/codec.js'
import { HEAD_BYTES } from './envelope.js'
import type { PipeHead, PipeMessage } from './pipe.js'

/** `u8 flags | u32 number of the pipe | u32 seq | u32 length`, big-endian, before each frame or JSON. */
const ENTRY = 13
const TEXT = 1
const DOWN = 2
/** What follows is JSON: the head without `l` and `to`. */
const CONTROL = 4
/** The least memory of a bundle, in bytes. */
const LEAST = 2_048

/** The messages of pipes that go to one node in one message between nodes. */
export class Bundle {
  readonly #most: number
  #memory = Buffer.allocUnsafe(LEAST)
  #end = HEAD_BYTES

  /** @param most how large the payload may become, in bytes, unless it has one message only. */
  constructor(most: number) {
    this.#most = most
  }

  /** Whether its payload is as large as it may become. */
  get isFull(): boolean {
    return this.#end >= this.#most
  }

  /**
   * Adds a message. Its body is copied, so that its memory may be used again.
   *
   * @returns false if it does not fit: it must be added to another bundle.
   */
  add(seq: number, head: PipeHead, body: Frame = ''): boolean {
    const isControl = head.is !== undefined
    const content = isControl ? jsonOf(head) : body
    const isText = typeof content === 'string'
    const at = this.#end
    const begin = at + ENTRY
    const end = begin + Buffer.byteLength(content)
    if (end > this.#most && at > HEAD_BYTES) return false
    const memory = this.#roomFor(end)
    const isDown = head.to === 'down'
    memory[at] = (isText ? TEXT : 0) | (isDown ? DOWN : 0) | (isControl ? CONTROL : 0)
    memory.writeUInt32BE(head.l, at + 1)
    memory.writeUInt32BE(seq, at + 5)
    memory.writeUInt32BE(end - begin, at + 9)
    if (isText) memory.write(content, begin)
    else memory.set(content, begin)
    this.#end = end
    return true
  }

  /** @returns its payload, at whose beginning the head is to be written. Nothing may be added any more. */
  payload(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#memory.byteOffset, this.#end)
  }

  #roomFor(bytes: number): Buffer {
    if (bytes > this.#memory.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#memory.byteLength))
      larger.set(this.#memory.subarray(0, this.#end))
      this.#memory = larger
    }
    return this.#memory
  }
}

function jsonOf({ l: _, to: __, ...rest }: PipeHead): string {
  return JSON.stringify(rest)
}

/**
 * Reads the messages of pipes in the body of a message of another node.
 *
 * @returns those before the first one that can't be read.
 */
export function readBundle(node: string, body: Frame): PipeMessage[] {
  const messages: PipeMessage[] = []
  if (typeof body === 'string') return messages
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  let at = 0
  while (at + ENTRY <= bytes.byteLength) {
    const begin = at + ENTRY
    const end = begin + bytes.readUInt32BE(at + 9)
    if (end > bytes.byteLength) break
    const message = readEntry(node, bytes, at, body.subarray(begin, end))
    if (!message) break
    messages.push(message)
    at = end
  }
  return messages
}

function readEntry(
  node: string,
  bytes: Buffer,
  at: number,
  content: Uint8Array,
): PipeMessage | undefined {
  const flags = bytes[at] as number
  const l = bytes.readUInt32BE(at + 1)
  const seq = bytes.readUInt32BE(at + 5)
  const to = (flags & DOWN) === 0 ? 'up' : 'down'
  try {
    const body = (flags & TEXT) === 0 ? content : readText(content)
    if ((flags & CONTROL) === 0) return { node, seq, head: { l, to }, body }
    const control = JSON.parse(readText(body)) as object
    return { node, seq, head: { ...control, l, to }, body: '' }
  } catch {
    // It is not UTF-8, or not JSON.
    return undefined
  }
}
