import { MASKED } from './ws-frame.js'

/** The bit of a frame's first byte that marks the last frame of a message. */
const FINAL = 0x80
/** The bit of a frame's first byte that marks a control frame: a ping, a pong or a close. */
const CONTROL = 0x08
/** The length of a frame's header, with its masking key: RFC 6455, section 5.2. */
const LONGEST_HEADER = 14

/** The frames that came besides messages. */
export interface Counted {
  /** The number of these frames: control frames, and all frames of messages except the last ones. */
  frames: number
  /** The payload of the control frames, in bytes. (The others count with their messages.) */
  bytes: number
}

/**
 * Counts frames that `ws` reads, by their headers. It must get all bytes that `ws` gets, from the beginning of a frame
 * on, in any pieces.
 */
export class FrameCounter {
  readonly #header = new Uint8Array(LONGEST_HEADER)
  #headerBytes = 0
  /** The number of bytes of a payload that are still to come. */
  #rest = 0
  /** Whether frames of a message have come, and the last one has not begun. */
  #isFragmented = false

  /** Whether a part of a message, or of a frame, has come, and not all of it. */
  get isAmidMessage(): boolean {
    return this.#rest > 0 || this.#headerBytes > 0 || this.#isFragmented
  }

  count(chunk: Uint8Array): Counted {
    const counted: Counted = { frames: 0, bytes: 0 }
    let at = 0
    while (at < chunk.length) {
      const skipped = Math.min(this.#rest, chunk.length - at)
      this.#rest -= skipped
      at += skipped
      // Byte by byte: `ws` reads few bytes here, and a header may be cut anywhere.
      while (at < chunk.length && this.#rest === 0) {
        this.#header[this.#headerBytes++] = chunk[at++] as number
        if (this.#headerBytes === this.#headerLength) this.#begin(counted)
      }
    }
    return counted
  }

  /** The length of the present header, as far as it is known: at least one byte more than has come. */
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
    const isFinal = (first & FINAL) !== 0
    if (!isControl) this.#isFragmented = !isFinal
    if (isControl || !isFinal) counted.frames++
    if (isControl) counted.bytes += length
    this.#headerBytes = 0
    this.#rest = length
  }
}
