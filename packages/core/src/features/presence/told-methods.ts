/**
 * Tells the server which methods have a handler here: with each hello, and when they have changed by the
 * end of a turn, so that a handler that is taken away and put back (a component under StrictMode) says
 * nothing.
 */
export class ToldMethods {
  readonly #names: () => Iterable<string>
  readonly #tell: (exposed: readonly string[]) => boolean
  /** What the server knows, as JSON. */
  #told: string | undefined
  #isDue = false

  /** @param tell returns false where nobody can be told now: the next hello, or `catchUp`, will. */
  constructor(names: () => Iterable<string>, tell: (exposed: readonly string[]) => boolean) {
    this.#names = names
    this.#tell = tell
  }

  /** What a hello says; undefined where there is none. */
  greet(): readonly string[] | undefined {
    const exposed = this.#exposed
    this.#told = JSON.stringify(exposed)
    return exposed.length > 0 ? exposed : undefined
  }

  /** They may have changed. */
  changed(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.catchUp()
    })
  }

  /** Tells what was not told yet. */
  catchUp(): void {
    const exposed = this.#exposed
    const now = JSON.stringify(exposed)
    if (now !== this.#told && this.#tell(exposed)) this.#told = now
  }

  get #exposed(): readonly string[] {
    return [...this.#names()].sort()
  }
}
