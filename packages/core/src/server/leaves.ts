import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'

/** Calls the listener when the channel leaves the group. @returns a function that ends that. */
export type OnLeave = (channel: LiveChannel, group: string, listener: () => void) => () => void

interface Listening {
  readonly group: string
  readonly listener: () => void
}

/** Tells at once that a channel leaves a group, also while no watch of the group has begun. */
export class Leaves {
  readonly #listening = new WeakMap<LiveChannel, Set<Listening>>()

  /** @returns the same events, of which it learns. */
  heard(events: GroupEvents<LiveChannel>): GroupEvents<LiveChannel> {
    return {
      ...events,
      left: (group, member) => {
        for (const one of this.#listening.get(member) ?? []) if (one.group === group) one.listener()
        events.left(group, member)
      },
    }
  }

  readonly on: OnLeave = (channel, group, listener) => {
    const ofChannel = this.#listening.get(channel) ?? new Set()
    const listening = { group, listener }
    this.#listening.set(channel, ofChannel.add(listening))
    return () => ofChannel.delete(listening)
  }
}
