import type { Duplex } from 'node:stream'

/**
 * How many bytes a client may send before its upgrade is answered. It has no reason to send any: RFC 6455,
 * section 4.1, has it wait for the answer.
 */
const MAX_BYTES = 16 * 1024

export interface EarlyReaderEvents {
  /** The client has left: it closed its side, or its connection broke. */
  gone(): void
  /** The client has sent more than may be kept. */
  tooMuch(): void
}

/**
 * Reads the socket of an upgrade that is not answered yet. Without a reader, a socket does not tell when its client
 * leaves.
 */
export class EarlyReader {
  readonly #socket: Duplex
  readonly #events: EarlyReaderEvents
  readonly #parts: Buffer[]
  #bytes: number
  readonly #onData = (part: Buffer): void => this.#read(part)
  readonly #onGone = (): void => this.#events.gone()

  /** @param head the bytes that came together with the request. */
  constructor(socket: Duplex, head: Buffer, events: EarlyReaderEvents) {
    this.#socket = socket
    this.#events = events
    this.#parts = [head]
    this.#bytes = head.length
    socket.on('data', this.#onData)
    socket.once('end', this.#onGone)
    socket.once('close', this.#onGone)
  }

  /**
   * Stops reading, and pauses the socket: no bytes are lost until the next reader resumes it.
   *
   * @returns all bytes that have come so far, with `head`.
   */
  end(): Buffer {
    this.#socket.pause()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onGone)
    this.#socket.off('close', this.#onGone)
    return this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
  }

  #read(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes <= MAX_BYTES) this.#parts.push(part)
    else this.#events.tooMuch()
  }
}
