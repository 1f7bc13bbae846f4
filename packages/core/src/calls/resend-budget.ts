/** How many messages may be sent again at once, and how much of one each answered call earns back. */
const MOST = 10
const EARNED = 0.1

/**
 * A token bucket for what is sent again by itself: a server that fails over and over is not buried
 * under the calls that it has failed.
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
