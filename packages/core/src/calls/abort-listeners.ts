import { IdTable } from './id-table.js'

/** Of each signal, whom its one listener tells. */
const listeners = new WeakMap<AbortSignal, Listeners>()

interface Listener {
  readonly id: number
  readonly callback: () => void
}

/**
 * Tells of a signal's abort, by one listener however many want to know: a handler may pass its signal on to many
 * calls, and Node warns of more than ten who listen to one.
 *
 * @param callback called once, and must not throw.
 * @returns ends that; safe to call twice.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const told = listeners.get(signal) ?? new Listeners(signal)
  return told.add(callback)
}

/** Those of one signal. */
class Listeners {
  readonly #signal: AbortSignal
  readonly #all = new IdTable<Listener>()
  #lastId = 0

  constructor(signal: AbortSignal) {
    this.#signal = signal
    listeners.set(signal, this)
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** @returns takes it away again. */
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
