/**
 * Tells the server which methods have a handler here: with each hello, and if they have changed by the end of a turn.
 * If a handler is removed and added again in one turn (a component under StrictMode), nothing is sent.
 */
export class ToldMethods {
  readonly #names: () => Iterable<string>
  readonly #tell: (exposed: readonly string[]) => boolean
  /** What the server knows, as JSON. */
  #told: string | undefined
  #isDue = false

  /** @param tell returns false if nothing can be sent now. Then the next hello, or `catchUp`, tells the server. */
  constructor(names: () => Iterable<string>, tell: (exposed: readonly string[]) => boolean) {
    this.#names = names
    this.#tell = tell
  }

  /** The names for a hello; undefined if there are none. */
  greet(): readonly string[] | undefined {
    const exposed = this.#exposed
    this.#told = JSON.stringify(exposed)
    return exposed.length > 0 ? exposed : undefined
  }

  /** The methods may have changed. */
  changed(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.catchUp()
    })
  }

  /** Sends changes that were not sent yet. */
  catchUp(): void {
    const exposed = this.#exposed
    const now = JSON.stringify(exposed)
    if (now !== this.#told && this.#tell(exposed)) this.#told = now
  }

  get #exposed(): readonly string[] {
    return [...this.#names()].sort()
  }
}
