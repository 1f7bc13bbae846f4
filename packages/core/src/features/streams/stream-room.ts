import type { ChannelLimits } from '../../link/limits.js'

/** The room for items that arrive over one channel and wait here until they are read. */
export class StreamRoom {
  readonly #limits: ChannelLimits
  #held = 0

  constructor(limits: ChannelLimits) {
    this.#limits = limits
  }

  /** The most items of one stream that may wait. */
  get items(): number {
    return this.#limits.streamItems
  }

  /**
   * The number of items of this size, in bytes, for which one stream gets credit: at least one, however large it is.
   */
  itemsOf(bytes: number): number {
    const { streamItems, streamBytes } = this.#limits
    return Math.max(1, Math.min(streamItems, Math.floor(streamBytes / Math.max(1, bytes))))
  }

  /** The most bytes that may wait in all streams together. */
  get most(): number {
    return this.#limits.allStreamBytes
  }

  /** An item has arrived. @returns whether there is room for it. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.most) return false
    this.#held += bytes
    return true
  }

  /** Items were read, or dropped. */
  give(bytes: number): void {
    this.#held -= bytes
  }
}
