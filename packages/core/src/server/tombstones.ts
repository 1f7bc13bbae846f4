/** What is left of a session that has ended. */
export interface Tombstone {
  readonly tokenHash: Buffer
  readonly identity: unknown
  /** How many messages of the client were dispatched in it: the last word on what never ran. */
  readonly lastRecv: number
}

/** How long one stands, in ms. */
const STANDS_MS = 10 * 60_000
/** How many stand at the most; the oldest goes first. */
const MOST = 10_000

/** The sessions that have ended, for as long as a client may ask for them. */
export class Tombstones {
  /** In the order in which their time is up. */
  readonly #standing = new Map<string, { tombstone: Tombstone; until: number }>()

  add(sid: string, tombstone: Tombstone): void {
    this.#clear()
    this.#standing.set(sid, { tombstone, until: performance.now() + STANDS_MS })
  }

  find(sid: string): Tombstone | undefined {
    this.#clear()
    return this.#standing.get(sid)?.tombstone
  }

  #clear(): void {
    const now = performance.now()
    for (const [sid, { until }] of this.#standing) {
      if (until > now && this.#standing.size < MOST) return
      this.#standing.delete(sid)
    }
  }
}
