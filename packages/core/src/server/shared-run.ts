import type { KeyedCall } from '../calls/keyed-call.js'
import { ErrorCode, RpcDisconnectedError, RpcTimeoutError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import { errorMessage, type ResponseMessage } from '../wire/message.js'

interface Waiting {
  readonly answer: (answer: ResponseMessage) => void
  readonly stopListening: () => void
}

/**
 * The run of a key, and the calls that wait for it. It is given up when no call waits any more: at once if the last
 * caller has cancelled; after a while if its connection was lost, because it may come back. Until the handler has
 * begun, the next call with the key takes the run over. Afterwards the handler's signal aborts, and no call can join.
 * Other nodes of a cluster whose callers wait count as calls, but none of them can take the run over.
 */
export class SharedRun {
  /** The fingerprint of the first call, and of all calls that join. */
  readonly fingerprint: string
  /** The first call. Errors name its method, and go to its `onError`. */
  readonly call: KeyedCall
  /** Resolves when the run has ended and can't be joined any more. */
  readonly ended: Promise<void>
  readonly #graceMs: number
  readonly #controller = new AbortController()
  readonly #waiting = new Map<KeyedCall, Waiting>()
  /** Each aborts when the callers of another node wait no longer. Most runs have none. */
  #elsewhere: Set<AbortSignal> | undefined
  /** The call whose handler runs, or ran. */
  #runner: KeyedCall | undefined
  /** Answers the runner when its handler has ended, if its caller has left before. Until then it counts as running. */
  #answerRunner: Waiting['answer'] | undefined
  /** The caller that was the last to leave. */
  #last: KeyedCall
  #state: 'wanted' | 'given up' | 'closed' = 'wanted'
  #timer: ReturnType<typeof setTimeout> | undefined
  #wake: (() => void) | undefined
  #tellEnd!: () => void

  constructor(fingerprint: string, call: KeyedCall, graceMs: number) {
    this.fingerprint = fingerprint
    this.call = call
    this.#last = call
    this.#graceMs = graceMs
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
  }

  /** The signal of the handler. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether its handler has begun. */
  get isBegun(): boolean {
    return this.#runner !== undefined
  }

  /** Whether it can be joined. */
  get isOpen(): boolean {
    return this.#state !== 'closed'
  }

  /**
   * Waits for the run, which must be open, until this caller leaves.
   *
   * @returns its answer. The caller whose handler runs gets it when the handler has ended.
   */
  join(call: KeyedCall): Promise<ResponseMessage> {
    clearTimeout(this.#timer)
    this.#state = 'wanted'
    return new Promise((answer) => {
      const onAbort = () => this.#left(call)
      const stopListening = () => call.signal.removeEventListener('abort', onAbort)
      this.#waiting.set(call, { answer, stopListening })
      if (call.signal.aborted) onAbort()
      else call.signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Counts another node whose callers wait for the run, which must be open, until the signal aborts. */
  joinElsewhere(signal: AbortSignal): void {
    clearTimeout(this.#timer)
    this.#state = 'wanted'
    this.#elsewhere ??= new Set()
    this.#elsewhere.add(signal)
    const onAbort = () => {
      if (this.#elsewhere?.delete(signal)) this.#waiterLeft(signal)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  }

  /** Ends the present {@link pause}, so that the store is asked again at once. */
  endPause(): void {
    this.#wake?.()
  }

  /** Waits for this time, in ms, or less if {@link endPause} is called or the run is given up. */
  async pause(ms: number): Promise<void> {
    if (this.#state !== 'wanted') return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Closes the run if no caller waits for it. @returns whether it goes on. */
  goOnOrClose(): boolean {
    if (this.#state !== 'wanted') this.#state = 'closed'
    return this.isOpen
  }

  /** @returns the call whose handler is to run; `undefined` if no caller waits. Then the run is closed from now on. */
  begin(): KeyedCall | undefined {
    if (!this.goOnOrClose()) return undefined
    const [first = this.#last] = this.#waiting.keys()
    this.#runner = first
    return first
  }

  /** Ends the wait of all callers. */
  giveUp(reason: unknown): void {
    clearTimeout(this.#timer)
    this.#state = this.isBegun ? 'closed' : 'given up'
    this.#wake?.()
    if (this.isBegun) this.#controller.abort(reason)
  }

  /** Ends the run with its answer. */
  end(answer: ResponseMessage): void {
    this.#state = 'closed'
    clearTimeout(this.#timer)
    for (const waiting of this.#waiting.values()) {
      waiting.stopListening()
      waiting.answer(answer)
    }
    this.#waiting.clear()
    this.#elsewhere = undefined
    this.#answerRunner?.(answer)
    this.#tellEnd()
  }

  #left(call: KeyedCall): void {
    const waiting = this.#waiting.get(call)
    if (!waiting) return
    waiting.stopListening()
    this.#waiting.delete(call)
    this.#last = call
    if (call === this.#runner) this.#answerRunner = waiting.answer
    else waiting.answer(leftMessage(call))
    this.#waiterLeft(call.signal)
  }

  /** A caller, or another node, waits no longer. */
  #waiterLeft({ reason }: AbortSignal): void {
    if (this.#waiting.size > 0 || (this.#elsewhere && this.#elsewhere.size > 0)) return
    if (!(reason instanceof RpcDisconnectedError)) return this.giveUp(reason)
    this.#timer = setTimeout(() => this.giveUp(reason), this.#graceMs)
  }
}

/** The answer for a caller that no longer waits, and so can't learn the result of the key. */
export function leftMessage({ method, signal }: KeyedCall): ResponseMessage {
  const isLate = signal.reason instanceof RpcTimeoutError
  return isLate
    ? errorMessage(
        null,
        ErrorCode.timedOut,
        `${quoted(method)} took longer than its caller waits`,
        undefined,
        null,
      )
    : errorMessage(null, ErrorCode.cancelled, `${quoted(method)} was cancelled`, undefined, null)
}
