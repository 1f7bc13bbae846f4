import type { AnyClient, GroupMember, RpcError } from '@flashrpc/core'
import type { MembersItem } from '@flashrpc/core/internal'
import { StreamReader } from './stream-reader.js'

/** Who is in a group, as a component sees it. */
export interface PresenceState<Info = unknown> {
  /** The members, in the order in which they came. Without a connection, those that were known last. */
  readonly members: readonly GroupMember<Info>[]
  /** The ids of a cluster's nodes that could not be asked: they may have further members. Usually none. */
  readonly unreached: readonly string[]
  /**
   * `idle`: not asked for. `waiting`: asked for, and not told yet; without a connection, again. `live`: `members` are
   * those of now. `failed`: see `error`.
   */
  readonly status: 'idle' | 'waiting' | 'live' | 'failed'
  /** Why it failed: the server does not let this client see it (−32002), or tells nobody (−32601). Otherwise null. */
  readonly error: RpcError | null
}

export const IDLE_PRESENCE: PresenceState<never> = {
  members: [],
  unreached: [],
  status: 'idle',
  error: null,
}
export const WAITING_PRESENCE: PresenceState<never> = { ...IDLE_PRESENCE, status: 'waiting' }

/** The groups that are watched, by their names. */
const watched = new WeakMap<AnyClient, Map<string, WatchedGroup>>()

/** @returns the group, if somebody watches it over this client. */
export function watchedGroup(client: AnyClient, group: string): WatchedGroup | undefined {
  return watched.get(client)?.get(group)
}

/**
 * Watches a group. All who watch the same one over the same client share one stream.
 *
 * @returns a function that ends it. If somebody watches the group again in the same turn, the stream goes on.
 */
export function watchGroup(client: AnyClient, group: string, onChange: () => void): () => void {
  const groups = watched.get(client) ?? new Map<string, WatchedGroup>()
  watched.set(client, groups)
  const one = groups.get(group) ?? new WatchedGroup(client, group)
  groups.set(group, one)
  const stop = one.listen(onChange)
  return () => {
    stop()
    queueMicrotask(() => {
      if (one.isIdle && groups.get(group) === one) groups.delete(group)
    })
  }
}

/** One group, while somebody watches it. */
class WatchedGroup {
  state: PresenceState = WAITING_PRESENCE
  readonly #client: AnyClient
  readonly #reader: StreamReader
  readonly #listeners = new Set<() => void>()
  readonly #members = new Map<string, GroupMember>()
  #unreached: readonly string[] = []
  /** Whether what has been told since the list began is all of it. */
  #isWhole = false
  #isInList = false
  /** Whether the members are others than those of the state. */
  #isNew = false
  #stop = () => {}

  constructor(client: AnyClient, group: string) {
    this.#client = client
    this.#reader = new StreamReader(client, 'rpc.members', { group }, {})
    this.#reader.follow({ keep: 0, onItem: (item) => this.#take(item) })
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0
  }

  get restart(): () => void {
    return this.#reader.restart
  }

  listen(onChange: () => void): () => void {
    // Each has a function of its own, also those that give the same one.
    const listener = () => onChange()
    if (this.isIdle) this.#begin()
    this.#listeners.add(listener)
    const release = this.#reader.hold()
    return () => {
      this.#listeners.delete(listener)
      if (this.isIdle) this.#stop()
      release()
    }
  }

  #begin(): void {
    const stops = [
      this.#reader.store.subscribe(({ status }) => {
        if (status !== 'streaming') {
          // The next items begin with a list.
          this.#isWhole = false
          this.#isInList = false
        }
        this.#publish()
      }),
      this.#client.subscribe(() => this.#publish()),
    ]
    this.#stop = () => {
      for (const stop of stops) stop()
    }
  }

  #take({ all, more, on, off, unreached }: MembersItem): void {
    const members = this.#members
    if (all) {
      if (!this.#isInList) members.clear()
      this.#isInList = more === true
      this.#isWhole = !this.#isInList
    }
    if (unreached) this.#unreached = unreached
    for (const id of off ?? []) members.delete(id)
    for (const member of [...(all ?? []), ...(on ?? [])]) members.set(member.id, member)
    this.#isNew = true
  }

  #publish(): void {
    const { status: read, error } = this.#reader.store.getState()
    const isLive = this.#isWhole && this.#client.state.status === 'connected'
    const status = read === 'failed' ? 'failed' : isLive ? 'live' : 'waiting'
    const before = this.state
    const isOther = status !== before.status || error !== before.error
    if (!isOther && !(this.#isNew && this.#isWhole)) return
    if (status === 'failed') {
      // It may be that this client must not see them any more.
      this.#members.clear()
      this.#unreached = []
      this.#isNew = true
    }
    const isListed = this.#isNew && (this.#isWhole || status === 'failed')
    this.state = {
      members: isListed ? [...this.#members.values()] : before.members,
      unreached: isListed ? this.#unreached : before.unreached,
      status,
      error,
    }
    if (isListed) this.#isNew = false
    for (const listener of [...this.#listeners]) listener()
  }
}
