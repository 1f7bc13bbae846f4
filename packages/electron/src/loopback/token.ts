import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The secret of a loopback. Every connection must send it. */
export class Token {
  /** 64 hexadecimal digits, lower case: 256 bits of `crypto.randomBytes`. */
  readonly text = randomBytes(32).toString('hex')
  readonly #digest = digestOf(this.text)

  /**
   * Whether a text is this token, letter by letter. It takes as long for a text that begins right as for any other:
   * digests are compared, which all have one length.
   */
  is(text: string): boolean {
    return timingSafeEqual(digestOf(text), this.#digest)
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
