/** Memory for up to this number of bytes is allocated as soon as a frame announces them. */
const TRUSTED = 256 * 1024
/** For more bytes, memory for at most this many times the bytes that have come is allocated. */
const AHEAD = 4

/** A frame whose payload is on its way. */
export class UnfinishedFrame {
  /** The header as it came, with the key at its end if there is one. */
  readonly header: Buffer
  /** The part of the payload that has come. When it is finished, this is the whole payload, without spare memory. */
  payload: Buffer<ArrayBuffer>
  readonly #length: number
  #filled = 0

  constructor(header: Buffer, length: number) {
    this.header = header
    this.#length = length
    this.payload = Buffer.allocUnsafeSlow(Math.min(length, TRUSTED))
  }

  get isFinished(): boolean {
    return this.#filled === this.#length
  }

  /** @returns how many of the bytes from `from` to `to` belong to the payload. */
  take(memory: Buffer, from: number, to: number): number {
    const taken = Math.min(to - from, this.#length - this.#filled)
    const filled = this.#filled + taken
    if (filled > this.payload.length) this.#grow(filled)
    memory.copy(this.payload, this.#filled, from, from + taken)
    this.#filled = filled
    return taken
  }

  #grow(least: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#length, AHEAD * least))
    this.payload.copy(grown, 0, 0, this.#filled)
    this.payload = grown
  }
}
