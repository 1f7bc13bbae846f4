import type { EngineEvents, Reach } from './engine.js'
import { assertSubject, engineDown, STOP_MS } from './engine-checks.js'

/**
 * The state that every engine keeps: whether it is up, which subjects are subscribed to, and which callers wait for an
 * answer of the messaging system.
 */
export class EngineState {
  readonly #name: string
  /** How often each subject is subscribed to. */
  readonly #subjects = new Map<string, number>()
  /** Called when the engine goes down. */
  readonly #waiting = new Set<(error: Error) => void>()
  #events: EngineEvents | undefined
  #isUp = false
  #isStopped = false
  #why = 'it was not started'

  constructor(name: string) {
    this.#name = name
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** The subjects that are subscribed to. */
  get subjects(): Iterable<string> {
    return this.#subjects.keys()
  }

  start(events: EngineEvents): void {
    this.#events = events
  }

  /** It is up, and tells so. */
  up(): void {
    if (this.#isUp || this.#isStopped) return
    this.#isUp = true
    this.#events?.up()
  }

  /** It is down, and tells so. All that waits ends. */
  down(why: string): void {
    if (this.#isStopped) return
    const wasUp = this.#isUp
    this.#end(why)
    if (wasUp) this.#events?.down(why)
  }

  /** Emits no further events. Callers that wait go on waiting until `end`. */
  stop(): void {
    this.#isStopped = true
    this.#events = undefined
  }

  end(): void {
    this.#end('it was stopped')
  }

  message(subject: string, payload: Uint8Array): void {
    if (this.#subjects.has(subject)) this.#events?.message(subject, payload)
  }

  has(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  /** @throws {RpcDisconnectedError} if it is down. */
  assertUp(): void {
    if (!this.#isUp) throw engineDown(this.#name, this.#why)
  }

  /** Counts a subscription, and calls `first` with the first of a subject, `last` once the last has ended. */
  subscribe(subject: string, first: () => void, last: () => void): () => void {
    assertSubject(subject)
    const count = this.#subjects.get(subject) ?? 0
    this.#subjects.set(subject, count + 1)
    if (count === 0) first()
    let isSubscribed = true
    return () => {
      if (!isSubscribed) return
      isSubscribed = false
      const left = (this.#subjects.get(subject) ?? 0) - 1
      if (left > 0) return void this.#subjects.set(subject, left)
      this.#subjects.delete(subject)
      last()
    }
  }

  /**
   * @returns what a question to the messaging system comes to.
   * @throws {RpcDisconnectedError} if the engine is down, or goes down before.
   */
  async answered<T>(ask: () => Promise<T>): Promise<T> {
    this.assertUp()
    let lost: (error: Error) => void = () => {}
    const ended = new Promise<never>((_, reject) => {
      lost = reject
    })
    this.#waiting.add(lost)
    try {
      return await Promise.race([ask(), ended])
    } finally {
      this.#waiting.delete(lost)
    }
  }

  /** @returns what `ask` finds out, in at most `ms`; `unknown` if it fails, or takes longer, or the engine is down. */
  async reach(subject: string, ms: number, ask: () => Promise<boolean>): Promise<Reach> {
    assertSubject(subject)
    if (!this.#isUp) return 'unknown'
    const late = later(ms, 'unknown' as const)
    try {
      const found = this.answered(ask).then(
        (isThere) => (isThere ? 'yes' : 'no'),
        () => 'unknown' as const,
      )
      return await Promise.race([found, late.over])
    } finally {
      late.cancel()
    }
  }

  /** Waits until the messaging system has taken all that was published, but not long. */
  async letOut(taken: () => Promise<unknown>): Promise<void> {
    if (!this.#isUp) return
    const late = later(STOP_MS, undefined)
    await Promise.race([taken().catch(() => {}), late.over])
    late.cancel()
  }

  #end(why: string): void {
    this.#isUp = false
    this.#why = why
    const error = engineDown(this.#name, why)
    for (const lost of this.#waiting) lost(error)
    this.#waiting.clear()
  }
}

function later<T>(ms: number, value: T): { over: Promise<T>; cancel: () => void } {
  let cancel = () => {}
  const over = new Promise<T>((resolve) => {
    const timer = setTimeout(resolve, ms, value)
    cancel = () => clearTimeout(timer)
  })
  return { over, cancel }
}
