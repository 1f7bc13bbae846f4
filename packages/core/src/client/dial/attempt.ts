import { MAX_TIMER_MS } from '../../base/max-timer.js'

/** One attempt to connect: how long it may take, and whether its connection is still wanted. */
export class Attempt {
  readonly timeoutMs: number
  /** Aborts when the connection is no longer wanted. */
  readonly signal: AbortSignal
  /** Whether it was given up because it took too long. */
  isLate = false
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #endsAt = 0
  #reason: Error | undefined

  /** @param timeoutMs how long it may take, in ms. */
  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
    this.signal = this.#controller.signal
    this.restart()
  }

  get timeLeftMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /**
   * Begins its time anew: the time so far does not count.
   *
   * @throws the reason for giving it up, if it was given up.
   */
  restart(): void {
    if (this.#reason) throw this.#reason
    this.stopTimer()
    this.#endsAt = performance.now() + this.timeoutMs
    this.#timer = setTimeout(
      () => {
        this.isLate = true
        this.giveUp(`no connection within ${this.timeoutMs} ms`)
      },
      Math.min(this.timeoutMs, MAX_TIMER_MS),
    )
  }

  giveUp(reason: string): void {
    this.stopTimer()
    // The signal's own reason is missing in some versions of React Native.
    this.#reason ??= new Error(reason)
    this.#controller.abort(this.#reason)
  }

  stopTimer(): void {
    clearTimeout(this.#timer)
  }

  /**
   * Waits for a value while the attempt is wanted.
   *
   * @param tooLate called with a value that comes after the attempt was given up.
   * @throws the reason for giving it up, or the error of `ask`.
   */
  unlessGivenUp<T>(ask: () => T | Promise<T>, tooLate?: (value: T) => void): Promise<T> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(this.#reason)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
      void (async () => ask())()
        .then((value) => (signal.aborted ? tooLate?.(value) : resolve(value)), reject)
        .finally(() => signal.removeEventListener('abort', onAbort))
    })
  }
}
