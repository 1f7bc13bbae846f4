import type { Source } from '../../calls/functions.js'
import type { CallPart } from '../../calls/pending-call.js'
import type { Unsent } from '../../calls/unsent.js'
import { MOST_CREDIT } from '../../link/limits.js'
import { isUint8Array } from '../../wire/binary.js'
import { BytePieces } from './byte-pieces.js'
import { isNodeStream, iterateNodeStream } from './node-stream.js'
import { isWebStream, iterateWebStream } from './web-stream.js'

export interface OutgoingStreamOptions {
  /** How many items may be sent before more credit arrives. */
  readonly credit: number
  /** Sends an item. @returns why it can't be sent; undefined if it was sent. */
  readonly say: (item: unknown) => Unsent | undefined
  /** @returns the largest message that the other side accepts, in bytes. */
  readonly largest: () => number
  /** Called if an item can't be sent. @returns the error that ends the stream. */
  readonly unsent: (why: Unsent) => Error
  /** @returns a promise that resolves when an item may be sent; `undefined` if it may be sent now. */
  readonly whenRoomy: () => Promise<void> | undefined
  /** Called if the `return` of a source fails while an item of it is still awaited. */
  readonly error: (thrown: unknown) => void
}

/**
 * The producing end of one stream. It takes items from a source and sends each, as far as there is credit and room. It
 * takes no items in advance. An item of bytes that is too large for one message is sent as several items.
 */
export class OutgoingStream implements CallPart {
  readonly #options: OutgoingStreamOptions
  #credit: number
  #sent = 0
  #isStopped = false
  /** Whether an item is awaited. */
  #isTaking = false
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined
  #returned: Promise<unknown> | undefined
  #wake = (): void => {}

  constructor(options: OutgoingStreamOptions) {
    this.#options = options
    this.#credit = options.credit
  }

  /** How many items of the source were sent, each as a whole. */
  get sent(): number {
    return this.#sent
  }

  get itemCount(): number {
    return this.#sent
  }

  /** Whether it was stopped, instead of ending by itself. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Adds credit for more items. @returns why this is too much; undefined if it is not. */
  grant(credit: number): string | undefined {
    if (this.#credit + credit > MOST_CREDIT) return `the credit is over ${MOST_CREDIT}`
    this.#credit += credit
    this.#wake()
    return undefined
  }

  /** Stops sending, and tells the source to return, also while an item of it is awaited. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#wake()
    this.#returned = this.#return()
    // The caller of `run` gets the error, unless `run` waits for an item that may never arrive.
    this.#returned.catch((thrown) => {
      if (this.#isTaking) this.#options.error(thrown)
    })
  }

  /**
   * Sends the items of a source, until the source ends or the stream is stopped.
   *
   * @throws the error of the source, or the error of an item that can't be sent.
   */
  async run(source: Source<unknown>): Promise<void> {
    const iterator = iteratorOf(source)
    this.#iterator = iterator
    if (this.#isStopped) this.#returned = this.#return()
    let hasEnded = false
    // Release the item as soon as it was sent: the next credit may take long to arrive.
    let item: IteratorResult<unknown> | undefined
    let pieces: BytePieces | undefined
    try {
      for (;;) {
        while (this.#credit === 0 && !this.#isStopped) await this.#woken()
        if (this.#isStopped) return
        if (!item) {
          // If the source fails, it has ended.
          hasEnded = true
          this.#isTaking = true
          item = await iterator.next()
          this.#isTaking = false
          hasEnded = item.done === true
          if (hasEnded) return
        }
        // The room is checked and used in one turn, because other streams wait for the same room.
        for (let room = this.#room; room; room = this.#room) await this.#woken(room)
        if (this.#isStopped) return
        this.#credit--
        pieces = this.#send(item.value, pieces)
        if (pieces) continue
        item = undefined
        this.#sent++
      }
    } finally {
      this.#isTaking = false
      if (!hasEnded) await (this.#returned ?? this.#return())
    }
  }

  /**
   * Sends one message: an item, or its next piece.
   *
   * @param pieces the pieces of the item, if it is being sent in pieces.
   * @returns its pieces, if some are left.
   * @throws the error of an item that can't be sent.
   */
  #send(item: unknown, pieces: BytePieces | undefined): BytePieces | undefined {
    const { say, largest, unsent } = this.#options
    let cut = pieces
    // If the bytes alone are larger than a message, the codec need not try.
    if (!cut && isBytes(item) && item.byteLength > largest()) cut = new BytePieces(item, largest())
    let why = cut ? cut.sendNext(say) : say(item)
    if (!cut && why?.why === 'too-big' && isBytes(item)) {
      cut = new BytePieces(item, largest())
      why = cut.sendNext(say)
    }
    if (why) throw unsent(why)
    return cut?.areSent === false ? cut : undefined
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }

  /** Resolves when there may be room for an item; `undefined` if there is room, or if no item is to be sent. */
  get #room(): Promise<void> | undefined {
    return this.#isStopped ? undefined : this.#options.whenRoomy()
  }

  async #woken(room?: Promise<void>): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve))
    await (room ? Promise.race([room, woken]) : woken)
  }
}

function isBytes(item: unknown): item is Uint8Array {
  return ArrayBuffer.isView(item) && isUint8Array(item)
}

/** Whether items can be taken from a value. Not every browser can iterate over a web stream. */
export function isSource(value: unknown): value is Source<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value || isWebStream(value)
}

/** Tells a source from which no item was taken that no items are wanted. */
export async function releaseSource(source: Source<unknown>): Promise<void> {
  await iteratorOf(source).return?.()
}

function iteratorOf(source: Source<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  if (isNodeStream(source)) return iterateNodeStream(source)
  if (isWebStream(source)) return iterateWebStream(source)
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}
