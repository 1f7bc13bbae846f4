import type { LiveChannel } from '../channels/live-channel.js'
import type { PresenceEvent } from '../server/cluster-audience.js'
import { isObject } from './checks.js'
import { Kind } from './envelope.js'
import { GroupWatch, type GroupWatchHost } from './group-watch.js'
import type { Left } from './presence-teller.js'

/** The groups that are watched here. */
export class Watches {
  readonly #host: GroupWatchHost
  /** Undefined stands for all channels. */
  readonly #groups = new Map<string | undefined, GroupWatch>()

  /** Ends the watches. */
  readonly #ends = new Set<() => void>()
  #isClosed = false

  constructor(host: GroupWatchHost) {
    this.#host = host
    const { node } = host
    node.on(Kind.diff, (envelope) => {
      const { g } = isObject(envelope.head) ? envelope.head : {}
      this.#groups.get(g as string | undefined)?.came(envelope)
    })
    node.watch({
      topics: (record, topics) => {
        if (this.#groups.size === 0) return
        for (const watch of this.#groups.values()) {
          if (watch.topic === 'all' || topics === 'all' || topics.includes(watch.topic)) {
            watch.appeared(record)
          }
        }
      },
    })
  }

  /** The endpoint is closed: all watches end. */
  close(): void {
    this.#isClosed = true
    for (const end of [...this.#ends]) end()
  }

  joined(group: string | undefined, channel: LiveChannel): void {
    if (this.#groups.size > 0) this.#groups.get(group)?.joinedHere(channel)
  }

  changed(group: string | undefined, channel: LiveChannel): void {
    if (this.#groups.size > 0) this.#groups.get(group)?.changedHere(channel)
  }

  left(group: string | undefined, channel: LiveChannel, why: Left): void {
    if (this.#groups.size > 0) this.#groups.get(group)?.leftHere(channel, why)
  }

  /** Watches a group: the listener gets its members, then each change. @returns a function that ends the watch. */
  listen(group: string | undefined, listener: (event: PresenceEvent) => void): () => void {
    const watch = this.#groups.get(group) ?? new GroupWatch(this.#host, group)
    this.#groups.set(group, watch)
    const stop = watch.listen(listener)
    return () => {
      stop()
      if (watch.isIdle && this.#groups.get(group) === watch) this.#groups.delete(group)
    }
  }

  /** The members of a group, and then each change, until the iteration is left or the signal aborts. */
  async *watch(
    group: string | undefined,
    except: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PresenceEvent, void, undefined> {
    if (signal?.aborted || this.#isClosed) return
    const events: PresenceEvent[] = []
    let wake = () => {}
    let isOver = false
    const stop = this.listen(group, (event) => {
      events.push(event)
      wake()
    })
    // Whether the next event is awaited is not known.
    const end = () => {
      isOver = true
      stop()
      wake()
    }
    signal?.addEventListener('abort', end)
    this.#ends.add(end)
    try {
      while (!isOver) {
        const event = events.shift()
        if (!event) await new Promise<void>((resolve) => (wake = resolve))
        else if (event.type === 'state') {
          yield {
            ...event,
            members: event.members.filter(({ channelId }) => !except.has(channelId)),
          }
        } else if (!except.has(event.member.channelId)) yield event
      }
    } finally {
      signal?.removeEventListener('abort', end)
      this.#ends.delete(end)
      stop()
    }
  }
}
