import { describeThrown } from '../../errors/errors.js'
import type { AttachmentReader } from '../../wire/attachments.js'
import { exceeds, type Frame, type FrameType } from '../../wire/codec.js'
import { type Reading, violation, type Whole } from '../../wire/reading.js'
import { type AwaitedBytes, awaitedBytes } from './awaited-bytes.js'

const PART: Reading = { kind: 'part' }

/**
 * Joins the messages of one connection with the bytes that they announced. It holds one message at the most, and none
 * that is larger than the limit.
 */
export class ByteReader implements AttachmentReader {
  // A field, and not a getter: it is read for each frame.
  isWaiting = false
  /** The frame type of the other side, if both sides take bytes. */
  #peerFrames: FrameType | undefined
  /** A message that has come without all of its bytes, and the bytes that are awaited. */
  #incomplete: { whole: Whole; awaited: AwaitedBytes } | undefined

  get isAgreed(): boolean {
    return this.#peerFrames !== undefined
  }

  agree(hello: object): boolean {
    const { bytes, frames } = hello as { bytes?: unknown; frames?: unknown }
    if (bytes !== true) return false
    this.#peerFrames = frames === 'binary' ? frames : 'text'
    return true
  }

  take(frame: Frame): Reading | undefined {
    if (!this.#incomplete) {
      if (this.#peerFrames !== 'text') return undefined
      return violation('bytes came that no message announced')
    }
    if (typeof frame === 'string') {
      return violation('text came where a message had announced bytes')
    }
    const { whole, awaited } = this.#incomplete
    try {
      if (!awaited.take(frame)) return PART
    } catch (thrown) {
      return violation(describeThrown(thrown))
    }
    this.discard()
    return whole
  }

  begin(whole: Whole, frame: Frame, maxMessage: number): Reading {
    let awaited: AwaitedBytes | undefined
    try {
      awaited = awaitedBytes(whole.decoded, whole.tooDeep)
    } catch (thrown) {
      return violation(`a message can't be read: ${describeThrown(thrown)}`)
    }
    if (!awaited) return whole
    if (!this.isAgreed) {
      return violation('a message announces bytes, which both sides must have agreed on before')
    }
    if (exceeds(frame, maxMessage - awaited.size)) return { kind: 'too-big' }
    this.#incomplete = { whole, awaited }
    this.isWaiting = true
    return PART
  }

  discard(): void {
    this.#incomplete = undefined
    this.isWaiting = false
  }
}
