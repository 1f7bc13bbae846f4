import { type RejectUpgrade, tooMany } from './authentication.js'
import { type Owner, Shares } from './shares.js'

/** How long a run still counts after it was given up, in ms. */
const GIVEN_UP_MS = 60_000

/** Counts runs of `authenticate`. A run that is given up may go on, so it still counts. */
export class Authentications {
  readonly #shares: Shares

  constructor(max: number, maxOfOne: number) {
    this.#shares = new Shares(max, maxOfOne)
  }

  /** @returns the refusal of one more run; `undefined` if it is allowed. */
  refusal(owner: Owner): RejectUpgrade | undefined {
    if (!this.#shares.isFull && !this.#shares.isFullFor(owner)) return undefined
    return tooMany(503, 'Too many clients are being authenticated; try again later')
  }

  /**
   * Counts a run until it has ended.
   *
   * @returns a function to call when the run is given up: from then on it counts for a limited time only.
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
