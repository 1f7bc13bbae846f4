import type { MaybeAsync } from '../base/maybe-async.js'
import { onAbort } from '../calls/abort-listeners.js'
import { timeoutError } from '../calls/call-errors.js'
import { CallTimer, type TimeLimits } from '../calls/call-timer.js'
import { abortedError } from '../calls/pending-calls.js'
import { own } from '../errors/error-origin.js'
import { RpcDisconnectedError, type RpcError } from '../errors/errors.js'
import { LATE_MS } from './gather.js'

/** The call whose results are validated. */
export interface ValidatedCall {
  readonly method: string
  readonly time: TimeLimits
  /** When its time is over, by `performance.now()`. */
  readonly endsAt: number
  readonly signal: AbortSignal | undefined
}

/** A result that is being validated. */
interface Pending {
  readonly fail: (error: RpcError) => void
}

/**
 * The results of one call that have arrived and are being validated. As with a call to one channel, the time of the call,
 * its signal and the end of the endpoint still end them: each target has the outcome that comes first.
 */
export class PendingResults {
  readonly #call: ValidatedCall
  readonly #pending = new Set<Pending>()
  #stopListening: (() => void) | undefined
  #settled = () => {}

  constructor(call: ValidatedCall) {
    this.#call = call
  }

  /**
   * Validates a result.
   *
   * @param check returns the validated result, or throws.
   * @param valid called with the validated result. Either this or `failed` is called, once.
   * @param failed called with the error of `check`, or with that of the call's end.
   */
  add(
    check: () => MaybeAsync<unknown>,
    valid: (result: unknown) => void,
    failed: (error: RpcError) => void,
  ): void {
    let verdict: MaybeAsync<unknown>
    try {
      verdict = check()
    } catch (error) {
      return failed(own(error as RpcError))
    }
    if (!(verdict instanceof Promise)) return valid(verdict)
    const { signal } = this.#call
    const timer = this.#timer((error) => pending.fail(error))
    const end = (settle: () => void) => {
      if (!this.#pending.delete(pending)) return
      timer.stop()
      settle()
      if (this.#pending.size === 0) this.#end()
    }
    const pending: Pending = { fail: (error) => end(() => failed(own(error))) }
    this.#pending.add(pending)
    this.#stopListening ??= signal && onAbort(signal, () => this.#aborted(signal))
    verdict.then((result) => end(() => valid(result)), pending.fail)
  }

  /** The endpoint is closed. */
  lost(why: string): void {
    const { method } = this.#call
    this.#failAll(
      () =>
        new RpcDisconnectedError(`"${method}" was sent and may have run: ${why}`, MAYBE, {
          method,
        }),
    )
  }

  /** Resolves when no result is being validated. */
  async settled(): Promise<void> {
    if (this.#pending.size === 0) return
    await new Promise<void>((resolve) => {
      this.#settled = resolve
    })
  }

  #aborted(signal: AbortSignal): void {
    this.#failAll(() => abortedError(this.#call.method, MAYBE, signal))
  }

  #failAll(error: () => RpcError): void {
    for (const pending of [...this.#pending]) pending.fail(error())
  }

  #timer(fail: (error: RpcError) => void): CallTimer {
    const { method, time, endsAt } = this.#call
    const left = endsAt - performance.now()
    // A result that comes after the time of the call counts as long as that of a slow node is waited for.
    const total = left > 0 ? left : Math.max(0, left + LATE_MS)
    return new CallTimer({ idle: time.idle, total }, NOT_HELD_UP, (which) =>
      fail(timeoutError({ method, state: 'written' }, which, time[which], undefined)),
    )
  }

  #end(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
    this.#settled()
  }
}

const MAYBE = 'maybe-executed'
const NOT_HELD_UP = { isHeldUp: false } as const
