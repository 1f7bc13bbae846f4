import { unref } from '../base/unref.js'
import type { GroupMember, MembersItem } from '../calls/members.js'
import { BEFORE_ITEM, type GuardedSource } from '../features/streams/guarded-source.js'
import type { GroupEvent, PresentMember } from './group-events.js'

/** How long changes are collected before they are sent, in ms. */
const GATHER_MS = 50
/** The most members of an item. Each has an info of up to 4 KiB. */
const MAX_MEMBERS = 64

/** Begins to watch a group. @returns a function that ends that. */
export type BeginWatch = (listener: (event: GroupEvent) => void) => () => void

/** A channel that watches a group. */
export interface Watcher {
  /** Aborts when it stops watching. */
  readonly signal: AbortSignal
  /**
   * Called just before each item is sent, however long it has waited to be sent.
   *
   * @returns undefined if it may be sent now; else a promise, after which this is called again. It rejects if the channel
   *   may not watch any more.
   */
  mayTell(): Promise<void> | undefined
}

/**
 * The items for one client that watches a group: first all members, then the changes since the item before. A client that
 * takes its items slowly gets fewer of them, so that at most one change a member is kept for it.
 */
export function toldMembers(watch: BeginWatch, { signal, mayTell }: Watcher): GuardedSource {
  return Object.assign(itemsOf(watch, signal), { [BEFORE_ITEM]: mayTell })
}

async function* itemsOf(
  watch: BeginWatch,
  signal: AbortSignal,
): AsyncGenerator<MembersItem, void, undefined> {
  const unsent = new UnsentMembers()
  let wake = () => {}
  let onAbort = () => {}
  const aborted = () => {
    wake()
    onAbort()
  }
  signal.addEventListener('abort', aborted)
  const stop = watch((event) => {
    unsent.add(event)
    wake()
  })
  try {
    while (!signal.aborted) {
      if (unsent.isEmpty) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (!unsent.hasAll) {
        await new Promise<void>((resolve) => {
          onAbort = resolve
          unref(setTimeout(resolve, GATHER_MS))
        })
      }
      for (const item of unsent.take()) {
        if (signal.aborted) return
        yield item
      }
    }
  } finally {
    signal.removeEventListener('abort', aborted)
    stop()
  }
}

/** The members and changes that are still to be sent. */
class UnsentMembers {
  /** All members, if they are to be sent. */
  #all: Map<string, GroupMember> | undefined
  #unreached: readonly string[] = []
  /** Members that have joined or changed, by their ids. */
  #on = new Map<string, GroupMember>()
  /** The ids of members that have left. */
  #off = new Set<string>()

  get isEmpty(): boolean {
    return !this.#all && this.#on.size === 0 && this.#off.size === 0
  }

  /** Whether all members are to be sent, and not only changes. */
  get hasAll(): boolean {
    return this.#all !== undefined
  }

  add(event: GroupEvent): void {
    if (event.type === 'state') {
      this.#all = new Map(event.members.map((member) => [member.channelId, asSent(member)]))
      this.#unreached = event.unreached.map(({ node }) => node)
      this.#on = new Map()
      this.#off = new Set()
      return
    }
    const { channelId: id } = event.member
    const on = this.#all ?? this.#on
    if (event.type === 'leave') {
      on.delete(id)
      if (!this.#all) this.#off.add(id)
    } else {
      on.set(id, asSent(event.member))
      this.#off.delete(id)
    }
  }

  /** @returns the items to send. Nothing is left to be sent then. */
  take(): MembersItem[] {
    const all = this.#all && pieces([...this.#all.values()])
    const items: MembersItem[] = all
      ? all.map((some, at) => ({
          all: some,
          ...(at < all.length - 1 ? { more: true as const } : { unreached: this.#unreached }),
        }))
      : pieces([...this.#on.values()]).map((on) => ({ on }))
    if (this.#off.size > 0) items[0] = { ...items[0], off: [...this.#off] }
    this.#all = undefined
    this.#on = new Map()
    this.#off = new Set()
    return items
  }
}

/** @returns the members in parts, at least one, which may be empty. */
function pieces(members: readonly GroupMember[]): GroupMember[][] {
  const count = Math.max(1, Math.ceil(members.length / MAX_MEMBERS))
  return Array.from({ length: count }, (_, at) =>
    members.slice(at * MAX_MEMBERS, (at + 1) * MAX_MEMBERS),
  )
}

/** A member, as it is sent to clients. */
function asSent({ channelId: id, isConnected, info, methods }: PresentMember): GroupMember {
  return { id, isConnected, ...(info !== undefined && { info }), ...(methods && { methods }) }
}
