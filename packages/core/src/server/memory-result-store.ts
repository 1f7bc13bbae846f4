import { randomUUID } from 'node:crypto'
import { Elapsed } from '../base/elapsed.js'
import { assertCount, assertShare } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import { RpcOverloadedError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import type { BegunCall, ResultStore } from './result-store.js'
import { type Owner, SHARE, Shares, shareOf } from './shares.js'

/** The options of a store in memory. */
export interface MemoryResultStoreOptions {
  /** How long an answer is kept, in ms. Default one hour. */
  ttlMs?: number
  /** The most keys that are kept, including those of running calls. Default 10,000. */
  maxEntries?: number
  /** The most characters of all answers together. Default 64 Mi. */
  maxBytes?: number
  /**
   * The part of `maxEntries` and `maxBytes` that one owner may have (the endpoint's option `owner`), above 0 and up to
   * 1. Default 0.25. If an owner has that much, only its own calls with new keys are refused.
   */
  share?: number
}

const STORE_OPTIONS = {
  ttlMs: 'elsewhere',
  maxEntries: 'elsewhere',
  maxBytes: 'elsewhere',
  share: 'elsewhere',
} as const satisfies OptionKinds<MemoryResultStoreOptions>

interface Entry {
  readonly fingerprint: string
  readonly owner: Owner
  /** The node of a cluster that it runs at. */
  readonly node?: string | undefined
  /** Missing while the call runs. */
  readonly answer?: string
  /** How long ago it got its answer; missing while the call runs. */
  readonly since?: Elapsed
}

/**
 * Makes a store that lives as long as its process. Its answers survive lost connections and sessions, but not a
 * restart. Answers are never dropped early: if the store is full, calls with new keys are refused.
 *
 * @throws {RpcConfigError} naming the option that is wrong.
 */
export function memoryResultStore(options: MemoryResultStoreOptions = {}): ResultStore {
  assertOptions('memoryResultStore', options, STORE_OPTIONS)
  const { ttlMs = 60 * 60_000, maxEntries = 10_000, maxBytes = 64 * 1024 * 1024 } = options
  const { share = SHARE } = options
  assertShare('memoryResultStore: share', share)
  for (const [name, value] of Object.entries({ ttlMs, maxEntries, maxBytes })) {
    assertCount(`memoryResultStore: ${name}`, value)
  }
  return new MemoryResultStore(ttlMs, maxEntries, maxBytes, share)
}

class MemoryResultStore implements ResultStore {
  /** An id of this process and this store only, because its answers end with it. */
  readonly id = randomUUID()
  readonly ttlMs: number
  readonly #keys: Shares
  readonly #characters: Shares
  /** Entries with an answer are in the order in which they may be dropped. */
  readonly #entries = new Map<string, Entry>()

  constructor(ttlMs: number, maxEntries: number, maxBytes: number, share: number) {
    this.ttlMs = ttlMs
    this.#keys = new Shares(maxEntries, shareOf(maxEntries, share))
    this.#characters = new Shares(maxBytes, shareOf(maxBytes, share))
  }

  begin(key: string, fingerprint: string, owner: Owner, node?: string): BegunCall {
    this.#forget('least')
    const entry = this.#entries.get(key)
    if (entry) {
      const { fingerprint, answer, node } = entry
      if (answer === undefined) return { state: 'running', fingerprint, ...(node && { node }) }
      return { state: 'done', fingerprint, answer }
    }
    // If the wall clock was set far back, entries whose time has ended by the other clock make room.
    if (this.#isFullFor(owner)) this.#forget('monotonic')
    if (this.#isFull) {
      throw new RpcOverloadedError(
        `The store of results is full: it has ${this.#entries.size} keys and ${this.#characters.total} bytes. Raise its maxEntries or maxBytes, or lower its ttlMs`,
      )
    }
    if (this.#isFullFor(owner)) {
      throw new RpcOverloadedError(
        'This client has its share of the store of results, and no more of its calls are kept. Raise the store’s maxEntries, maxBytes or share, or lower its ttlMs',
      )
    }
    this.#entries.set(key, { fingerprint, owner, node })
    this.#keys.add(owner, 1)
    return { state: 'new' }
  }

  finish(key: string, answer: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    // It moves to the end, as the last to be dropped.
    this.#entries.delete(key)
    const { fingerprint, owner } = entry
    this.#entries.set(key, { fingerprint, owner, answer, since: new Elapsed() })
    this.#characters.add(owner, answer.length - (entry.answer?.length ?? 0))
  }

  release(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry || entry.answer !== undefined) return
    this.#entries.delete(key)
    this.#keys.add(entry.owner, -1)
  }

  get #isFull(): boolean {
    return this.#keys.isFull || this.#characters.isFull
  }

  #isFullFor(owner: Owner): boolean {
    return this.#isFull || this.#keys.isFullFor(owner) || this.#characters.isFullFor(owner)
  }

  /** Drops the entries whose time has ended by one reading of the clocks. */
  #forget(reading: 'least' | 'monotonic'): void {
    for (const [key, { answer, since, owner }] of this.#entries) {
      // Entries of running calls are skipped: their number is limited.
      if (answer === undefined || since === undefined) continue
      if (since[reading] < this.ttlMs) return
      this.#entries.delete(key)
      this.#keys.add(owner, -1)
      this.#characters.add(owner, -answer.length)
    }
  }
}
