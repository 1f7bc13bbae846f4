import { MAX_TIMER_MS } from '../../base/max-timer.js'
import { onAbort } from '../../calls/abort-listeners.js'

/** Calls that wait for a handler of their method to come, by the method. */
export class MountWait {
  readonly #waiting = new Map<string, Set<() => void>>()

  /**
   * Resolves when a handler has come, so many ms have passed or the signal aborts, in the order in which
   * calls began to wait.
   *
   * @param signal not aborted yet.
   */
  for(method: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(method) ?? new Set()
      this.#waiting.set(method, waiting)
      const end = () => {
        clearTimeout(timer)
        stop()
        waiting.delete(end)
        if (waiting.size === 0 && this.#waiting.get(method) === waiting) {
          this.#waiting.delete(method)
        }
        resolve()
      }
      const timer = ms > MAX_TIMER_MS ? undefined : setTimeout(end, ms)
      const stop = onAbort(signal, end)
      waiting.add(end)
    })
  }

  /** A handler has come. */
  mounted(method: string): void {
    for (const end of this.#waiting.get(method) ?? []) end()
  }
}
