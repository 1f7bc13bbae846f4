import { randomBytes } from 'node:crypto'

/** Bytes before each payload: 8 of the sender, 4 of the message's number. */
const MARK_BYTES = 12
/** How many senders are known at the most; the oldest are forgotten first. */
const MOST_SENDERS = 4_096

/**
 * Marks payloads with their sender and a number, and tells by that which came from here, and which came before: Redis hands
 * a node its own messages, too, and some clients send again what was not answered when a connection was lost.
 */
export class PayloadMarks {
  readonly #sender = randomBytes(8)
  readonly #own = this.#sender.toString('latin1')
  /** The number of the latest message of each sender. */
  readonly #latest = new Map<string, number>()
  #count = 0

  mark(payload: Uint8Array): Uint8Array {
    const marked = Buffer.allocUnsafe(MARK_BYTES + payload.byteLength)
    this.#sender.copy(marked)
    this.#count = (this.#count + 1) >>> 0
    marked.writeUInt32BE(this.#count, 8)
    marked.set(payload, MARK_BYTES)
    return marked
  }

  /** @returns the payload; `undefined` if it came from here, came before, or is of somebody else. */
  read(marked: Uint8Array): Uint8Array | undefined {
    if (marked.byteLength < MARK_BYTES) return undefined
    const { buffer, byteOffset, byteLength } = marked
    const bytes = Buffer.from(buffer, byteOffset, byteLength)
    const sender = bytes.toString('latin1', 0, 8)
    if (sender === this.#own) return undefined
    const number = bytes.readUInt32BE(8)
    const latest = this.#latest.get(sender)
    // Numbers begin again after 2³².
    if (latest !== undefined && (number - latest) >>> 0 > 2 ** 31) return undefined
    if (number === latest) return undefined
    if (latest === undefined && this.#latest.size >= MOST_SENDERS) {
      for (const [oldest] of this.#latest) {
        this.#latest.delete(oldest)
        break
      }
    }
    this.#latest.set(sender, number)
    return new Uint8Array(buffer, byteOffset + MARK_BYTES, byteLength - MARK_BYTES)
  }
}
