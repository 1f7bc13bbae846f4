import type { Unsent } from '../../calls/unsent.js'

/**
 * The largest piece, in bytes (64 KiB): several pieces may be on their way at once (`limits.streamBytes`), and other
 * messages are sent between them.
 */
const MAX_PIECE_BYTES = 64 * 1024

/** Bytes of a stream that are too large for one message, and are sent as several items, in order. */
export class BytePieces {
  readonly #bytes: Uint8Array
  readonly #length: number
  #at = 0
  /** How many bytes the next piece has. */
  #size: number

  /** @param largest the largest message that the other side accepts, in bytes. */
  constructor(bytes: Uint8Array, largest: number) {
    this.#bytes = bytes
    this.#length = bytes.byteLength
    this.#size = Math.max(1, Math.min(MAX_PIECE_BYTES, Math.floor(largest / 2)))
  }

  /** Whether all pieces were sent. */
  get areSent(): boolean {
    return this.#at === this.#length
  }

  /**
   * Sends the next piece. A codec may need more bytes than the piece has, so a piece that is still too large is halved.
   *
   * @returns why not even one byte can be sent; undefined if the piece was sent.
   * @throws {TypeError} if the bytes have been transferred elsewhere.
   */
  sendNext(say: (piece: Uint8Array) => Unsent | undefined): Unsent | undefined {
    const { buffer, byteOffset } = this.#bytes
    for (;;) {
      const size = Math.min(this.#size, this.#length - this.#at)
      const unsent = say(new Uint8Array(buffer, byteOffset + this.#at, size))
      if (!unsent) {
        this.#at += size
        return undefined
      }
      if (unsent.why !== 'too-big' || size <= 1) return unsent
      this.#size = size >> 1
    }
  }
}
