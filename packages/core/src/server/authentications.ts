import type { RejectUpgrade } from './authentication.js'
import { type Owner, Shares } from './shares.js'
import { tooMany } from './too-many.js'

/** How long a run that was given up still counts, in ms. */
const GIVEN_UP_MS = 60_000

/** Counts runs of `authenticate`. A run that is given up may go on, so it still counts. */
export class Authentications {
  readonly #shares: Shares

  constructor(most: number, mostOfOne: number) {
    this.#shares = new Shares(most, mostOfOne)
  }

  /** @returns why one more run is refused; `undefined` if it is not. */
  refusal(owner: Owner): RejectUpgrade | undefined {
    if (!this.#shares.isFull && !this.#shares.isFullFor(owner)) return undefined
    return tooMany(503, 'Too many clients are being authenticated; try again later')
  }

  /**
   * Counts a run until it has ended. @returns a function to call when nobody waits for the run any more: it then
   * counts for a limited time only.
   */
  begin(owner: Owner, run: Promise<unknown>): () => void {
    this.#shares.add(owner, 1)
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const end = (): void => {
      clearTimeout(timer)
      if (isOver) return
      isOver = true
      this.#shares.add(owner, -1)
    }
    run.then(end, end)
    return () => {
      if (isOver) return
      timer = setTimeout(end, GIVEN_UP_MS)
      timer.unref()
    }
  }
}
