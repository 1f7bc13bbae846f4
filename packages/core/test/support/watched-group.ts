import type { AnyClient, GroupMember } from '@flashrpc/core'
import type { MembersItem } from '@flashrpc/core/internal'

/** A group, as a client is told who is in it. */
export interface WatchedGroup {
  /** By the ids of the members. */
  readonly members: Map<string, GroupMember>
  readonly items: MembersItem[]
  unreached: readonly string[] | undefined
  /** Why the watch has ended. */
  error: unknown
  isOver: boolean
  stop(): void
}

/** Watches a group as a page does, without React. */
export function watchGroup(client: AnyClient, group: string): WatchedGroup {
  const giveUp = new AbortController()
  const watched: WatchedGroup = {
    members: new Map(),
    items: [],
    unreached: undefined,
    error: undefined,
    isOver: false,
    stop: () => giveUp.abort(),
  }
  const { members } = watched
  let isInList = false
  const take = (item: MembersItem) => {
    watched.items.push(item)
    const { all, more, on = [], off = [], unreached } = item
    if (all && !isInList) members.clear()
    isInList = more === true
    for (const id of off) members.delete(id)
    for (const member of [...(all ?? []), ...on]) members.set(member.id, member)
    watched.unreached = unreached ?? watched.unreached
  }
  void (async () => {
    try {
      const options = { signal: giveUp.signal }
      for await (const item of client.stream('rpc.members', { group }, options)) {
        take(item as MembersItem)
      }
    } catch (error) {
      watched.error = error
    }
    watched.isOver = true
  })()
  return watched
}
