import { RejectUpgrade } from './authentication.js'
import { type Owner, Shares } from './shares.js'

/** How long a run counts that goes on though it was given up, in ms. */
const GIVEN_UP_MS = 60_000

/** Counts runs of `authenticate`: one that is given up goes on until it has ended. */
export class Authentications {
  readonly #shares: Shares

  constructor(most: number, mostOfOne: number) {
    this.#shares = new Shares(most, mostOfOne)
  }

  /** Why one more is refused, where it is. */
  refusal(owner: Owner): RejectUpgrade | undefined {
    if (!this.#shares.isFull && !this.#shares.isFullFor(owner)) return undefined
    const message = 'Too many clients are being authenticated; try again later'
    return new RejectUpgrade(503, message, { retryAfterSeconds: 5 })
  }

  /** Counts one. @returns for when nobody waits for it any more: then it counts for a while only. */
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
