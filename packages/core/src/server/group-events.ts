import type { Member, Unreached } from './cluster-audience.js'

/** A member of a group, wherever it is. */
export type PresentMember = Omit<Member, 'node'>

/** A change of a group that an endpoint watches for its clients. The `PresenceEvent` of a cluster is one. */
export type GroupEvent =
  | {
      readonly type: 'state'
      readonly members: readonly PresentMember[]
      readonly unreached: readonly Pick<Unreached, 'node'>[]
    }
  | { readonly type: 'join' | 'change' | 'leave'; readonly member: PresentMember }

/** Watches a group: the listener gets `state` first, then each change. @returns a function that ends the watch. */
export type WatchGroup = (group: string, listener: (event: GroupEvent) => void) => () => void
