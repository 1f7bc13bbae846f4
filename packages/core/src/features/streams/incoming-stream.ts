import type { RpcStream } from '../../calls/functions.js'
import type { CallPart } from '../../calls/pending-call.js'
import { withOrigin } from '../../errors/error-origin.js'
import { RpcConfigError, RpcOverloadedError, RpcTimeoutError } from '../../errors/errors.js'
import type { StreamRoom } from './stream-room.js'

export interface IncomingStreamOptions {
  /** Whose items they are, for messages. */
  readonly method: string
  /** How much may wait here to be taken. */
  readonly room: StreamRoom
  /** Aborted by whoever wants nothing more of it. */
  readonly signal?: AbortSignal | undefined
  /** Asks for the stream, with its first credit, when its first item is. */
  readonly begin: (credit: number) => void
  /**
   * Whether it is the input of a call. Then credit is given up to the end, even if no more items come, as a sign of
   * life for the caller; and the caller is told if too many items wait.
   */
  readonly isInput?: boolean
  /** So many more items may come. */
  readonly grant: (credit: number) => void
  /** Whoever took the items wants no more of them. */
  readonly leave: () => void
  /** Called if the stream ends before anybody has asked for an item. */
  readonly unbegun?: () => void
  /** Makes of an item what it is to be taken as. */
  readonly check: (item: unknown) => unknown
}

/** An item, and what it came as, in bytes, text by its length. */
interface Item {
  readonly value: unknown
  readonly bytes: number
}

/** So many items may come before it is known how large they are. */
const FIRST_ITEMS = 4

/** How it ended: with the last item, or with an error behind it. */
type Ending = { readonly error?: unknown }

/**
 * The consuming end of one stream: items that have come, until they are taken, in order. It gives credit
 * as they are taken, and less of it where they are large, so that never more wait here than there is room
 * for.
 */
export class IncomingStream implements RpcStream<unknown>, CallPart {
  readonly #options: IncomingStreamOptions
  #items: Item[] = []
  #received = 0
  #receivedBytes = 0
  /** How many may still come. */
  #credit = 0
  #ending: Ending | undefined
  #begun = false
  #hasLoop = false
  /** Whether the reader has been told of the end, or has ended the stream itself. */
  #isRead = false
  #wake = (): void => {}
  /** Drops the item that is being checked, if there is one. */
  #dropChecked: (() => void) | undefined
  /** The one asked for last: each is taken when the one before was. */
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

  // ── Being filled ──────────────────────────────────────────────────────────────────────────────

  /** @returns why the item should not have come, where it should not. */
  push(value: unknown, bytes: number): string | undefined {
    // What was under way when it ended here.
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
    const message = `The stream of "${method}" was ended: more than ${room.most} bytes of streams wait here to be taken (limits.allStreamBytes)`
    const error = new RpcOverloadedError(message, { method, outcome: 'maybe-executed' })
    this.discard({ error: withOrigin(error, { isOwn: !isInput, ran: null }) })
    this.#options.leave()
  }

  /** Ends it behind the items that have come. */
  end(ending: Ending = {}): void {
    this.#ending ??= ending
    this.#wake()
  }

  /** Ends it with an error: behind what has come, unless that was given up. */
  fail(error: unknown): void {
    this.failed(error)
    this.end({ error })
  }

  /** Its call has failed: it ends at once if its signal was aborted, or if a timeout passes while an item is checked. */
  failed(error: unknown): void {
    const isLate = this.#dropChecked !== undefined && error instanceof RpcTimeoutError
    if (this.#options.signal?.aborted || isLate) this.discard({ error })
  }

  /** Ends it at once. Items that were not taken are dropped, and so is the item that is being checked. */
  discard(ending: Ending = {}): void {
    for (const { bytes } of this.#items.splice(0)) this.#options.room.give(bytes)
    this.end(ending)
    this.#dropChecked?.()
  }

  // ── Being read ────────────────────────────────────────────────────────────────────────────────

  next(): Promise<IteratorResult<unknown, void>> {
    // At once: what is called after this comes after it.
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

  /** @throws {RpcConfigError} for a second loop, which would have nothing to read. */
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
    this.#credit = Math.min(FIRST_ITEMS, this.#options.room.items)
    try {
      this.#options.begin(this.#credit)
    } catch (error) {
      this.end({ error })
    }
  }

  /** An error is told once, as a generator does. */
  #end(): IteratorResult<unknown, void> {
    const ending = this.#ending as Ending
    this.#ending = {}
    this.#isRead = true
    if ('error' in ending) throw ending.error
    return DONE
  }

  /** Gives credit for what was taken: not for each item, but soon enough that the producer need not wait. */
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
