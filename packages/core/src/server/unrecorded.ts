import { Elapsed } from '../base/elapsed.js'
import { MAX_TIMER_MS } from '../base/max-timer.js'

/** The most answers that are kept. */
const MAX_ANSWERS = 10_000
/** The most characters of all answers and their keys together. */
const MAX_CHARACTERS = 16 * 1024 * 1024

/** An answer that the store has not recorded. */
export interface Unrecorded {
  readonly fingerprint: string
  /** The text that the store was to record. */
  readonly record: string
}

interface Entry extends Unrecorded {
  readonly since: Elapsed
}

/**
 * Answers that a store could not record, by key. Only this process has them. They are kept for as long as the store was
 * to keep them, within limits.
 */
export class UnrecordedAnswers {
  readonly #ttlMs: number
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>()
  #characters = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#entries.size
  }

  /** The number of characters that they have together. */
  get characters(): number {
    return this.#characters
  }

  /** Whether no more can be kept. Then calls with new keys must not run, because their answers could not be kept. */
  get isFull(): boolean {
    this.#forget()
    return this.#entries.size >= MAX_ANSWERS
  }

  get(key: string): Unrecorded | undefined {
    this.#forget()
    return this.#entries.get(key)
  }

  /** The oldest, with its key. */
  get oldest(): readonly [string, Unrecorded] | undefined {
    const [oldest] = this.#entries
    return oldest
  }

  /**
   * @param record the answer.
   * @param short the text to keep instead if there is no room for the answer.
   */
  add(key: string, fingerprint: string, record: string, short: string): void {
    this.delete(key)
    const fits = this.#characters + sizeOf(key, record) <= MAX_CHARACTERS
    const kept = fits ? record : short
    this.#entries.set(key, { fingerprint, record: kept, since: new Elapsed() })
    this.#characters += sizeOf(key, kept)
    this.#watch()
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#characters -= sizeOf(key, entry.record)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#entries.clear()
    this.#characters = 0
  }

  #forget(): void {
    for (const [key, { since }] of this.#entries) {
      if (since.least < this.#ttlMs) return
      this.delete(key)
    }
  }

  /** Drops old answers even if no more calls come. The timer does not keep the process alive. */
  #watch(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#forget()
        if (this.#entries.size > 0) this.#watch()
      },
      Math.min(this.#ttlMs, MAX_TIMER_MS),
    ).unref()
  }
}

function sizeOf(key: string, record: string): number {
  return key.length + record.length
}
