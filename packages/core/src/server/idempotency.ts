import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyedCall, Keys } from '../channel/keyed-calls.js'
import { ErrorCode, RpcConfigError, RpcDisconnectedError, RpcOverloadedError } from '../errors.js'
import type { Codec } from '../wire/codec.js'
import { errorMessage, neverRanMessage, type ResponseMessage } from '../wire/message.js'
import { fingerprintOf } from './fingerprint.js'
import type { BegunCall, ResultStore } from './result-store.js'
import { SharedRun } from './shared-run.js'
import { readStoredAnswer, storeAnswer } from './stored-answer.js'

/** How calls with an idempotency key are answered. */
export interface IdempotencyOptions<Identity = unknown> {
  /** Where the answers are kept, such as `memoryResultStore()`. */
  store: ResultStore
  /**
   * Whose keys they are: equal for those that may have each other's results, such as
   * `(identity) => identity.userId`. Keys of different scopes never meet. Required where there is
   * `authenticate`; without it, all clients share one scope, and keys have to be random.
   */
  scope?: (identity: Identity) => string
  /**
   * The largest answer that is kept, in characters as the store gets it. Default 64 Ki. A larger one is
   * sent, and whoever asks for it again is answered −32005.
   */
  maxAnswerLength?: number
  /**
   * How long a call with a key goes on whose callers are all gone, in ms: one of them may come back. Then its
   * `signal` aborts. Default 30,000.
   */
  graceMs?: number
}

/** How long to wait before a call that runs in another process is asked for again, in ms. */
const FIRST_LOOK_MS = 20
const LONGEST_LOOK_MS = 1_000

/** Runs each call with a key once, and gives its answer to all who ask (docs/protocol.md, "Keys"). */
export class Idempotency {
  readonly #options: Required<IdempotencyOptions>
  readonly #codec: Codec
  /** By scope and key: what is being answered, and what could not be recorded. */
  readonly #runs = new Map<string, { run: SharedRun; answer: Promise<ResponseMessage> }>()
  readonly #running = new Set<Promise<unknown>>()

  /** @throws {RpcConfigError} naming the option that is wrong. */
  constructor(options: IdempotencyOptions, hasIdentities: boolean, codec: Codec) {
    this.#options = resolveIdempotencyOptions(options, hasIdentities)
    this.#codec = codec
  }

