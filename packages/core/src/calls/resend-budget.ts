/** How many messages may be sent again at once, and the share of one that each answered call earns back. */
const MOST = 10
const EARNED = 0.1

/**
 * A token bucket for messages that are sent again automatically. It protects a server that fails again and again from
 * too many repeated calls.
 */
export class ResendBudget {
  #tokens = MOST

  /** A call was answered. */
  earn(): void {
    this.#tokens = Math.min(MOST, this.#tokens + EARNED)
  }

  /** @returns whether one more may be sent again. */
  spend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
