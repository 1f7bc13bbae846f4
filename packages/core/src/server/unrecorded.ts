import { Elapsed } from '../channel/elapsed.js'

/** How many answers are kept here at the most. */
const MOST = 10_000
/** How many characters they may have together, with their keys. */
const MOST_CHARACTERS = 16 * 1024 * 1024
const MAX_TIMER_MS = 2 ** 31 - 1

/** An answer that its store has not recorded. */
export interface Unrecorded {
  readonly fingerprint: string
  /** As the store was to get it. */
  readonly record: string
}

interface Entry extends Unrecorded {
  readonly since: Elapsed
}

/**
 * Answers that a store could not record, by key: this process alone knows them. They are kept for as long as the
 * store was to keep them, and no more than so many.
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

  /** How many characters they have together. */
  get characters(): number {
    return this.#characters
  }

  /** Whether no more may come: calls with new keys are not to be run, as what comes of them could not be kept. */
  get isFull(): boolean {
    this.#forget()
    return this.#entries.size >= MOST
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
   * @param short what takes its place where there is no room for it.
   */
  add(key: string, fingerprint: string, record: string, short: string): void {
    this.delete(key)
    const fits = this.#characters + sizeOf(key, record) <= MOST_CHARACTERS
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

  /** Also where no call comes any more, nothing is kept for longer. It keeps no process alive. */
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
