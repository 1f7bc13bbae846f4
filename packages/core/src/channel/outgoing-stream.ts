import type { Source } from './functions.js'
import { isNodeStream, iterateNodeStream } from './node-stream.js'
import { MOST_CREDIT } from './stream-words.js'
import { isWebStream, iterateWebStream } from './web-stream.js'

export interface OutgoingStreamOptions {
  /** How many items may be sent before more credit comes. */
  readonly credit: number
  /** @throws where the item can't be sent; the stream ends. */
  readonly send: (item: unknown) => void
  /** @returns resolves when something may be sent; `undefined` where it may be now. */
  readonly whenRoomy: () => Promise<void> | undefined
  /** Called when a source fails to return while an item of it is still awaited. */
  readonly error: (thrown: unknown) => void
}

/**
 * The producing end of one stream: takes items from a source and sends each, as far as there is credit
 * for them and room on the way. It takes none ahead.
 */
export class OutgoingStream {
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

  /** How many items were sent. */
  get sent(): number {
    return this.#sent
  }

  /** Whether it was stopped, and did not end by itself. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** So many more items may be sent. @returns why they may not, where that can't be. */
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
    try {
      for (;;) {
        while (this.#credit === 0 && !this.#isStopped) await this.#woken()
        if (this.#isStopped) return
        // A source that fails has ended.
        hasEnded = true
        this.#isTaking = true
        const result = await iterator.next()
        this.#isTaking = false
        hasEnded = result.done === true
        if (hasEnded) return
        // Looked at and used in one turn: other streams wait for the same room.
        for (let room = this.#room; room; room = this.#room) await this.#woken(room)
        if (this.#isStopped) return
        this.#credit--
        this.#options.send(result.value)
        this.#sent++
      }
    } finally {
      this.#isTaking = false
      if (!hasEnded) await (this.#returned ?? this.#return())
    }
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }

  /** Resolves when there may be room for an item; `undefined` where there is, or it needs none. */
  get #room(): Promise<void> | undefined {
    return this.#isStopped ? undefined : this.#options.whenRoomy()
  }

  async #woken(room?: Promise<void>): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve))
    await (room ? Promise.race([room, woken]) : woken)
  }
}

/** Whether items can be taken from a value. */
export function isSource(value: unknown): value is Source<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
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
