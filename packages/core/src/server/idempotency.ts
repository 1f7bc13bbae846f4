import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { KeyedCall } from '../calls/keyed-call.js'
import { assertCount } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import {
  describeThrown,
  ErrorCode,
  RpcConfigError,
  RpcDisconnectedError,
  RpcOverloadedError,
} from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import type { Keys } from '../link/hello.js'
import { disown } from '../wire/disown.js'
import type { Format } from '../wire/format.js'
import { errorMessage, neverRanMessage, type ResponseMessage } from '../wire/message.js'
import { fingerprintOf } from './fingerprint.js'
import { GuardedStore, nameOfStore, StoreIsLate } from './guarded-store.js'
import type { BegunCall, ResultStore } from './result-store.js'
import { leftMessage, SharedRun } from './shared-run.js'
import { readStoredAnswer, storeAnswer } from './stored-answer.js'
import { UnrecordedAnswers } from './unrecorded.js'
import { type NodeRuns, WaitElsewhere } from './wait-elsewhere.js'

/** How calls with an idempotency key are answered. */
export interface IdempotencyOptions<Identity = unknown> {
  /** Where the answers are kept, such as `memoryResultStore()`. */
  store: ResultStore
  /**
   * Returns the scope of a client's keys. Clients with the same scope can get each other's results. Equal keys of
   * different scopes are different keys. An example is `(identity) => identity.userId`. Required if there is
   * `authenticate`; without it, all clients share one scope, and keys have to be random.
   */
  scope?: (identity: Identity) => string
  /**
   * The largest answer that is kept, in characters of the text for the store. Default 64 Ki. A larger answer is sent
   * but not kept: a caller that sends the call again is answered −32005.
   */
  maxAnswerLength?: number
  /**
   * How long a call with a key goes on after all of its callers have gone, in ms, because one of them may come back.
   * After that, its `signal` aborts. In a cluster, the callers of all nodes count. Default 30,000.
   */
  graceMs?: number
  /**
   * How long the store may take to answer, in ms. If it does not record a key in that time, the call is not run:
   * `RpcTimeoutError`, `not-received`. If it does not record an answer, the answer is sent all the same. Default
   * 10,000.
   */
  storeTimeoutMs?: number
}

const IDEMPOTENCY_OPTIONS = {
  store: 'elsewhere',
  scope: 'function',
  maxAnswerLength: 'elsewhere',
  graceMs: 'elsewhere',
  storeTimeoutMs: 'elsewhere',
} as const satisfies OptionKinds<IdempotencyOptions>

/** How long to wait before the store is asked again for a call that runs in another process, in ms. */
const FIRST_POLL_MS = 20
const MAX_POLL_MS = 1_000
/** The longest id of a store, in characters. */
const MAX_ID_LENGTH = 1_024

/** Runs each call with a key once, and gives its answer to all of its callers (docs/protocol.md, "Keys"). */
export class Idempotency {
  readonly #options: Required<IdempotencyOptions>
  readonly #store: GuardedStore
  readonly #format: Format
  /** The present runs, by scope and key. */
  readonly #runs = new Map<string, SharedRun>()
  readonly #running = new Set<Promise<void>>()
  readonly #unrecorded: UnrecordedAnswers
  #isRecordingAgain = false
  readonly #nodes: NodeRuns | undefined
  #isClosing = false

  /**
   * @param nodes the runs of the nodes of its cluster; undefined without one.
   * @throws {RpcConfigError} naming the option that is wrong.
   */
  constructor(
    options: IdempotencyOptions,
    hasIdentities: boolean,
    format: Format,
    nodes: NodeRuns | undefined,
  ) {
    this.#options = resolveIdempotencyOptions(options, hasIdentities)
    const { store, storeTimeoutMs } = this.#options
    this.#nodes = nodes
    this.#store = new GuardedStore(store, storeTimeoutMs, nodes?.node)
    this.#unrecorded = new UnrecordedAnswers(store.ttlMs)
    this.#format = format
  }

