import type { RpcStream } from '../../calls/functions.js'
import type { CallPart } from '../../calls/pending-call.js'
import { withOrigin } from '../../errors/error-origin.js'
import { RpcConfigError, RpcOverloadedError, RpcTimeoutError } from '../../errors/errors.js'
import type { ChannelLimits } from '../../link/limits.js'

/** The room for items that arrive over one channel and wait here until they are read. */
export class StreamRoom {
  readonly limits: ChannelLimits
  #held = 0

  constructor(limits: ChannelLimits) {
    this.limits = limits
  }

  /**
   * The number of items of this size, in bytes, for which one stream gets credit: at least one, however large it is.
   */
  itemsOf(bytes: number): number {
    const { streamItems, streamBytes } = this.limits
    return Math.max(1, Math.min(streamItems, Math.floor(streamBytes / Math.max(1, bytes))))
  }

  /** An item has arrived. @returns whether there is room for it. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.limits.allStreamBytes) return false
    this.#held += bytes
    return true
  }

  /** Items were read, or dropped. */
  give(bytes: number): void {
    this.#held -= bytes
  }
}

export interface IncomingStreamOptions {
  /** The method of the call, for messages. */
  readonly method: string
  /** How much may wait here until it is read. */
  readonly room: StreamRoom
  /** The signal of the reader, which aborts if the reader wants no more items. */
  readonly signal?: AbortSignal | undefined
  /** Requests the stream, with its first credit, when its first item is asked for. */
  readonly begin: (credit: number) => void
  /**
   * Whether it is the input of a call. Then credit is given until the end, even if no more items arrive, as a sign of
   * life for the caller; and the caller gets an error if too many items wait.
   */
  readonly isInput?: boolean
  /** Gives credit for more items. */
  readonly grant: (credit: number) => void
  /** The reader wants no more items. */
  readonly leave: () => void
  /** Called if the stream ends before its first item is asked for. */
  readonly unbegun?: () => void
  /** Validates an item. @returns the output of the schema. */
  readonly check: (item: unknown) => unknown
}

/** An item, and the size of its message in bytes, text by its length. */
interface Item {
  readonly value: unknown
  readonly bytes: number
}

/** The first credit, given before the size of the items is known. */
const FIRST_ITEMS = 4

/** How the stream ended: with the last item, or with an error after it. */
type Ending = { readonly error?: unknown }

/**
 * The consuming end of one stream. It keeps items that have arrived until they are read, in order. It gives credit as
 * they are read, and less credit if they are large, so that never more wait here than there is room for.
 */
export class IncomingStream implements RpcStream<unknown>, CallPart {
  readonly #options: IncomingStreamOptions
  #items: Item[] = []
  #received = 0
  #receivedBytes = 0
  /** How many more items may arrive. */
  #credit = 0
  #ending: Ending | undefined
  #begun = false
  #hasLoop = false
  /** Whether the reader has seen the end, or has ended the stream itself. */
  #isRead = false
  #wake = (): void => {}
  /** Drops the item that is being validated, if there is one. */
  #dropChecked: (() => void) | undefined
  /** The last request for an item: each item is read after the one before. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: IncomingStreamOptions) {
    this.#options = options
  }

  get received(): number {
    return this.#received
  }

  get itemCount(): number {
    return this.#received
  }

  /** Whether items wait here to be taken. */
  get isHeldUp(): boolean {
    return this.#items.length > 0
  }

  // ── Receiving items ───────────────────────────────────────────────────────────────────────────

