/** The part of Node's EventEmitter that sandboxed preloads use. Made by {@link createEventEmitter}. */
export interface EmitterClass {
  new (): {
    on(name: string, listener: (...args: unknown[]) => void): unknown
    emit(name: string, ...args: unknown[]): boolean
  }
}

/**
 * The `events` module of a sandboxed preload.
 *
 * Self-contained on purpose: its source is what runs in a page's isolated world.
 */
export function createEventEmitter(): EmitterClass {
  type Listener = (...args: unknown[]) => void
  interface Entry {
    readonly listener: Listener
    readonly once: boolean
  }

  return class EventEmitter {
    #entries = new Map<string, Entry[]>()

    #add(name: string, listener: Listener, once: boolean, first = false): this {
      if (typeof listener !== 'function') throw new TypeError('The listener must be a function')
      const entries = this.#entries.get(name) ?? []
      const entry = { listener, once }
      this.#entries.set(name, first ? [entry, ...entries] : [...entries, entry])
      return this
    }

    on(name: string, listener: Listener): this {
      return this.#add(name, listener, false)
    }

    addListener(name: string, listener: Listener): this {
      return this.#add(name, listener, false)
    }

    once(name: string, listener: Listener): this {
      return this.#add(name, listener, true)
    }

    prependListener(name: string, listener: Listener): this {
      return this.#add(name, listener, false, true)
    }

    prependOnceListener(name: string, listener: Listener): this {
      return this.#add(name, listener, true, true)
    }

    off(name: string, listener: Listener): this {
      return this.removeListener(name, listener)
    }

    removeListener(name: string, listener: Listener): this {
      const entries = this.#entries.get(name) ?? []
      const at = entries.findLastIndex((entry) => entry.listener === listener)
      if (at >= 0) this.#entries.set(name, entries.toSpliced(at, 1))
      return this
    }

    removeAllListeners(name?: string): this {
      if (name === undefined) this.#entries.clear()
      else this.#entries.delete(name)
      return this
    }

    emit(name: string, ...args: unknown[]): boolean {
      const entries = this.#entries.get(name) ?? []
      for (const { listener, once } of entries) {
        if (once) this.removeListener(name, listener)
        Reflect.apply(listener, this, args)
      }
      return entries.length > 0
    }

    listeners(name: string): Listener[] {
      return (this.#entries.get(name) ?? []).map((entry) => entry.listener)
    }

    listenerCount(name: string): number {
      return (this.#entries.get(name) ?? []).length
    }

    eventNames(): string[] {
      return [...this.#entries.keys()].filter((name) => this.listenerCount(name) > 0)
    }

    setMaxListeners(): this {
      return this
    }

    static get EventEmitter(): unknown {
      return EventEmitter
    }
  }
}
