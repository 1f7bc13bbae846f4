import { MASKED } from './ws-frame.js'

/** Of the first byte of a frame: it is the last of its message. */
const FINAL = 0x80
/** Of the first byte of a frame: it is no part of a message, but a ping, a pong or a goodbye. */
const CONTROL = 0x08
/** Its length, masking key included: RFC 6455, section 5.2. */
const LONGEST_HEADER = 14

/** What came besides messages. */
export interface Counted {
  /** Control frames, and all frames of messages but their last. */
  frames: number
  /** The payload of the control frames: that of the others is counted with their messages. */
  bytes: number
}

/**
 * Counts frames that another reads, by their headers. It begins where a frame does, and is given all that
 * the other is given, however that is cut.
 */
export class FrameCounter {
  readonly #header = new Uint8Array(LONGEST_HEADER)
  #headerBytes = 0
  /** How much of a payload is still to come, in bytes. */
  #rest = 0

  count(chunk: Uint8Array): Counted {
    const counted: Counted = { frames: 0, bytes: 0 }
    let at = 0
    while (at < chunk.length) {
      const skipped = Math.min(this.#rest, chunk.length - at)
      this.#rest -= skipped
      at += skipped
      // A byte at a time: of what is left to another there is little, and a header may be cut anywhere.
      while (at < chunk.length && this.#rest === 0) {
        this.#header[this.#headerBytes++] = chunk[at++] as number
        if (this.#headerBytes === this.#headerLength) this.#begin(counted)
      }
    }
    return counted
  }

  /** How long the present header is, as far as that is known: at least one byte more than has come. */
  get #headerLength(): number {
    if (this.#headerBytes < 2) return 2
    const second = this.#header[1] as number
    const short = second & ~MASKED
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8
    return 2 + lengthBytes + (second & MASKED ? 4 : 0)
  }

  #begin(counted: Counted): void {
    const first = this.#header[0] as number
    const short = (this.#header[1] as number) & ~MASKED
    let length = short
    if (short >= 126) {
      length = 0
      for (let n = 2; n < (short === 126 ? 4 : 10); n++) {
        length = length * 256 + (this.#header[n] as number)
      }
    }
    const isControl = (first & CONTROL) !== 0
    if (isControl || (first & FINAL) === 0) counted.frames++
    if (isControl) counted.bytes += length
    this.#headerBytes = 0
    this.#rest = length
  }
}
