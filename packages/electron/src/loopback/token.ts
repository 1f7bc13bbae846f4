import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The secret that every connection to a loopback has to know. */
export class Token {
  /** 64 hexadecimal digits, lower case: 256 bits of `crypto.randomBytes`. */
  readonly text = randomBytes(32).toString('hex')
  readonly #digest = digestOf(this.text)

  /**
   * Whether a text is this token, letter by letter. Takes as long for one that begins right as for
   * any other; digests are compared, which are of one length whatever the text's.
   */
  is(text: string): boolean {
    return timingSafeEqual(digestOf(text), this.#digest)
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
