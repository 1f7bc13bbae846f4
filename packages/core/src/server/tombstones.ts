import { FairEviction } from './fair-eviction.js'
import type { Owner } from './shares.js'

/** The facts that are kept of a session that has ended. */
export interface Tombstone {
  readonly tokenHash: Buffer
  readonly identity: unknown
  readonly owner: Owner
  /** How many messages of the client were dispatched in it: all later ones never ran. */
  readonly lastRecv: number
}

/** How long a tombstone is kept, in ms. */
const TTL_MS = 10 * 60_000
/** The most tombstones that are kept. */
const MAX_TOMBSTONES = 10_000

/** The ended sessions, for as long as a client may ask for them. */
export class Tombstones {
  /** By session, in the order in which their time ends. */
  readonly #standing = new Map<string, { tombstone: Tombstone; until: number }>()
  readonly #eviction: FairEviction<string>

  /** @param share the part of the tombstones that one owner may have. */
  constructor(share: number) {
    this.#eviction = new FairEviction(MAX_TOMBSTONES, Number.POSITIVE_INFINITY, share)
  }

  add(sid: string, tombstone: Tombstone): void {
    this.#clear()
    this.#standing.set(sid, { tombstone, until: performance.now() + TTL_MS })
    const { owner } = tombstone
    this.#eviction.set(owner, sid, 0)
    const evicted = this.#eviction.next(owner)
    if (evicted !== undefined) this.#remove(evicted)
  }

  find(sid: string): Tombstone | undefined {
    this.#clear()
    return this.#standing.get(sid)?.tombstone
  }

  #clear(): void {
    const now = performance.now()
    for (const [sid, { until }] of this.#standing) {
      if (until > now) return
      this.#remove(sid)
    }
  }

  #remove(sid: string): void {
    const owner = this.#standing.get(sid)?.tombstone.owner
    this.#standing.delete(sid)
    this.#eviction.delete(owner, sid)
  }
}
