/** So many bytes get their memory because a frame says that they will come; more get theirs as they come, … */
const TRUSTED = 256 * 1024
/** … so many times as much as is there. */
const AHEAD = 4

/** A frame whose payload is on its way. */
export class UnfinishedFrame {
  /** As it came, the key at its end where there is one. */
  readonly header: Buffer
  /** What came of the payload; all of it, and no more memory than that, once it is finished. */
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

  /** @returns how many of the bytes from here to there were the payload's. */
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
