import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { Definition } from '../contract/contract.js'
import { own, withOrigin } from '../errors/error-origin.js'
import { type Outcome, RpcAbortedError, RpcConfigError, type RpcError } from '../errors/errors.js'
import { release } from '../wire/encoded.js'
import { onAbort } from './abort-listeners.js'
import type { Absence } from './absence.js'
import { timeoutError } from './call-errors.js'
import { type CallTime, NO_LIMITS } from './call-time.js'
import { CallTimer, type TimeLimits } from './call-timer.js'
import { type DeadlineQueue, deadlineQueue, type TimedOwner } from './deadline-queue.js'
import type { SendOptions } from './functions.js'
import { IdTable } from './id-table.js'
import { type CallKind, OUTCOME_TEXTS, outcomeOf, PendingCall } from './pending-call.js'

/** Has the calls. */
export interface PendingCallsHost {
  /** Describes the time without a connection; undefined while there is one. */
  readonly absence: Absence | undefined
  /** A call has timed out, was aborted, or its stream was left. It has been settled. */
  givenUp(call: PendingCall): void
}

/**
 * The calls that this side has made and that have not ended, by id. Each is removed exactly once: it was answered,
 * failed with its connection, timed out, or was aborted. Only this class has call timers and abort listeners.
 */
export class PendingCalls implements TimedOwner {
  /** As {@link TimedOwner} says. */
  isWatched = false
  readonly #entries = new IdTable<PendingCall>()
  readonly #defaultTimeout: TimeLimits
  /** The queue of the calls that use the channel's default timeout. */
  readonly #queue: DeadlineQueue | undefined
  readonly #host: PendingCallsHost
  #lastId = 0
  #inFlight = 0

  /** @param patience the channel's default timeout, for calls that have none of their own. */
  constructor(patience: TimeLimits, host: PendingCallsHost) {
    this.#defaultTimeout = patience
    this.#host = host
    const { idle, total } = patience
    if (idle === NO_LIMITS.idle && total <= MAX_TIMER_MS) this.#queue = deadlineQueue(total)
  }

  endDue(by: number): number {
    for (const call of this.#entries.values()) {
      const { dueAt } = call
      if (dueAt > by) return dueAt
      if (dueAt > 0) this.#runOut(call, 'total', this.#defaultTimeout)
    }
    return Number.POSITIVE_INFINITY
  }