  /**
   * @returns the member `keys` of the answer to a client's hello.
   *
   * @throws the error of `scope` if it throws.
   */
  keysOf(identity: unknown): Keys {
    const { id, ttlMs } = this.#store
    return { store: digest(JSON.stringify([id, this.#scopeOf(identity)])), ttlMs }
  }

  /** @returns the one answer of a call's key, whatever the id of the call. Rejects if `scope` fails. */
  async answer(call: KeyedCall): Promise<ResponseMessage> {
    const key = JSON.stringify([this.#scopeOf(call.identity), call.key])
    const fingerprint = fingerprintOf(call.method, call.params)
    // The caller waits no longer: the call is not begun, and leaves no record.
    if (call.signal.aborted) {
      return neverRanMessage(null, ErrorCode.cancelled, `${quoted(call.method)} was cancelled`)
    }
    for (;;) {
      const known = this.#unrecorded.get(key)
      if (known) {
        return known.fingerprint === fingerprint ? this.#kept(known.record, call) : reused(call)
      }
      const run = this.#runs.get(key)
      if (!run) return this.#start(key, fingerprint, call)
      if (run.fingerprint === fingerprint && run.isOpen) return run.join(call)
      if (run.fingerprint !== fingerprint && run.isBegun) return reused(call)
      // The run was given up, or has other params. Wait until it has ended; then the store knows the result of the key.
      await endedOrLeft(run, call)
      if (call.signal.aborted) return leftMessage(call)
    }
  }

  /**
   * Waits for the run of a key for the callers of another node, so that it goes on, until the signal aborts.
   *
   * @param key as it is in the store.
   * @returns whether there was a run.
   */
  async waitElsewhere(key: string, signal: AbortSignal): Promise<boolean> {
    const run = this.#runs.get(key)
    if (!run) return false
    if (run.isOpen) run.joinElsewhere(signal)
    await endedOrLeft(run, { signal })
    return true
  }

  /**
   * Waits for the present runs until the deadline by `performance.now()`. Then it gives them up: the signals of their
   * handlers abort.
   */
  async close(deadline: number): Promise<void> {
    const left = deadline - performance.now()
    if (left > 0 && this.#running.size > 0) {
      const giveUp = new AbortController()
      const { signal } = giveUp
      await Promise.race([
        Promise.all(this.#running),
        sleep(Math.min(left, MAX_TIMER_MS), undefined, { signal }).catch(() => {}),
      ])
      giveUp.abort()
    }
    this.#isClosing = true
    const reason = new RpcDisconnectedError('The server is closing', 'maybe-executed')
    for (const run of this.#runs.values()) run.giveUp(reason)
    this.#unrecorded.clear()
  }

  /** Called in the same turn that finds no run of the key, so that only one of its callers asks the store. */
  #start(key: string, fingerprint: string, call: KeyedCall): Promise<ResponseMessage> {
    const run = new SharedRun(fingerprint, call, this.#options.graceMs)
    this.#runs.set(key, run)
    const answer = run.join(call)
    const running = this.#find(key, run)
      .catch((thrown) => {
        call.error(thrown)
        return unknownEnd(call)
      })
      .then((found) => {
        this.#running.delete(running)
        this.#runs.delete(key)
        run.end(found)
      })
    this.#running.add(running)
    return answer
  }

  async #find(key: string, run: SharedRun): Promise<ResponseMessage> {
    const { call } = run
    const refusal = this.#whyFull(call)
    if (refusal) return refusal
    let elsewhere: WaitElsewhere | undefined
    try {
      for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(waitMs * 2, MAX_POLL_MS)) {
        const begun = await this.#begin(key, run)
        if ('refusal' in begun) return begun.refusal
        if (begun.state === 'new') return await this.#run(key, run)
        if (begun.fingerprint !== run.fingerprint) return reused(call)
        if (begun.state === 'done') return this.#kept(begun.answer, call)
        if (begun.state === 'unknown') return died(call)
        if (this.#nodes && begun.node !== undefined) {
          elsewhere ??= new WaitElsewhere(this.#nodes, key, run)
          elsewhere.at(begun.node)
        }
        await run.pause(waitMs)
        // The call still runs in the other process, and its caller may ask again.
        if (!run.goOnOrClose()) return givenUp(call)
      }
    } finally {
      // If this node is closed, its callers go on at others. The run loses this node with its link, and then waits for them.
      if (!this.#isClosing) elsewhere?.end()
    }
  }

  /**
   * @returns the refusal of a call if too many answers could not be recorded, so that its own could not be kept either.
   */
  #whyFull({ method, error }: KeyedCall): ResponseMessage | undefined {
    if (!this.#unrecorded.isFull) return undefined
    const why = `${quoted(method)} was not run: no more results can be kept`
    const name = nameOfStore(this.#store.id)
    const what = `${name} has not recorded ${this.#unrecorded.size} answers, and no more are kept here`
    error(new RpcOverloadedError(`${why}: ${what}`, { method, outcome: 'not-received' }))
    return neverRanMessage(null, ErrorCode.overloaded, why)
  }

  async #begin(
    key: string,
    { fingerprint, call }: SharedRun,
  ): Promise<BegunCall | { readonly refusal: ResponseMessage }> {
    const { method } = call
    const refusal = (code: number, why: string) => ({
      refusal: neverRanMessage(null, code, `${quoted(method)} was not run: ${why}`),
    })
    try {
      return await this.#store.begin(key, fingerprint, call.owner, (late) =>
        this.#begunLate(key, call, late),
      )
    } catch (thrown) {
      call.error(thrown)
      if (thrown instanceof StoreIsLate) {
        return refusal(ErrorCode.timedOut, 'its key was not recorded in time')
      }
      return thrown instanceof RpcOverloadedError
        ? refusal(ErrorCode.overloaded, 'no more results can be kept')
        : refusal(ErrorCode.disconnected, 'its key could not be recorded')
    }
  }

  /**
   * The store has recorded a key too late. The caller already got the error that the call was not run, so it is not
   * run.
   */
  #begunLate(key: string, call: KeyedCall, late: Promise<BegunCall>): void {
    late
      .then(({ state }) => (state === 'new' ? this.#giveBack(key, call) : undefined))
      .catch((thrown) => call.error(thrown))
  }

  async #run(key: string, run: SharedRun): Promise<ResponseMessage> {
    const call = run.begin()
    if (!call) {
      await this.#giveBack(key, run.call)
      return givenUp(run.call)
    }
    const told = await call.run(run.signal)
    const isUnknown = hasUnknownEnd(told, run.signal)
    const answer = isUnknown && run.signal.aborted ? givenUp(call) : told
    const kept = isUnknown ? givenUp(call) : told
    await this.#keep(key, run.fingerprint, call, kept)
    return answer
  }

  /**
   * The key of a call was recorded, but its caller waits no longer, so it is not run. If the store can release the key,
   * it can be run again.
   */
  async #giveBack(key: string, call: KeyedCall): Promise<void> {
    try {
      if (this.#store.canRelease) await this.#store.release(key)
      else await this.#store.finish(key, this.#record(givenUp(call), call), ignored)
    } catch (thrown) {
      call.error(thrown)
    }
  }

  async #keep(
    key: string,
    fingerprint: string,
    call: KeyedCall,
    answer: ResponseMessage,
  ): Promise<void> {
    const record = this.#record(answer, call)
    try {
      await this.#store.finish(key, record, (late) => {
        late.then(() => this.#unrecorded.delete(key)).catch((thrown) => call.error(thrown))
      })
    } catch (thrown) {
      const short = storeAnswer(this.#format, unkept(call))
      this.#unrecorded.add(key, fingerprint, record, short)
      call.error(thrown)
      return
    }
    if (this.#unrecorded.oldest) void this.#recordAgain()
  }

  /** Records the answers that the store could not record before, the oldest first. */
  async #recordAgain(): Promise<void> {
    if (this.#isRecordingAgain) return
    this.#isRecordingAgain = true
    try {
      for (let next = this.#unrecorded.oldest; next; next = this.#unrecorded.oldest) {
        const [key, { record }] = next
        await this.#store.finish(key, record, ignored)
        this.#unrecorded.delete(key)
      }
    } catch {
      // The first failure was already reported. The answers stay in this process.
    } finally {
      this.#isRecordingAgain = false
    }
  }

  #record(answer: ResponseMessage, call: KeyedCall): string {
    try {
      const record = storeAnswer(this.#format, answer)
      const { maxAnswerLength } = this.#options
      return record.length > maxAnswerLength ? storeAnswer(this.#format, unkept(call)) : record
    } catch {
      // The codec can't carry it: this is reported when the call is answered.
      return storeAnswer(this.#format, unkept(call))
    }
  }

  #kept(record: string, call: KeyedCall): ResponseMessage {
    const unread = uncertain(call, 'has run, and its answer, which another codec wrote, is lost')
    try {
      return readStoredAnswer(this.#format, record) ?? unread
    } catch (thrown) {
      const why = `${nameOfStore(this.#store.id)} has an answer that can't be read: ${describeThrown(thrown)}`
      call.error(new RpcConfigError(why, { method: call.method, cause: thrown }))
      return unread
    }
  }

  #scopeOf(identity: unknown): string {
    const scope: unknown = this.#options.scope(identity)
    if (typeof scope === 'string') return scope
    disown(scope)
    throw new RpcConfigError(`idempotency.scope must return text. It returned ${typeof scope}`)
  }
}

function ignored(late: Promise<unknown>): void {
  late.catch(() => {})
}

/** Resolves when a run has ended, or when the caller of this call no longer waits. */
function endedOrLeft({ ended }: SharedRun, { signal }: Pick<KeyedCall, 'signal'>): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const onEnd = () => {
      signal.removeEventListener('abort', onEnd)
      resolve()
    }
    signal.addEventListener('abort', onEnd, { once: true })
    void ended.then(onEnd)
  })
}

function reused({ method }: KeyedCall): ResponseMessage {
  const why = 'its key belongs to a call of another method or with other params; use another key'
  return errorMessage(null, ErrorCode.keyReused, `${quoted(method)} was not run: ${why}`)
}

function died(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'may have run: the process that began it ended before it had an answer')
}

/**
 * Error codes after which it is not known how far a handler came: the handler was stopped, or a call of its own was.
 */
const UNKNOWN_ENDS: ReadonlySet<number> = new Set([
  ErrorCode.cancelled,
  ErrorCode.timedOut,
  ErrorCode.disconnected,
  ErrorCode.uncertain,
])

/** Whether an answer can't be kept as the call's result, because it is not known how much the handler did. */
function hasUnknownEnd(answer: ResponseMessage, { aborted }: AbortSignal): boolean {
  if (!('error' in answer)) return false
  const { code } = answer.error
  return UNKNOWN_ENDS.has(code) || (aborted && code === ErrorCode.internal)
}

function givenUp(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'may have run: it was given up while it ran')
}

function unkept(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'has run, and its answer could not be kept')
}

function unknownEnd(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'may have run: what came of it is not known')
}

function uncertain({ method }: KeyedCall, what: string): ResponseMessage {
  return errorMessage(null, ErrorCode.uncertain, `${quoted(method)} ${what}`, undefined, null)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/**
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is wrong.
 */
function resolveIdempotencyOptions(
  options: IdempotencyOptions,
  hasIdentities: boolean,
): Required<IdempotencyOptions> {
  assertOptions('idempotency', options, IDEMPOTENCY_OPTIONS)
  const {
    store,
    scope,
    maxAnswerLength = 64 * 1024,
    graceMs = 30_000,
    storeTimeoutMs = 10_000,
  } = options
  assertStore(store)
  if (scope === undefined && hasIdentities) {
    throw new RpcConfigError(
      'idempotency.scope is missing: with authenticate, say whose keys they are, as in (identity) => identity.userId, so that nobody gets the results of another',
    )
  }
  for (const [name, value] of Object.entries({ maxAnswerLength, graceMs, storeTimeoutMs })) {
    assertCount(`idempotency.${name}`, value, { most: 'timer' })
  }
  return { store, scope: scope ?? (() => ''), maxAnswerLength, graceMs, storeTimeoutMs }
}

function assertStore(store: Partial<ResultStore> | undefined): void {
  const { id, ttlMs, begin, finish, release } = store ?? {}
  if (typeof begin !== 'function' || typeof finish !== 'function') {
    throw new RpcConfigError(
      'idempotency.store must be a ResultStore (id, ttlMs, begin, finish), such as memoryResultStore()',
    )
  }
  const name = nameOfStore(id)
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) {
    throw new RpcConfigError(
      `${name} must be a ResultStore whose id is text of 1 to ${MAX_ID_LENGTH} characters`,
    )
  }
  if (!(typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0)) {
    throw new RpcConfigError(
      `${name} must have a ttlMs above 0, for how many ms a key is kept. It is ${String(ttlMs)}`,
    )
  }
  if (release === undefined || typeof release === 'function') return
  throw new RpcConfigError(`${name} must have a function for release, or none`)
}
