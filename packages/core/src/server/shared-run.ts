import type { KeyedCall } from '../channel/keyed-calls.js'
import { RpcDisconnectedError } from '../errors.js'

/**
 * Those who wait for the one run of a key. Its signal aborts when nobody does any more: at once where
 * the last of them has cancelled, and after a while where it is gone and may come back.
 */
export class SharedRun {
  /** Of the call that began it. */
  readonly fingerprint: string
  /** Whether its handler runs, or has run: it is the first of its key. */
  isBegun = false
  /** Its answer could not be recorded: this process alone knows it. */
  isUnrecorded = false
  readonly #graceMs: number
  readonly #controller = new AbortController()
  readonly #waiting = new Map<KeyedCall, () => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(fingerprint: string, graceMs: number) {
    this.fingerprint = fingerprint
    this.#graceMs = graceMs
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  join(call: KeyedCall): void {
    if (this.#isOver) return
    const onAbort = () => this.#left(call)
    clearTimeout(this.#timer)
    this.#waiting.set(call, () => call.signal.removeEventListener('abort', onAbort))
    if (call.signal.aborted) onAbort()
    else call.signal.addEventListener('abort', onAbort, { once: true })
  }

  /** Nobody is to wait for it any longer. */
  abandon(reason: unknown): void {
    clearTimeout(this.#timer)
    this.#controller.abort(reason)
  }

  /** It has its answer. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const stopListening of this.#waiting.values()) stopListening()
    this.#waiting.clear()
  }

  #left(call: KeyedCall): void {
    this.#waiting.get(call)?.()
    this.#waiting.delete(call)
    if (this.#waiting.size > 0 || this.#isOver) return
    const { reason } = call.signal
    if (!(reason instanceof RpcDisconnectedError)) return this.abandon(reason)
    this.#timer = setTimeout(() => this.abandon(reason), this.#graceMs)
  }
}
