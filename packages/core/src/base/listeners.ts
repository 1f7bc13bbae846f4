import { guarded } from './guarded.js'

/**
 * The listeners of a value. Each change calls them in the order in which they were added. If one fails, the others are
 * called all the same.
 */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>()
  readonly #error: (error: unknown) => void

  /** @param error called with what a listener throws, or rejects with. */
  constructor(error: (error: unknown) => void) {
    this.#error = error
  }

  get isEmpty(): boolean {
    return this.#all.size === 0
  }

  /**
   * @returns a function that removes the listener. A listener that is added twice is called twice, and each of these
   *   functions removes it once.
   */
  add(listener: (value: T) => void): () => void {
    const entry = (value: T) => listener(value)
    this.#all.add(entry)
    return () => void this.#all.delete(entry)
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) guarded(() => listener(value), this.#error)
  }
}
