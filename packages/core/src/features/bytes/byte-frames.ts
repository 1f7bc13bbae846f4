import type { Attached, FrameWriter, NotTaken } from '../../wire/attachments.js'
import type { Frame } from '../../wire/codec.js'
import { type Lent, lentCopy } from '../../wire/lent-memory.js'
import { bytesNotTaken } from './bytes-not-taken.js'

const NOTHING = new Uint8Array()

/** The bytes of one message, each of which follows its frame in a frame of its own. */
export class ByteFrames implements Attached {
  /** The caller's own bytes, or copies of them. */
  frames: readonly Uint8Array[]
  readonly size: number
  readonly #path: readonly string[]
  #copies: readonly Lent[] | undefined
  #keepers: Set<object> | undefined

  /** @param path the members that lead to the first of the bytes, from the message on. */
  constructor(frames: readonly Uint8Array[], path: readonly string[]) {
    this.frames = frames
    this.size = frames.reduce((sum, { byteLength }) => sum + byteLength, 0)
    this.#path = path
  }

  keep(keeper: object): void {
    if (!this.#copies) {
      this.#copies = this.frames.map(lentCopy)
      this.frames = this.#copies.map(({ bytes }) => bytes)
    }
    this.#keepers ??= new Set()
    this.#keepers.add(keeper)
  }

  release(keeper: object): void {
    if (!this.#keepers?.delete(keeper) || this.#keepers.size > 0) return
    const copies = this.#copies ?? []
    for (const { giveBack } of copies) giveBack?.()
    // If it were sent all the same, it would have no bytes, and not those of another message.
    this.frames = copies.map(() => NOTHING)
    this.#copies = []
  }

  send(frame: Frame, writer: FrameWriter): boolean {
    const frames = [frame, ...this.frames]
    const { direct } = writer
    if (direct?.sendTogether) {
      try {
        return direct.sendTogether(frames)
      } catch (thrown) {
        writer.failed(thrown)
        return false
      }
    }
    writer.cork()
    // If a frame did not leave, the message never becomes complete: the other side can't read it.
    return frames.every((one) => writer.sendFrame(one))
  }

  notTaken(isExtended: boolean): NotTaken {
    return bytesNotTaken(this.#path, isExtended)
  }
}
