import { IdTable } from './id-table.js'

/** The callbacks of each signal, which share one listener. */
const listeners = new WeakMap<AbortSignal, Listeners>()

interface Listener {
  readonly id: number
  readonly callback: () => void
}

/**
 * Calls a function when a signal aborts. One listener serves all callbacks of a signal: a handler may pass its signal
 * on to many calls, and Node warns if a signal has more than ten listeners.
 *
 * @param callback called once; it must not throw.
 * @returns a function that removes the callback; safe to call twice.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const told = listeners.get(signal) ?? new Listeners(signal)
  return told.add(callback)
}

/** The callbacks of one signal. */
class Listeners {
  readonly #signal: AbortSignal
  readonly #all = new IdTable<Listener>()
  #lastId = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
    listeners.set(signal, this)
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** @returns a function that removes the callback. */
  add(callback: () => void): () => void {
    const id = ++this.#lastId
    this.#all.add({ id, callback })
    return () => {
      this.#all.delete(id)
      if (this.#all.size === 0) this.#stop()
    }
  }

  #stop(): void {
    if (listeners.get(this.#signal) === this) listeners.delete(this.#signal)
    this.#signal.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => {
    listeners.delete(this.#signal)
    for (const { callback } of [...this.#all.values()]) callback()
  }
}
