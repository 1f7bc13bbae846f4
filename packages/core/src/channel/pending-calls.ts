import { type Outcome, RpcAbortedError, type RpcError, RpcTimeoutError } from '../errors.js'
import { letGo } from '../wire/encoded.js'
import { onAbort } from './abort-listeners.js'
import { CallTimer, MAX_TIMER_MS, readTimeout, type TimeLimits } from './call-timer.js'
import { deadlineOf, type Stamp } from './deadline.js'
import { DeadlineQueue, type Timed } from './deadline-queue.js'
import { EMPTY_MAP, ownMap } from './empty.js'
import type { SendOptions } from './functions.js'
import { assertKey } from './keyed-calls.js'
import type { Meta } from './meta.js'
import type { Outgoing } from './outbox.js'
import type { ProgressListening } from './progress.js'

/** What a call is answered with. */
export type CallKind = 'call' | 'stream' | 'notification'

/** A call, or a notification still to be written, that has not ended yet. */
export interface PendingCall {
  readonly id: number
  readonly method: string
  readonly kind: CallKind
  /** It was handed to a transport: it may have run. */
  readonly written: boolean
  /** It was, and is known not to have been received. */
  readonly returned: boolean
  /** It was written to somebody who is gone, and waits to be sent again: it may have run all the same. */
  readonly uncertain: boolean
  /** Its idempotency key. */
  readonly key?: string | undefined
  /** With a key: whose results it was first written to, and when; only those can say what came of it. */
  sentTo?: { readonly store: string; readonly at: number } | undefined
  /** Whether items come, or go along: only who knows of such can be called so. */
  readonly hasStreams: boolean
  /** When it is to have ended, as far as that is told to the other side; `Infinity` where it is not. */
  readonly deadline: number
  /** What travels beside its params. */
  meta?: Meta | undefined
  /** When its message was made that says what a plain peer is not told: its time, who listens, its meta. */
  stamp?: Stamp | undefined
  /** Who listens to how far it has come. */
  progress?: ProgressListening | undefined
  /** Whether it is this side that keeps items from coming. */
  isHeldUp?: (() => boolean) | undefined
  /** How many items have come, or were sent along, where that is counted. */
  countItems?: (() => number) | undefined
  /** Its message, which may have to go out again. */
  outgoing?: Outgoing | undefined
  readonly promise: Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: RpcError) => void
}

interface Entry extends PendingCall, Timed {
  written: boolean
  returned: boolean
  uncertain: boolean
  key?: string | undefined
  timer?: CallTimer | undefined
  stopListening?: (() => void) | undefined
}

/** Whose calls they are. */
export interface PendingCallsHost {
  /** A call has timed out, was aborted or was left, and has been settled. */
  givenUp(call: PendingCall): void
}

/**
 * The calls this side has made that have not ended, by id. Each leaves exactly once: settled by an
 * answer, failed with its connection, timed out, or aborted. The sole owner of call timers and
 * abort listeners.
 */
export class PendingCalls {
  #entries: Map<number, Entry> = EMPTY_MAP
  readonly #patience: TimeLimits
  /** Of those that have the channel's own patience. */
  readonly #overdue: DeadlineQueue | undefined
  readonly #host: PendingCallsHost
  #lastId = 0
  #inFlight = 0

