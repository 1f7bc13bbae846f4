import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { MemberInfos } from '../channels/member-infos.js'
import type { Format } from '../wire/format.js'
import type { GroupEvent, PresentMember } from './group-events.js'

/** The functions of the endpoint that watching groups uses. */
export interface LocalGroupsHost {
  readonly format: Format
  membersOf(group: string): Iterable<LiveChannel>
}

/** Watches the groups of an endpoint that is not a node of a cluster. */
export class LocalGroups {
  readonly events: GroupEvents<LiveChannel>
  readonly #host: () => LocalGroupsHost
  readonly #infos = new MemberInfos()
  readonly #listeners = new Map<string, Set<(event: GroupEvent) => void>>()

  /** @param host is asked when there are channels. */
  constructor(host: () => LocalGroupsHost) {
    this.#host = host
    this.events = {
      first: () => {},
      last: () => {},
      joining: (group, member, options) => {
        const isNew = this.#infos.keep(group, member, options, this.#host().format)
        if (isNew && member.groups.has(group)) this.#tell('change', group, member)
      },
      joined: (group, member) => this.#tell('join', group, member),
      left: (group, member) => {
        this.#tell('leave', group, member)
        this.#infos.forget(group, member)
      },
    }
  }

  /** A channel has got a connection, or lost it, or has other methods. */
  changed(channel: LiveChannel): void {
    if (this.#listeners.size === 0) return
    for (const group of channel.groups) this.#tell('change', group, channel)
  }

  /** Watches a group: the listener gets its members at once, then each change. @returns a function that ends the watch. */
  watch(group: string, listener: (event: GroupEvent) => void): () => void {
    const listeners = this.#listeners.get(group) ?? new Set()
    this.#listeners.set(group, listeners.add(listener))
    const members = Array.from(this.#host().membersOf(group), (one) => this.#describe(group, one))
    listener({ type: 'state', members, unreached: [] })
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(group) === listeners) {
        this.#listeners.delete(group)
      }
    }
  }

  #tell(type: 'join' | 'change' | 'leave', group: string, channel: LiveChannel): void {
    const listeners = this.#listeners.get(group)
    if (!listeners) return
    const member = this.#describe(group, channel)
    for (const listener of [...listeners]) listener({ type, member })
  }

  #describe(group: string, channel: LiveChannel): PresentMember {
    const { id: channelId, isConnected, mounted } = channel
    const methods = mounted && [...mounted]
    return { channelId, isConnected, info: this.#infos.of(group, channel), methods }
  }
}
