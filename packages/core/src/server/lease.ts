import { unref } from '../base/unref.js'

/** How long a process counts as running after it has said so, in ms; and how often it says so. */
export const LEASE_MS = 3_000
const RENEW_MS = 1_000

/** Says again and again in a store that this process runs, until it is ended. */
export class Lease {
  readonly #renew: () => Promise<void>
  #timer: ReturnType<typeof setTimeout> | undefined
  #isEnded = false
  /** Since when it has been renewed without a gap. */
  #since: number | undefined
  #latest = 0

  /** @param renew says once that this process runs. */
  constructor(renew: () => Promise<void>) {
    this.#renew = renew
  }

  /**
   * Whether it was renewed for so long without a gap that the other processes, too, have had the time to renew theirs. If
   * not, the store may have been away for all of them, and a lease that is missing proves nothing.
   */
  get isEstablished(): boolean {
    const now = performance.now()
    return (
      this.#since !== undefined && now - this.#since >= LEASE_MS && now - this.#latest < LEASE_MS
    )
  }

  /** @throws the store's error, if the first time fails. */
  async start(): Promise<void> {
    await this.#renew()
    // The leases of the others were in the store before this one.
    this.#since = performance.now() - LEASE_MS
    this.#latest = performance.now()
    this.#wait()
  }

  end(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
  }

  #wait(): void {
    this.#timer = setTimeout(() => void this.#again(), RENEW_MS)
    unref(this.#timer)
  }

  async #again(): Promise<void> {
    try {
      await this.#renew()
      const now = performance.now()
      if (this.#since === undefined || now - this.#latest >= LEASE_MS) this.#since = now
      this.#latest = now
    } catch {
      // The store is away. Its users learn of that by their own calls.
      this.#since = undefined
    }
    if (!this.#isEnded) this.#wait()
  }
}
