import type { RpcStream } from './functions.js'

export interface IncomingStreamOptions {
  /** How many items may wait here to be taken. */
  readonly window: number
  /** Asks for the stream, with its first credit, when its first item is. */
  readonly begin: (credit: number) => void
  /** Whether credit is given to the end, though no more comes: a sign of life for who waits. */
  readonly grantsToTheEnd?: boolean
  /** So many more items may come. */
  readonly grant: (credit: number) => void
  /** Whoever took the items wants no more of them. */
  readonly leave: () => void
  /** Makes of an item what it is to be taken as. */
  readonly check: (item: unknown) => unknown
}

/** How it ended: with the last item, or with an error behind it. */
type Ending = { readonly error?: unknown }

/**
 * The consuming end of one stream: items that have come, until they are taken, in order. It gives credit
 * as they are taken, so that never more than `window` of them wait here.
 */
export class IncomingStream implements RpcStream<unknown> {
  readonly #options: IncomingStreamOptions
  #items: unknown[] = []
  #received = 0
  /** How many may still come. */
  #credit = 0
  /** How many were taken since credit was given last. */
  #taken = 0
  #ending: Ending | undefined
  #begun = false
  #wake = (): void => {}
  /** The one asked for last: each is taken when the one before was. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: IncomingStreamOptions) {
    this.#options = options
  }

  get received(): number {
    return this.#received
  }

  /** Whether items wait here to be taken. */
  get isHolding(): boolean {
    return this.#items.length > 0
  }

  // ── Being filled ──────────────────────────────────────────────────────────────────────────────

  /** @returns why the item should not have come, where it should not. */
  push(item: unknown): string | undefined {
    // What was under way when it ended here.
    if (this.#ending) return undefined
    if (this.#credit === 0) return 'an item came without credit for it'
    this.#credit--
    this.#received++
    this.#items.push(item)
    this.#wake()
    return undefined
  }

  /** Ends it behind the items that have come. */
  end(ending: Ending = {}): void {
    this.#ending ??= ending
    this.#wake()
  }

  /** Ends it at once: what was not taken is dropped. */
  discard(ending: Ending = {}): void {
    this.#items = []
    this.end(ending)
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

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
  }

  async #next(): Promise<IteratorResult<unknown, void>> {
    while (this.#items.length === 0 && !this.#ending) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#items.length === 0) return this.#end()
    const item = this.#items.shift()
    this.#giveBack()
    try {
      return { value: await this.#options.check(item), done: false }
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  #begin(): void {
    this.#begun = true
    this.#credit = this.#options.window
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
    if ('error' in ending) throw ending.error
    return DONE
  }

  /** Gives credit for what was taken: not for each item, but soon enough that the producer need not wait. */
  #giveBack(): void {
    this.#taken++
    const { window, grantsToTheEnd } = this.#options
    if (this.#taken * 2 < window || (this.#ending && !grantsToTheEnd)) return
    this.#credit += this.#taken
    this.#options.grant(this.#taken)
    this.#taken = 0
  }

  #leave(): void {
    const isOpen = this.#begun && !this.#ending
    this.discard()
    if (isOpen) this.#options.leave()
  }
}

const DONE: IteratorReturnResult<void> = { done: true, value: undefined }

/** A stream without items. */
export function emptyStream(): IncomingStream {
  const stream = new IncomingStream({
    window: 0,
    begin: () => {},
    grant: () => {},
    leave: () => {},
    check: (item) => item,
  })
  stream.end()
  return stream
}
