import { unref } from '../base/unref.js'
import type { GroupMember, MembersItem } from '../calls/members.js'
import type { GroupEvent, PresentMember } from './group-events.js'

/** How long changes are gathered before they are told, in ms. */
const GATHER_MS = 50
/** The most members of an item. Each has an info of up to 4 KiB. */
const MOST_MEMBERS = 64

/** Who watches a group. */
export interface Watcher {
  /** The id of its channel. */
  readonly id: string
  /** Aborts when it watches no more. */
  readonly signal: AbortSignal
  /** Called before anything is told that comes after it has left the group itself. @throws if it may not watch any more. */
  check(): Promise<void>
}

/**
 * Tells one client who is in a group: all, and then what has changed since the item before. A client that takes its items
 * slowly gets fewer of them, so that no more is kept for it than one change a member.
 *
 * @param watch begins to watch the group, and returns what ends that.
 */
export async function* toldMembers(
  watch: (listener: (event: GroupEvent) => void) => () => void,
  { id, signal, check }: Watcher,
): AsyncGenerator<MembersItem, void, undefined> {
  const news = new News()
  let hasLeft = false
  let wake = () => {}
  let onAbort = () => {}
  const aborted = () => {
    wake()
    onAbort()
  }
  signal.addEventListener('abort', aborted)
  const stop = watch((event) => {
    if (event.type === 'leave' && event.member.channelId === id) hasLeft = true
    news.add(event)
    wake()
  })
  try {
    while (!signal.aborted) {
      if (news.isEmpty) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (!news.isList) {
        await new Promise<void>((resolve) => {
          onAbort = resolve
          unref(setTimeout(resolve, GATHER_MS))
        })
      }
      if (hasLeft && !signal.aborted) {
        hasLeft = false
        const checked = check()
        // A check that never settles does not keep the watch.
        await Promise.race([checked, new Promise<void>((resolve) => (onAbort = resolve))])
      }
      if (signal.aborted) return
      yield* news.take()
    }
  } finally {
    signal.removeEventListener('abort', aborted)
    stop()
  }
}

/** What is to be told. */
class News {
  /** All members, if they are to be told. */
  #all: Map<string, GroupMember> | undefined
  #unreached: readonly string[] = []
  #on = new Map<string, GroupMember>()
  #off = new Set<string>()

  get isEmpty(): boolean {
    return !this.#all && this.#on.size === 0 && this.#off.size === 0
  }

  /** Whether all members are to be told, and not changes only. */
  get isList(): boolean {
    return this.#all !== undefined
  }

  add(event: GroupEvent): void {
    if (event.type === 'state') {
      this.#all = new Map(event.members.map((member) => [member.channelId, told(member)]))
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
      on.set(id, told(event.member))
      this.#off.delete(id)
    }
  }

  /** @returns it as items; it is not to be told any more. */
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
  const count = Math.max(1, Math.ceil(members.length / MOST_MEMBERS))
  return Array.from({ length: count }, (_, at) =>
    members.slice(at * MOST_MEMBERS, (at + 1) * MOST_MEMBERS),
  )
}

/** The member as clients are told of it. */
function told({ channelId: id, isConnected, info, methods }: PresentMember): GroupMember {
  return { id, isConnected, ...(info !== undefined && { info }), ...(methods && { methods }) }
}
