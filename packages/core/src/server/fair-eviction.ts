import { type Owner, shareOf } from './shares.js'

interface Owned<Item> {
  /** The items with their sizes in bytes, the oldest first. */
  readonly items: Map<Item, number>
  bytes: number
}

/**
 * Chooses which items of many owners are evicted, if there are more than the limits allow: the oldest of an owner with
 * more than its share, or otherwise the oldest of the owner with the most.
 */
export class FairEviction<Item> {
  readonly #max: number
  readonly #maxBytes: number
  readonly #share: number
  readonly #byOwner = new Map<Owner, Owned<Item>>()
  #count = 0
  #bytes = 0

  /** @param share the part of both that one owner may have, above 0 and up to 1. */
  constructor(max: number, maxBytes: number, share: number) {
    this.#max = max
    this.#maxBytes = maxBytes
    this.#share = share
  }

  /** Adds an item, or changes the size of one that is there. */
  set(owner: Owner, item: Item, bytes: number): void {
    let owned = this.#byOwner.get(owner)
    if (!owned) {
      owned = { items: new Map(), bytes: 0 }
      this.#byOwner.set(owner, owned)
    }
    const before = owned.items.get(item)
    owned.items.set(item, bytes)
    if (before === undefined) this.#count++
    owned.bytes += bytes - (before ?? 0)
    this.#bytes += bytes - (before ?? 0)
  }

  delete(owner: Owner, item: Item): void {
    const owned = this.#byOwner.get(owner)
    const bytes = owned?.items.get(item)
    if (!owned || bytes === undefined) return
    owned.items.delete(item)
    owned.bytes -= bytes
    this.#count--
    this.#bytes -= bytes
    if (owned.items.size === 0) this.#byOwner.delete(owner)
  }

  /** @returns the item to evict next, after this owner got more; `undefined` if all items fit. */
  next(owner: Owner): Item | undefined {
    const owned = owner === undefined ? undefined : this.#byOwner.get(owner)
    const isOver =
      owned &&
      (owned.items.size > shareOf(this.#max, this.#share) ||
        owned.bytes > shareOf(this.#maxBytes, this.#share))
    if (isOver) return oldest(owned)
    if (this.#count > this.#max) return oldest(this.#largest(({ items }) => items.size))
    if (this.#bytes > this.#maxBytes) return oldest(this.#largest(({ bytes }) => bytes))
    return undefined
  }

  #largest(size: (owned: Owned<Item>) => number): Owned<Item> | undefined {
    let largest: Owned<Item> | undefined
    for (const owned of this.#byOwner.values()) {
      if (!largest || size(owned) > size(largest)) largest = owned
    }
    return largest
  }
}

function oldest<Item>(owned: Owned<Item> | undefined): Item | undefined {
  return owned?.items.keys().next().value
}
