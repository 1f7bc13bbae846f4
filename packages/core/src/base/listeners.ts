import { guarded } from './guarded.js'

/** Those who are told of each change, in the order in which they came; none harms another. */
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

  /** @returns takes it away. A function added twice is told twice, and taken away one at a time. */
  add(listener: (value: T) => void): () => void {
    const entry = (value: T) => listener(value)
    this.#all.add(entry)
    return () => void this.#all.delete(entry)
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) guarded(() => listener(value), this.#error)
  }
}
