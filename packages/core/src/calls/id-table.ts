import { EMPTY_MAP, ownMap } from '../base/empty.js'

/** The number of places at first; it is always a power of two. */
const LEAST = 16
/** The most places that are kept while all are empty. */
const MOST_EMPTY = 256

/** An item that is found by its id. */
interface Identified {
  readonly id: unknown
}

const NO_PLACES: never[] = []

/**
 * Calls by their ids. It is fast if ids are assigned one after another, as most peers do, and correct for all others.
 *
 * It is a ring, and not a `Map`: a map with constant additions and deletions is copied every few calls, and V8 links
 * each copy that it has left to the next one (`OrderedHashTable::Rehash` in its source). If an old copy has been moved
 * to the old generation, most collections do not free it. It then keeps all copies after it, with the calls that were
 * open then, and their answers.
 */
export class IdTable<T extends Identified> {
  /** Each item is at its id modulo the number of places. */
  #places: (T | undefined)[] = NO_PLACES
  /** The number of places less one: of an id, these bits are its place. */
  #mask = -1
  /** How many places are taken. */
  #taken = 0
  /** The items without a place: a later item took it, or their id is no integer. */
  #others: Map<unknown, T> = EMPTY_MAP
  #lastId = 0

  get size(): number {
    return this.#taken + this.#others.size
  }

  /** Adds an item. No other item here may have its id. */
  add(item: T): void {
    const { id } = item
    if (!Number.isInteger(id)) {
      this.#others = ownMap(this.#others).set(id, item)
      return
    }
    this.#lastId = id as number
    const isHeld = this.#places[(id as number) & this.#mask] !== undefined
    if ((isHeld || this.#places === NO_PLACES) && this.#taken * 2 >= this.#places.length) {
      this.#grow()
    }
    const place = (id as number) & this.#mask
    const holder = this.#places[place]
    if (holder === undefined) this.#taken++
    else this.#others = ownMap(this.#others).set(holder.id, holder)
    this.#places[place] = item
  }

  /** @param id any value that arrived as an id. */
  get(id: unknown): T | undefined {
    if (typeof id === 'number') {
      const item = this.#places[id & this.#mask]
      if (item?.id === id) return item
    }
    return this.#others.get(id)
  }

  delete(id: T['id']): void {
    if (typeof id !== 'number' || this.#places[id & this.#mask]?.id !== id) {
      this.#others.delete(id)
      return
    }
    this.#places[id & this.#mask] = undefined
    this.#taken--
    if (this.#taken === 0 && this.#places.length > MOST_EMPTY) {
      this.#places = NO_PLACES
      this.#mask = -1
    }
  }

  /**
   * All items in order, including those that are added meanwhile. Use it only if ids are assigned one after another.
   */
  *values(): Iterable<T> {
    let seen = 0
    for (const item of this.#others.values()) {
      seen = item.id as number
      yield item
    }
    // Items lose their places in the order of their ids.
    const first = Math.max(seen, this.#lastId - this.#places.length) + 1
    for (let id = first; id <= this.#lastId; id++) {
      const item = this.get(id)
      if (item) yield item
    }
  }

  /** Doubles the number of places. Items that had places keep one. */
  #grow(): void {
    const places = this.#places
    this.#places = new Array<T | undefined>(Math.max(LEAST, places.length * 2)).fill(undefined)
    this.#mask = this.#places.length - 1
    for (const item of places) if (item) this.#places[(item.id as number) & this.#mask] = item
  }
}
