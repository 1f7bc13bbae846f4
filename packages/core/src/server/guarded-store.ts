import { settled } from '../base/maybe-async.js'
import type { Awaitable } from '../calls/functions.js'
import {
  describeThrown,
  ErrorCode,
  RpcConfigError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
} from '../errors/errors.js'
import type { BegunCall, ResultStore } from './result-store.js'

/**
 * A store of results, guarded so that a failure of the store affects one call only. If it throws, returns something
 * invalid, or does not answer in time, the result is an error that names the store.
 */
export class GuardedStore {
  readonly #store: ResultStore
  readonly #timeoutMs: number
  readonly #node: string | undefined

  /**
   * @param timeoutMs how long one of its functions may take, in ms.
   * @param node the id of this node of a cluster; undefined without one.
   */
  constructor(store: ResultStore, timeoutMs: number, node: string | undefined) {
    this.#store = store
    this.#timeoutMs = timeoutMs
    this.#node = node
  }

  get id(): string {
    return this.#store.id
  }

  get ttlMs(): number {
    return this.#store.ttlMs
  }

  /** Whether it can release a key that it has recorded as new. */
  get canRelease(): boolean {
    return this.#store.release !== undefined
  }

  /**
   * @param late called with the store's answer, as a promise, if it comes after the timeout.
   * @throws {RpcOverloadedError} if the store is full.
   * @throws {StoreIsLate} if it has not answered in time.
   * @throws {RpcConfigError} if its answer is invalid.
   * @throws {RpcError} if it has thrown.
   */
  async begin(
    key: string,
    fingerprint: string,
    owner: string | undefined,
    late: (answer: Promise<BegunCall>) => void,
  ): Promise<BegunCall> {
    const checked = (given: unknown) => {
      if (isBegun(given)) return given
      throw new RpcConfigError(
        `${this.#name} answered begin() with ${inWords(given)}. It must answer { state: 'new' }, or { state, fingerprint } of 'running' or 'unknown', or { state: 'done', fingerprint, answer }. The node of 'running' must be text if there is one`,
      )
    }
    const given = await this.#call(
      'begin',
      () => this.#store.begin(key, fingerprint, owner, this.#node),
      (answer) => late(answer.then(checked)),
    )
    return checked(given)
  }

  /** @throws as {@link begin} does. */
  async finish(
    key: string,
    answer: string,
    late: (recorded: Promise<void>) => void,
  ): Promise<void> {
    await this.#call('finish', () => this.#store.finish(key, answer), late)
  }

  /** @throws as {@link begin} does. */
  async release(key: string): Promise<void> {
    await this.#call(
      'release',
      () => this.#store.release?.(key),
      (released) => released.catch(() => {}),
    )
  }

  get #name(): string {
    return nameOfStore(this.#store.id)
  }

  async #call<T>(
    part: string,
    call: () => Awaitable<T>,
    late: (given: Promise<T>) => void,
  ): Promise<T> {
    try {
      const given = settled(call())
      return given instanceof Promise ? await this.#inTime(part, given, late) : given
    } catch (thrown) {
      throw thrown instanceof StoreIsLate ? thrown : this.#failed(part, thrown)
    }
  }

  #inTime<T>(part: string, given: Promise<T>, late: (given: Promise<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const why = `${this.#name} did not answer ${part}() within ${this.#timeoutMs} ms (idempotency.storeTimeoutMs)`
        reject(new StoreIsLate(why, 'maybe-executed'))
        late(
          given.catch((thrown) => {
            throw this.#failed(part, thrown)
          }),
        )
      }, this.#timeoutMs)
      given.finally(() => clearTimeout(timer)).then(resolve, reject)
    })
  }

  #failed(part: string, thrown: unknown): RpcError {
    const why = `${this.#name} failed in ${part}(): ${describeThrown(thrown)}`
    const options = { cause: thrown }
    return thrown instanceof RpcOverloadedError
      ? new RpcOverloadedError(why, options)
      : new RpcError(ErrorCode.internal, why, undefined, options)
  }
}

/** A store has not answered in time. */
export class StoreIsLate extends RpcTimeoutError {
  // A bundler may rename the class.
  override readonly name = 'StoreIsLate'
}

/** The name of a store, for the texts of errors. */
export function nameOfStore(id: unknown): string {
  return `idempotency.store ${typeof id === 'string' ? JSON.stringify(id.slice(0, 100)) : ''}`.trim()
}

function isBegun(value: unknown): value is BegunCall {
  if (typeof value !== 'object' || value === null) return false
  const { state, fingerprint, answer, node } = value as Partial<Record<string, unknown>>
  if (state === 'new') return true
  if (typeof fingerprint !== 'string') return false
  if (state === 'running') return node === undefined || typeof node === 'string'
  return state === 'unknown' || (state === 'done' && typeof answer === 'string')
}

function inWords(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const { state, fingerprint, answer, node } = value as Partial<Record<string, unknown>>
  const named = node === undefined ? '' : `, node: ${typeof node}`
  const types = `fingerprint: ${typeof fingerprint}, answer: ${typeof answer}${named}`
  return `{ state: ${typeof state === 'string' ? JSON.stringify(state.slice(0, 20)) : typeof state}, ${types} }`
}
