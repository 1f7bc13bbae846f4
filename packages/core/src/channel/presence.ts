/** Which methods of the other side have a handler there now, as it says. */
export class Presence {
  readonly #error: (error: unknown) => void
  #methods: ReadonlySet<string> | undefined
  /** By the registration: one function may be registered twice. */
  readonly #listeners = new Map<object, (methods: ReadonlySet<string>) => void>()

  constructor(error: (error: unknown) => void) {
    this.#error = error
  }

  /** @returns undefined where the other side does not say. */
  has(method: string): boolean | undefined {
    return this.#methods?.has(method)
  }

  /** Tells of each change. @returns ends that. */
  listen(listener: (methods: ReadonlySet<string>) => void): () => void {
    const registration = {}
    this.#listeners.set(registration, listener)
    return () => this.#listeners.delete(registration)
  }

  /** The other side has said which. */
  said(names: Iterable<string>): void {
    const methods = new Set(names)
    const before = this.#methods ?? NONE
    this.#methods = methods
    if (methods.size === before.size && [...methods].every((name) => before.has(name))) return
    for (const listener of [...this.#listeners.values()]) {
      try {
        listener(methods)
      } catch (thrown) {
        this.#error(thrown)
      }
    }
  }

  /** Nobody is there any more. */
  end(): void {
    if (this.#methods) this.said(NONE)
    this.#listeners.clear()
  }
}

const NONE: ReadonlySet<string> = new Set()

/** @returns the names, or `undefined` where they are none. */
export function readMethods(value: unknown): readonly string[] | undefined {
  const isNames = Array.isArray(value) && value.every((name) => typeof name === 'string')
  return isNames ? value : undefined
}
