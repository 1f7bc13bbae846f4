import { deadlineOf, setDeadline } from './deadline.js'
import { callOf, setCall } from './middleware.js'

/**
 * One signal made into many, for many calls: a platform warns of too many who listen to one. They abort
 * when it does, with its reason, have its deadline, and are of the same call.
 */
export class ForkedSignal {
  readonly #controllers: AbortController[] = []
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.abort(this.#signal?.reason)

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Another signal, for one call. */
  fork(): AbortSignal {
    const controller = new AbortController()
    this.#controllers.push(controller)
    const { signal } = controller
    if (this.#signal?.aborted) controller.abort(this.#signal.reason)
    else if (deadlineOf(this.#signal) < Number.POSITIVE_INFINITY) {
      setDeadline(signal, deadlineOf(this.#signal))
    }
    const call = callOf(this.#signal)
    if (call) setCall(signal, call)
    return signal
  }

  /** Aborts all of them; those whose calls have ended change nothing. */
  abort(reason?: unknown): void {
    for (const controller of this.#controllers.splice(0)) controller.abort(reason)
  }

  /** Listens no more. */
  end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