  /** @returns why the item must not have been sent; undefined if it was allowed. */
  push(value: unknown, bytes: number): string | undefined {
    // The item was sent before the other side knew that the stream had ended here.
    if (this.#ending) return undefined
    if (this.#credit === 0) return 'an item came without credit for it'
    this.#credit--
    this.#received++
    this.#receivedBytes += bytes
    if (!this.#options.room.take(bytes)) {
      this.#overflow()
      return undefined
    }
    this.#items.push({ value, bytes })
    this.#wake()
    return undefined
  }

  #overflow(): void {
    const { method, room, isInput } = this.#options
    const message = `The stream of "${method}" was ended: more than ${room.limits.allStreamBytes} bytes of streams wait here to be taken (limits.allStreamBytes)`
    const error = new RpcOverloadedError(message, { method, outcome: 'maybe-executed' })
    this.discard({ error: withOrigin(error, { isOwn: !isInput, ran: null }) })
    this.#options.leave()
  }

  /** Ends the stream after the items that have arrived. */
  end(ending: Ending = {}): void {
    this.#ending ??= ending
    this.#wake()
  }

  /** Ends the stream with an error, after the items that have arrived, unless its signal was aborted. */
  fail(error: unknown): void {
    this.failed(error)
    this.end({ error })
  }

  /**
   * Its call has failed. The stream ends at once if its signal was aborted, or if a timeout passes while an item is
   * validated.
   */
  failed(error: unknown): void {
    const isLate = this.#dropChecked !== undefined && error instanceof RpcTimeoutError
    if (this.#options.signal?.aborted || isLate) this.discard({ error })
  }

  /** Ends the stream at once. Items that were not read are dropped, and so is the item that is being validated. */
  discard(ending: Ending = {}): void {
    for (const { bytes } of this.#items.splice(0)) this.#options.room.give(bytes)
    this.end(ending)
    this.#dropChecked?.()
  }

  // ── Reading items ─────────────────────────────────────────────────────────────────────────────

  next(): Promise<IteratorResult<unknown, void>> {
    // Send the request at once: calls that are made after this must be sent after it.
    if (!this.#begun && !this.#ending) this.#begin()
    const result = this.#last.then(() => this.#next())
    this.#last = result.catch(() => {})
    return result
  }

  async return(): Promise<IteratorResult<unknown, void>> {
    this.#leave()
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<unknown, void>> {
    this.#leave()
    throw error
  }

  /** @throws {RpcConfigError} if it is called for a second loop, which would have nothing to read. */
  [Symbol.asyncIterator](): this {
    if (this.#hasLoop && this.#isRead) {
      const { method, isInput } = this.#options
      const what = isInput ? 'input' : 'stream'
      const remedy = isInput
        ? 'Keep its items if you need them again'
        : `Call "${method}" again for another stream`
      throw new RpcConfigError(
        `The ${what} of "${method}" has been read, and is for one loop. ${remedy}`,
        { method },
      )
    }
    this.#hasLoop = true
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
  }

  async #next(): Promise<IteratorResult<unknown, void>> {
    while (this.#items.length === 0 && !this.#ending) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const item = this.#items.shift()
    if (!item) return this.#end()
    this.#options.room.give(item.bytes)
    this.#giveBack()
    let checked: unknown
    try {
      checked = this.#options.check(item.value)
      if (checked instanceof Promise) {
        const dropped = new Promise<typeof DROPPED>((resolve) => {
          this.#dropChecked = () => resolve(DROPPED)
        })
        checked = await Promise.race([checked, dropped])
        this.#dropChecked = undefined
      }
    } catch (error) {
      this.#leave()
      throw error
    }
    return checked === DROPPED ? this.#end() : { value: checked, done: false }
  }

  #begin(): void {
    this.#begun = true
    this.#credit = Math.min(FIRST_ITEMS, this.#options.room.limits.streamItems)
    try {
      this.#options.begin(this.#credit)
    } catch (error) {
      this.end({ error })
    }
  }

  /** An error is thrown once, as by a generator. */
  #end(): IteratorResult<unknown, void> {
    const ending = this.#ending as Ending
    this.#ending = {}
    this.#isRead = true
    if ('error' in ending) throw ending.error
    return DONE
  }

  /** Gives credit for the items that were read: not for each item, but soon enough that the producer need not wait. */
  #giveBack(): void {
    const { room, isInput } = this.#options
    if (this.#ending && !isInput) return
    const wanted = room.itemsOf(this.#receivedBytes / this.#received)
    const missing = wanted - this.#credit - this.#items.length
    if (missing * 2 < wanted) return
    this.#credit += missing
    this.#options.grant(missing)
  }

  #leave(): void {
    this.#isRead = true
    const isOpen = !this.#ending
    this.discard()
    if (!isOpen) return
    if (this.#begun) this.#options.leave()
    else this.#options.unbegun?.()
  }
}

/** Takes the place of an item that nobody wants any more. */
const DROPPED = Symbol('dropped')

const DONE: IteratorReturnResult<void> = { done: true, value: undefined }