  /**
   * @param patience how long calls may take that were not told otherwise.
   */
  constructor(patience: TimeLimits, host: PendingCallsHost) {
    this.#patience = patience
    this.#host = host
    const { idle, total } = patience
    if (idle === NONE.idle && total <= MAX_TIMER_MS) {
      this.#overdue = new DeadlineQueue(total, (item) =>
        this.#runOut(item as Entry, 'total', patience),
      )
    }
  }

  get size(): number {
    return this.#entries.size
  }

  /** Whether a call had this id, and when it did: whether it waits for its answer now. */
  stateOf(id: unknown): 'waiting' | 'over' | 'unknown' {
    if (!Number.isInteger(id) || (id as number) < 1 || (id as number) > this.#lastId)
      return 'unknown'
    return this.awaited(id) ? 'waiting' : 'over'
  }

  /** How many were written and wait for their answer; streams do not, which may go on for ever. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** The call with this id that waits for its answer; what was not sent can't have one. */
  awaited(id: unknown): PendingCall | undefined {
    const entry = this.#entries.get(id as number)
    return entry?.written ? entry : undefined
  }

  /** A call was handed to a transport. */
  wrote(call: PendingCall): void {
    this.#mark(call, true)
  }

  /** A call that was written is known not to have been received. */
  returned(call: PendingCall): void {
    this.#mark(call, false)
    if (!call.uncertain) call.sentTo = undefined
  }

  /** A call that was written waits to be sent again, though it may have run. */
  doubt(call: PendingCall): void {
    this.#mark(call, false)
    const entry = call as Entry
    entry.uncertain = true
  }

  /** Those that were written, in their order. */
  get written(): readonly PendingCall[] {
    return [...this.#entries.values()].filter(({ written }) => written)
  }

  /**
   * Opens a call, with its deadline and its signal running from now on.
   *
   * @throws {RpcConfigError} where the timeout is no number of ms, or the key is none.
   * @throws {RpcAbortedError} where the signal is aborted already.
   */
  open(method: string, options: SendOptions, kind: CallKind): PendingCall {
    const hasStreams = kind === 'stream' || options.input !== undefined
    const { limits, deadline } = timeOf(method, options, this.#patience, kind)
    const key = assertKey(method, options.idempotencyKey, hasStreams ? 'stream' : kind)
    const { signal } = options
    if (signal?.aborted) throw abortedError(method, 'not-sent', signal)

    let resolve!: PendingCall['resolve']
    let reject!: PendingCall['reject']
    const promise = new Promise<unknown>((onResult, onError) => {
      resolve = onResult
      reject = onError
    })
    const id = ++this.#lastId
    // What few calls have is not there in the others: many may be open at once.
    const entry: Entry = {
      id,
      method,
      kind,
      written: false,
      returned: false,
      uncertain: false,
      hasStreams,
      // A notification has nobody who could be late for it.
      deadline: kind === 'notification' ? Number.POSITIVE_INFINITY : deadline,
      outgoing: undefined,
      promise,
      resolve,
      reject,
      dueAt: 0,
      earlier: undefined,
      later: undefined,
      queue: undefined,
    }
    if (key !== undefined) entry.key = key
    if (limits === this.#patience && this.#overdue) this.#overdue.add(entry)
    else if (limits.total !== NONE.total || limits.idle !== NONE.idle) {
      entry.timer = new CallTimer(limits, entry, (which) => this.#runOut(entry, which, limits))
    }
    if (signal) {
      entry.stopListening = onAbort(signal, () =>
        this.giveUp(entry, abortedError(method, outcomeOf(entry), signal)),
      )
    }
    this.#entries = ownMap(this.#entries).set(id, entry)
    return entry
  }

  has(call: PendingCall): boolean {
    return this.#entries.get(call.id) === call
  }

  /** Takes the call with this id out, for the taker to settle; `undefined` where there is none. */
  take(id: unknown): PendingCall | undefined {
    // Own ids are integers and the map does not convert: "1" is not 1.
    const entry = this.#entries.get(id as number)
    return entry && this.#takeOut(entry)
  }

  /** The same, where it waits for its answer. */
  takeAwaited(id: unknown): PendingCall | undefined {
    const entry = this.#entries.get(id as number)
    return entry?.written ? this.#takeOut(entry) : undefined
  }

  #takeOut(entry: Entry): PendingCall {
    this.#entries.delete(entry.id)
    if (entry.outgoing) letGo(entry.outgoing.encoded, entry)
    this.#count(entry, Number(entry.written), 0)
    entry.queue?.remove(entry)
    entry.timer?.stop()
    entry.stopListening?.()
    return entry
  }

  #runOut(entry: Entry, which: keyof TimeLimits, limits: TimeLimits): void {
    this.giveUp(entry, timeoutError(entry.method, which, limits[which], outcomeOf(entry)))
  }

  /** The other side has shown that it works on a call. */
  touch(id: unknown): void {
    this.#entries.get(id as number)?.timer?.touch()
  }

  /** No call is opened for now: no timer stays behind. */
  rest(): void {
    this.#overdue?.rest()
  }

  /** Takes out, and rejects, all calls that `which` names. */
  rejectAll(which: (call: PendingCall) => boolean, error: (call: PendingCall) => RpcError): void {
    for (const call of [...this.#entries.values()]) {
      if (which(call)) this.take(call.id)?.reject(error(call))
    }
  }

  #mark(call: PendingCall, written: boolean): void {
    const entry = call as Entry
    if (this.#entries.has(entry.id)) this.#count(entry, Number(entry.written), Number(written))
    entry.written = written
    entry.returned = !written
  }

  #count({ kind }: Entry, before: number, now: number): void {
    if (kind !== 'stream') this.#inFlight += now - before
  }

  /** Ends a call without its answer; the other side may still work on it. */
  giveUp(call: PendingCall, error: RpcError): void {
    if (!this.take(call.id)) return
    call.reject(error)
    this.#host.givenUp(call)
  }

  /** Ends a stream whose items nobody wants any more, which is no failure. */
  leave(call: PendingCall): void {
    if (!this.take(call.id)) return
    call.resolve(undefined)
    this.#host.givenUp(call)
  }
}

/** What can be said of a call that ends without an answer. */
export function outcomeOf(call: PendingCall): Outcome {
  if (call.written || call.uncertain) return 'maybe-executed'
  return call.returned ? 'not-received' : 'not-sent'
}

const NONE: TimeLimits = { idle: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }

/**
 * How long a call may take, and when it is to have ended: what it was given, or what is left to whoever
 * it is made for, whichever is less. What is but this side's patience is told to nobody.
 */
function timeOf(
  method: string,
  { timeout, input, signal }: SendOptions,
  fallback: TimeLimits,
  kind: CallKind,
): { readonly limits: TimeLimits; readonly deadline: number } {
  if (timeout === undefined && signal === undefined && input === undefined && kind !== 'stream') {
    return { limits: fallback, deadline: Number.POSITIVE_INFINITY }
  }
  const given = timeout === undefined ? undefined : readTimeout(method, timeout)
  const patience =
    kind === 'stream'
      ? NONE
      : input === undefined
        ? fallback
        : // As long as the other side takes items, a call may last.
          { ...NONE, idle: Math.min(fallback.idle, fallback.total) }
  const { idle, total } = given ?? patience
  const inherited = deadlineOf(signal)
  const left = inherited - performance.now()
  const deadline = given && given.total < left ? performance.now() + given.total : inherited
  if (idle === Number.POSITIVE_INFINITY && Math.min(total, left) === Number.POSITIVE_INFINITY) {
    return { limits: NONE, deadline }
  }
  return { limits: { idle, total: Math.max(0, Math.min(total, left)) }, deadline }
}

/** What an outcome says of a call, for messages. */
export const STATE: Record<Outcome, string> = {
  'not-sent': 'was not sent',
  'not-received': 'was sent, never received, and has not run',
  'maybe-executed': 'was sent and may have run',
}

function timeoutError(
  method: string,
  which: 'idle' | 'total',
  ms: number,
  outcome: Outcome,
): RpcTimeoutError {
  const what = which === 'total' ? 'was not answered in' : 'showed no sign of life for'
  const text = `"${method}" ${what} ${Math.ceil(ms)} ms: it ${STATE[outcome]}`
  return new RpcTimeoutError(text, outcome, { method })
}

function abortedError(method: string, outcome: Outcome, signal: AbortSignal): RpcAbortedError {
  return new RpcAbortedError(`"${method}" was aborted: it ${STATE[outcome]}`, outcome, {
    method,
    cause: signal.reason,
  })
}
