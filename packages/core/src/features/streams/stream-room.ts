import type { ChannelLimits } from '../../link/limits.js'

/** How much of the streams that come in over one channel may wait here to be taken. */
export class StreamRoom {
  readonly #limits: ChannelLimits
  #held = 0

  constructor(limits: ChannelLimits) {
    this.#limits = limits
  }

  /** The most items of one stream. */
  get items(): number {
    return this.#limits.streamItems
  }

  /** So many items of such a size may be under way to one stream: one, however large it is. */
  itemsOf(bytes: number): number {
    const { streamItems, streamBytes } = this.#limits
    return Math.max(1, Math.min(streamItems, Math.floor(streamBytes / Math.max(1, bytes))))
  }

  /** The most bytes of all streams together. */
  get most(): number {
    return this.#limits.allStreamBytes
  }

  /** An item came in. @returns whether there is room for it. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.most) return false
    this.#held += bytes
    return true
  }

  /** Items were taken, or dropped. */
  give(bytes: number): void {
    this.#held -= bytes
  }
}