  /** Whether a call has or had this id, and whether it still waits for its answer. */
  stateOf(id: unknown): 'waiting' | 'over' | 'unknown' {
    if (!Number.isInteger(id) || (id as number) < 1 || (id as number) > this.#lastId)
      return 'unknown'
    return this.awaited(id) ? 'waiting' : 'over'
  }

  /** How many calls and notifications were opened, in total. */
  get begun(): number {
    return this.#lastId
  }

  /** How many calls were written and wait for their answer. Streams are not counted, as they may have no end. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** The call with this id that waits for its answer; a call that was not sent can't have one. */
  awaited(id: unknown): PendingCall | undefined {
    const entry = this.#entries.get(id)
    return entry?.state === 'written' ? entry : undefined
  }

  /** A call was handed to a transport. */
  wrote(call: PendingCall): void {
    const isNew = call.kind !== 'stream' && call.state !== 'written'
    call.state = 'written'
    if (isNew && this.#entries.get(call.id) === call) this.#inFlight++
  }

  /** A call that was written is known not to have been received. */
  returned(call: PendingCall): void {
    this.#takeBack(call)
    if (!call.uncertain) call.repeat?.returned()
  }

  /** A call that was written waits to be sent again, though it may have run. */
  markUncertain(call: PendingCall): void {
    this.#takeBack(call)
    call.uncertain = true
  }

  /** The calls that were written, in their order. */
  get written(): readonly PendingCall[] {
    return [...this.#entries.values()].filter(({ state }) => state === 'written')
  }

  /**
   * Opens a call. Its timer and its signal are active from now on.
   *
   * @throws {RpcConfigError} if the timeout is not a number of ms, or the key is wrong.
   * @throws {RpcAbortedError} if the signal is already aborted.
   */
  open(
    method: string,
    options: SendOptions,
    kind: CallKind,
    definition: Definition | undefined,
    time: CallTime | undefined,
  ): PendingCall {
    const signal = options.signal === undefined ? undefined : assertSignal(method, options.signal)
    if (signal?.aborted) throw own(abortedError(method, 'not-sent', signal))

    const call = new PendingCall(++this.#lastId, method, kind, definition)
    if (time === undefined && this.#queue) call.dueAt = this.#queue.begin(this)
    else this.#limit(call, time)
    if (signal) this.#listen(call, signal)
    this.#entries.add(call)
    return call
  }

  // In functions of their own: whatever has closures makes an object for them each time it runs.

  #limit(call: PendingCall, time: CallTime | undefined): void {
    const { limits = this.#defaultTimeout, deadline } = time ?? {}
    // A notification has no deadline: nobody waits for an answer.
    if (deadline !== undefined && call.kind !== 'notification') call.deadline = deadline
    if (limits === this.#defaultTimeout && this.#queue) call.dueAt = this.#queue.begin(this)
    else if (limits.total !== NO_LIMITS.total || limits.idle !== NO_LIMITS.idle) {
      call.timer = new CallTimer(limits, call, (which) => this.#runOut(call, which, limits))
    }
  }

  #listen(call: PendingCall, signal: AbortSignal): void {
    call.stopListening = onAbort(signal, () =>
      this.giveUp(call, abortedError(call.method, outcomeOf(call), signal)),
    )
  }

  has(call: PendingCall): boolean {
    return this.#entries.get(call.id) === call
  }

  /** Removes the call with this id, and the caller must settle it; `undefined` if there is none. */
  take(id: unknown): PendingCall | undefined {
    const entry = this.#entries.get(id)
    return entry && this.takeOut(entry)
  }

  /** Removes a call that is known to be here. */
  takeOut(call: PendingCall): PendingCall {
    this.#entries.delete(call.id)
    if (typeof call.encoded === 'object') release(call.encoded, call)
    if (call.state === 'written' && call.kind !== 'stream') this.#inFlight--
    if (call.dueAt > 0) this.#queue?.end()
    call.timer?.stop()
    call.stopListening?.()
    return call
  }

  #runOut(call: PendingCall, which: keyof TimeLimits, limits: TimeLimits): void {
    const error = timeoutError(call, which, limits[which], this.#host.absence)
    const deadline = which === 'total' ? call.deadline : undefined
    this.giveUp(call, withOrigin(error, { isOwn: true, deadline }))
  }

  /** No call is opened for now, so the timer of the queue may be removed. */
  rest(): void {
    this.#queue?.rest(this)
  }

  /** Removes and rejects all calls for which `which` returns true. */
  rejectAll(which: (call: PendingCall) => boolean, error: (call: PendingCall) => RpcError): void {
    for (const call of [...this.#entries.values()]) {
      if (which(call)) this.take(call.id)?.reject(error(call))
    }
  }

  #takeBack(call: PendingCall): void {
    const wasInFlight = call.kind !== 'stream' && call.state === 'written'
    call.state = 'returned'
    if (wasInFlight && this.has(call)) this.#inFlight--
  }

  /** Ends a call without its answer; the other side may still work on it. */
  giveUp(call: PendingCall, error: RpcError): void {
    if (!this.take(call.id)) return
    call.reject(error)
    this.#host.givenUp(call)
  }

  /** Ends a stream if nobody wants its items any more. That is not a failure. */
  leave(call: PendingCall): void {
    if (!this.take(call.id)) return
    call.resolve(undefined)
    this.#host.givenUp(call)
  }
}

/** @throws {RpcConfigError} if it is not an `AbortSignal`. */
export function assertSignal(method: string, signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') {
    return signal as AbortSignal
  }
  throw new RpcConfigError(
    `The signal of "${method}" must be an AbortSignal, such as that of a new AbortController()`,
    { method },
  )
}

/** The error of a call whose signal has aborted. */
export function abortedError(
  method: string,
  outcome: Outcome,
  signal: AbortSignal,
): RpcAbortedError {
  return new RpcAbortedError(`"${method}" was aborted: it ${OUTCOME_TEXTS[outcome]}`, outcome, {
    method,
    cause: signal.reason,
  })
}
