import { randomUUID } from 'node:crypto'
import { Elapsed } from '../channel/elapsed.js'
import { RpcConfigError, RpcOverloadedError } from '../errors.js'
import type { BegunCall, ResultStore } from './result-store.js'

/** How much a store in memory keeps. */
export interface MemoryResultStoreOptions {
  /** How long an answer is kept, in ms. Default one hour. */
  ttlMs?: number
  /** How many keys are kept, those of calls that run among them. Default 10,000. */
  maxEntries?: number
  /** How many characters the answers may have together. Default 64 Mi. */
  maxBytes?: number
}

interface Entry {
  readonly fingerprint: string
  /** Missing while the call runs. */
  readonly answer?: string
  /** Since it has its answer; missing while the call runs. */
  readonly since?: Elapsed
}

/**
 * A store that lives as long as its process: calls survive lost connections and sessions, not a restart.
 * What is kept is never forgotten early: where it is full, calls with new keys are refused.
 *
 * @throws {RpcConfigError} naming the option that is wrong.
 */
export function memoryResultStore(options: MemoryResultStoreOptions = {}): ResultStore {
  const { ttlMs = 60 * 60_000, maxEntries = 10_000, maxBytes = 64 * 1024 * 1024 } = options
  for (const [name, value] of Object.entries({ ttlMs, maxEntries, maxBytes })) {
    if (Number.isInteger(value) && value > 0) continue
    throw new RpcConfigError(
      `memoryResultStore: ${name} must be a positive integer; it is ${String(value)}`,
    )
  }
  return new MemoryResultStore(ttlMs, maxEntries, maxBytes)
}

class MemoryResultStore implements ResultStore {
  /** Of this process and this store only: what is kept ends with it. */
  readonly id = randomUUID()
  readonly ttlMs: number
  readonly #maxEntries: number
  readonly #maxBytes: number
  /** Those with an answer are in the order in which they may be forgotten. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(ttlMs: number, maxEntries: number, maxBytes: number) {
    this.ttlMs = ttlMs
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  begin(key: string, fingerprint: string): BegunCall {
    this.#forget('least')
    const entry = this.#entries.get(key)
    if (entry) {
      const { fingerprint, answer } = entry
      if (answer === undefined) return { state: 'running', fingerprint }
      return { state: 'done', fingerprint, answer }
    }
    // Where the wall clock was set far back, the entries whose time is over by the other clock make room.
    if (this.#isFull) this.#forget('monotonic')
    if (this.#isFull) {
      throw new RpcOverloadedError(
        `The store of results is full: it has ${this.#entries.size} keys and ${this.#bytes} bytes. Raise its maxEntries or maxBytes, or lower its ttlMs`,
      )
    }
    this.#entries.set(key, { fingerprint })
    return { state: 'new' }
  }

  finish(key: string, answer: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    // To the end: it is the last to be forgotten.
    this.#entries.delete(key)
    const { fingerprint } = entry
    this.#entries.set(key, { fingerprint, answer, since: new Elapsed() })
    this.#bytes += answer.length - (entry.answer?.length ?? 0)
  }

  release(key: string): void {
    if (this.#entries.get(key)?.answer === undefined) this.#entries.delete(key)
  }

  get #isFull(): boolean {
    return this.#entries.size >= this.#maxEntries || this.#bytes >= this.#maxBytes
  }

  /** Forgets the entries whose time is over by a reading of the clocks. */
  #forget(reading: 'least' | 'monotonic'): void {
    for (const [key, { answer, since }] of this.#entries) {
      // Calls that run are passed over: there are as many as may run.
      if (answer === undefined || since === undefined) continue
      if (since[reading] < this.ttlMs) return
      this.#entries.delete(key)
      this.#bytes -= answer.length
    }
  }
}
