import { MAX_TIMER_MS } from '../../base/max-timer.js'
import { onAbort } from '../../calls/abort-listeners.js'

/** Calls that wait for a handler of their method, by the method. */
export class MountWait {
  readonly #waiting = new Map<string, Set<() => void>>()

  /**
   * Resolves when a handler was exposed, when `ms` ms have passed, or when the signal aborts, in the order in which the
   * calls began to wait.
   *
   * @param signal a signal that is not aborted yet.
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

  /** A handler was exposed. */
  mounted(method: string): void {
    for (const end of this.#waiting.get(method) ?? []) end()
  }
}
