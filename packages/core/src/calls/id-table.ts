import { EMPTY_MAP, ownMap } from '../base/empty.js'

/** So many places there are at first; a power of two, as it is ever after. */
const LEAST = 16
/** So many are kept while they are empty. */
const MOST_EMPTY = 256

/** What is found by its id. */
interface Identified {
  readonly id: unknown
}

const NO_PLACES: never[] = []

/**
 * Calls by their ids: quickest where these are given one after another, as most peers do, and right for all others.
 *
 * A ring, and no `Map`: one that is added to and deleted from all the time is copied every few calls, and V8 links each
 * copy that it has left to the next one (`OrderedHashTable::Rehash` in its source). Once one of them is so old that most
 * collections pass it by, it holds all that follow, with the calls that were open then, and what they were answered with.
 */
export class IdTable<T extends Identified> {
  /** Each at its id, modulo how many there are. */
  #places: (T | undefined)[] = NO_PLACES
  /** How many of them are taken. */
  #taken = 0
  /** Those whose place a later one has, as they have been here for long, and those that can have none. */
  #others: Map<unknown, T> = EMPTY_MAP
  #lastId = 0

  get size(): number {
    return this.#taken + this.#others.size
  }

  /** Adds one whose id none has that is here. */
  add(item: T): void {
    const { id } = item
    if (!Number.isInteger(id)) {
      this.#others = ownMap(this.#others).set(id, item)
      return
    }
    this.#lastId = id as number
    const isHeld = this.#places[this.#placeOf(id as number)] !== undefined
    if ((isHeld || this.#places === NO_PLACES) && this.#taken * 2 >= this.#places.length) {
      this.#grow()
    }
    const place = this.#placeOf(id as number)
    const holder = this.#places[place]
    if (holder === undefined) this.#taken++
    else this.#others = ownMap(this.#others).set(holder.id, holder)
    this.#places[place] = item
  }

  /** @param id whatever came as one. */
  get(id: unknown): T | undefined {
    if (typeof id === 'number') {
      const item = this.#places[this.#placeOf(id)]
      if (item?.id === id) return item
    }
    return this.#others.get(id)
  }

  delete(id: T['id']): void {
    if (typeof id !== 'number' || this.#places[this.#placeOf(id)]?.id !== id) {
      this.#others.delete(id)
      return
    }
    this.#places[this.#placeOf(id)] = undefined
    this.#taken--
    if (this.#taken === 0 && this.#places.length > MOST_EMPTY) this.#places = NO_PLACES
  }

  /** All, in order; those, too, that are added meanwhile. Only where ids were given one after another. */
  *values(): Iterable<T> {
    let seen = 0
    for (const item of this.#others.values()) {
      seen = item.id as number
      yield item
    }
    // None has lost its place before those with lower ids.
    const first = Math.max(seen, this.#lastId - this.#places.length) + 1
    for (let id = first; id <= this.#lastId; id++) {
      const item = this.get(id)
      if (item) yield item
    }
  }

  #placeOf(id: number): number {
    return id & (this.#places.length - 1)
  }

  /** Those that had places of their own have so among more of them. */
  #grow(): void {
    const places = this.#places
    this.#places = new Array<T | undefined>(Math.max(LEAST, places.length * 2)).fill(undefined)
    for (const item of places) if (item) this.#places[this.#placeOf(item.id as number)] = item
  }
}
