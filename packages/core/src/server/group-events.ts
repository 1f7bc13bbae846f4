import type { Member, Unreached } from './cluster-audience.js'

/** A member of a group, wherever it is. */
export type PresentMember = Omit<Member, 'node'>

/** What is told of a group that an endpoint watches for its clients. The `PresenceEvent` of a cluster is one. */
export type GroupEvent =
  | {
      readonly type: 'state'
      readonly members: readonly PresentMember[]
      readonly unreached: readonly Pick<Unreached, 'node'>[]
    }
  | { readonly type: 'join' | 'change' | 'leave'; readonly member: PresentMember }

/** Tells who is in a group: first `state`, then each change. @returns a function that ends that. */
export type WatchGroup = (group: string, listener: (event: GroupEvent) => void) => () => void
