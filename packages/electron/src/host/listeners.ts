import { EventEmitter } from 'node:events'

/** Listeners of events, by name; one that fails keeps no other from hearing. */
export class Listeners<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #emitter = new EventEmitter()
  readonly #failed: (thrown: unknown, event: keyof Events & string) => void

  /** @param failed told of what a listener of an event threw, or rejected with. */
  constructor(failed: (thrown: unknown, event: keyof Events & string) => void) {
    this.#failed = failed
    // Many windows may listen for themselves.
    this.#emitter.setMaxListeners(0)
  }

  on<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => unknown): this {
    this.#emitter.on(event, listener as never)
    return this
  }

  once<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => unknown): this {
    this.#emitter.once(event, listener as never)
    return this
  }

  off<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => unknown): this {
    this.#emitter.off(event, listener as never)
    return this
  }

  tell<K extends keyof Events & string>(event: K, ...args: Events[K]): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      void (async () => listener.apply(this.#emitter, [...args]))().catch((thrown) =>
        this.#failed(thrown, event),
      )
    }
  }
}