  /**
   * What a client's hello is answered.
   *
   * @throws whatever `scope` throws.
   */
  keysOf(identity: unknown): Keys {
    const { id, ttlMs } = this.#options.store
    return { store: digest(JSON.stringify([id, this.#scopeOf(identity)])), ttlMs }
  }

  /** @returns the one answer of a call's key, whatever its id is. Rejects where `scope` fails. */
  async answer(call: KeyedCall): Promise<ResponseMessage> {
    // Nobody waits any more: it is not begun, and leaves no record.
    if (call.signal.aborted) {
      return neverRanMessage(null, ErrorCode.cancelled, `"${call.method}" was cancelled`)
    }
    const key = JSON.stringify([this.#scopeOf(call.identity), call.key])
    const fingerprint = fingerprintOf(call.method, call.params)
    for (;;) {
      const shared = this.#runs.get(key) ?? this.#share(key, fingerprint, call)
      if (shared.run.fingerprint === fingerprint) {
        shared.run.join(call)
        return shared.answer
      }
      if (shared.run.isBegun) return reused(call)
      // It may be the one that is wrong, which the store will say.
      await shared.answer
    }
  }

  /**
   * Waits for what runs, until the deadline by `performance.now()`, and then gives it up: its handlers'
   * signals abort.
   */
  async close(deadline: number): Promise<void> {
    const left = deadline - performance.now()
    if (left > 0 && this.#running.size > 0) {
      const giveUp = new AbortController()
      const { signal } = giveUp
      await Promise.race([
        Promise.all(this.#running),
        sleep(Math.min(left, 2 ** 31 - 1), undefined, { signal }).catch(() => {}),
      ])
      giveUp.abort()
    }
    const reason = new RpcDisconnectedError('The server is closing', 'maybe-executed')
    for (const { run } of this.#runs.values()) run.abandon(reason)
  }

  /** In the turn that finds nobody: of all who come with a key, one asks the store. */
  #share(key: string, fingerprint: string, call: KeyedCall) {
    const run = new SharedRun(fingerprint, this.#options.graceMs)
    const answer = this.#find(key, run, call).finally(() => {
      run.end()
      this.#running.delete(answer)
      if (!run.isUnrecorded) this.#runs.delete(key)
    })
    const shared = { run, answer }
    this.#runs.set(key, shared)
    this.#running.add(answer)
    return shared
  }

  async #find(key: string, run: SharedRun, call: KeyedCall): Promise<ResponseMessage> {
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
      const begun = await this.#begin(key, run, call)
      if ('refusal' in begun) return begun.refusal
      if (begun.state === 'new') return this.#run(key, run, call)
      if (begun.fingerprint !== run.fingerprint) return reused(call)
      if (begun.state === 'done') return this.#kept(begun.answer, call)
      if (begun.state === 'unknown') return died(call)
      if (run.signal.aborted) return givenUp(call)
      await sleep(waitMs, undefined, { signal: run.signal }).catch(() => {})
    }
  }

  async #begin(
    key: string,
    { fingerprint }: SharedRun,
    { method, error }: KeyedCall,
  ): Promise<BegunCall | { readonly refusal: ResponseMessage }> {
    try {
      return await this.#options.store.begin(key, fingerprint)
    } catch (thrown) {
      error(thrown)
      const isFull = thrown instanceof RpcOverloadedError
      const code = isFull ? ErrorCode.overloaded : ErrorCode.internal
      const why = isFull ? 'no more results can be kept' : 'its key could not be recorded'
      return { refusal: neverRanMessage(null, code, `"${method}" was not run: ${why}`) }
    }
  }

  async #run(key: string, run: SharedRun, call: KeyedCall): Promise<ResponseMessage> {
    run.isBegun = true
    const told = await call.run(run.signal)
    const answer = isGivenUp(told, run.signal) ? givenUp(call) : told
    try {
      await this.#options.store.finish(key, this.#record(answer, call))
    } catch (thrown) {
      // It stays known here, for as long as this process lives.
      run.isUnrecorded = true
      call.error(thrown)
    }
    return answer
  }

  #record(answer: ResponseMessage, call: KeyedCall): string {
    const unkept = uncertain(call, 'has run, and its answer could not be kept')
    try {
      const record = storeAnswer(this.#codec, answer)
      const { maxAnswerLength } = this.#options
      return record.length > maxAnswerLength ? storeAnswer(this.#codec, unkept) : record
    } catch {
      // That it can't be carried is told, and reported, as it is answered.
      return storeAnswer(this.#codec, unkept)
    }
  }

  #kept(record: string, call: KeyedCall): ResponseMessage {
    const unread = uncertain(call, 'has run, and its answer, which another codec wrote, is lost')
    try {
      return readStoredAnswer(this.#codec, record) ?? unread
    } catch (thrown) {
      call.error(thrown)
      return unread
    }
  }

  #scopeOf(identity: unknown): string {
    const scope = this.#options.scope(identity)
    if (typeof scope === 'string') return scope
    throw new RpcConfigError(`idempotency.scope must return text; it returned ${typeof scope}`)
  }
}

function reused({ method }: KeyedCall): ResponseMessage {
  const why = 'its key belongs to a call of another method or with other params; use another key'
  return errorMessage(null, ErrorCode.keyReused, `"${method}" was not run: ${why}`)
}

function died(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'may have run: the process that began it ended before it had an answer')
}

/** Whether a handler stopped because it was told to: it has done nobody knows how much. */
function isGivenUp(answer: ResponseMessage, signal: AbortSignal): boolean {
  if (!signal.aborted || !('error' in answer)) return false
  const { code } = answer.error
  // The second is that of the signal's own reason, thrown on.
  return code === ErrorCode.cancelled || code === ErrorCode.disconnected
}

function givenUp(call: KeyedCall): ResponseMessage {
  return uncertain(call, 'may have run: it was given up while it ran')
}

function uncertain({ method }: KeyedCall, what: string): ResponseMessage {
  return errorMessage(null, ErrorCode.uncertain, `"${method}" ${what}`, undefined, null)
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
  if (typeof options !== 'object' || options === null) {
    throw new RpcConfigError('idempotency must be an object such as { store: memoryResultStore() }')
  }
  const { store, scope, maxAnswerLength = 64 * 1024, graceMs = 30_000 } = options
  assertStore(store)
  if (scope === undefined && hasIdentities) {
    throw new RpcConfigError(
      'idempotency.scope is missing: with authenticate, say whose keys they are, as in (identity) => identity.userId, so that nobody gets the results of another',
    )
  }
  if (scope !== undefined && typeof scope !== 'function') {
    throw new RpcConfigError('idempotency.scope must be a function of an identity')
  }
  for (const [name, value] of Object.entries({ maxAnswerLength, graceMs })) {
    if (Number.isInteger(value) && value > 0 && value < 2 ** 31) continue
    throw new RpcConfigError(
      `idempotency.${name} must be a positive integer below 2³¹; it is ${String(value)}`,
    )
  }
  return { store, scope: scope ?? (() => ''), maxAnswerLength, graceMs }
}

function assertStore(store: Partial<ResultStore> | undefined): void {
  const { id, ttlMs, begin, finish } = store ?? {}
  const isStore = typeof begin === 'function' && typeof finish === 'function'
  if (isStore && typeof id === 'string' && id !== '' && Number.isFinite(ttlMs)) return
  throw new RpcConfigError(
    'idempotency.store must be a ResultStore (id, ttlMs, begin, finish), such as memoryResultStore()',
  )
}
