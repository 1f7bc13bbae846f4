/** So many are borne from one address in one minute. */
const MOST = 5
const MINUTE_MS = 60_000
/** How many addresses are remembered; the oldest goes first. */
const MOST_ADDRESSES = 10_000

/**
 * Counts, by address, the sessions that were asked for by those whose they are not: by another token,
 * or as somebody else. A session that is unknown is nobody's fault: servers restart.
 */
export class FailedResumes {
  /** In the order in which their minute began. */
  readonly #byAddress = new Map<string, { since: number; count: number }>()

  /** Whether an address has failed too often in the last minute. */
  isBarred(address: string | undefined): boolean {
    this.#forget()
    return (this.#byAddress.get(String(address))?.count ?? 0) >= MOST
  }

  count(address: string | undefined): void {
    this.#forget()
    const failed = this.#byAddress.get(String(address))
    if (failed) failed.count++
    else this.#byAddress.set(String(address), { since: performance.now(), count: 1 })
  }

  #forget(): void {
    const now = performance.now()
    for (const [address, { since }] of this.#byAddress) {
      if (now - since < MINUTE_MS && this.#byAddress.size < MOST_ADDRESSES) return
      this.#byAddress.delete(address)
    }
  }
}
