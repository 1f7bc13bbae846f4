import type { Source } from '../../calls/functions.js'
import type { CallPart } from '../../calls/pending-call.js'
import type { Unsent } from '../../calls/unsent.js'
import { MOST_CREDIT } from '../../link/limits.js'
import { isUint8Array } from '../../wire/binary.js'
import { BytePieces } from './byte-pieces.js'
import { isNodeStream, iterateNodeStream } from './node-stream.js'
import { isWebStream, iterateWebStream } from './web-stream.js'

export interface OutgoingStreamOptions {
  /** How many items may be sent before more credit comes. */
  readonly credit: number
  /** Sends an item. @returns why it can't be sent; undefined if it was sent. */
  readonly say: (item: unknown) => Unsent | undefined
  /** @returns the largest message that the other side accepts, in bytes. */
  readonly largest: () => number
  /** An item can't be sent. @returns what the stream ends with. */
  readonly unsent: (why: Unsent) => Error
  /** @returns resolves when something may be sent; `undefined` if it may be now. */
  readonly whenRoomy: () => Promise<void> | undefined
  /** Called when a source fails to return while an item of it is still awaited. */
  readonly error: (thrown: unknown) => void
}

/**
 * The producing end of one stream: takes items from a source and sends each, as far as there is credit
 * for them and room on the way. It takes none ahead. An item that is bytes, too large for one message, goes out as
 * several items.
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

  /** Whether it was stopped, and did not end by itself. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** So many more items may be sent. @returns why they may not; undefined if they may. */
  grant(credit: number): string | undefined {
    if (this.#credit + credit > MOST_CREDIT) return `the credit is over ${MOST_CREDIT}`
    this.#credit += credit
    this.#wake()
    return undefined
  }

  /** Sends nothing more, and tells the source to return, also while an item of it is awaited. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#wake()
    this.#returned = this.#return()
    // The caller of `run` learns of a failure, unless it waits for an item that may never come.
    this.#returned.catch((thrown) => {
      if (this.#isTaking) this.#options.error(thrown)
    })
  }

  /**
   * Sends the items of a source, until that ends, or it is stopped.
   *
   * @throws what the source throws, or whatever says that an item can't be sent.
   */
  async run(source: Source<unknown>): Promise<void> {
    const iterator = iteratorOf(source)
    this.#iterator = iterator
    if (this.#isStopped) this.#returned = this.#return()
    let hasEnded = false
    // Let go as soon as it was sent: the next credit may be long in coming.
    let item: IteratorResult<unknown> | undefined
    let pieces: BytePieces | undefined
    try {
      for (;;) {
        while (this.#credit === 0 && !this.#isStopped) await this.#woken()
        if (this.#isStopped) return
        if (!item) {
          // A source that fails has ended.
          hasEnded = true
          this.#isTaking = true
          item = await iterator.next()
          this.#isTaking = false
          hasEnded = item.done === true
          if (hasEnded) return
        }
        // Looked at and used in one turn: other streams wait for the same room.
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
   * Sends one message: an item, or the next piece of it.
   *
   * @param pieces those of the item, if it is being sent in pieces.
   * @returns its pieces, if some are left.
   * @throws what says that it can't be sent.
   */
  #send(item: unknown, pieces: BytePieces | undefined): BytePieces | undefined {
    const { say, largest, unsent } = this.#options
    let cut = pieces
    // Bytes that are larger than a message by themselves: no codec need try.
    if (!cut && isBytes(item) && item.byteLength > largest()) cut = new BytePieces(item, largest())
    let why = cut ? cut.sendNext(say) : say(item)
    if (!cut && why?.isTooBig && isBytes(item)) {
      cut = new BytePieces(item, largest())
      why = cut.sendNext(say)
    }
    if (why) throw unsent(why)
    return cut?.areSent === false ? cut : undefined
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }

  /** Resolves when there may be room for an item; `undefined` if there is, or if it needs none. */
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

/** Tells a source of which no item was taken that no items are wanted. */
export async function releaseSource(source: Source<unknown>): Promise<void> {
  await iteratorOf(source).return?.()
}

function iteratorOf(source: Source<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  if (isNodeStream(source)) return iterateNodeStream(source)
  if (isWebStream(source)) return iterateWebStream(source)
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}
