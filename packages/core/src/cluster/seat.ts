import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'
import type { ClusterSeat, SeatHost } from '../server/cluster-seat.js'
import { randomHex } from '../wire/random-hex.js'
import type { ClusterNode } from './cluster-node.js'
import { Interest } from './interest.js'

/** An endpoint's place in its cluster: it puts the parts of a node together. */
export class Seat implements ClusterSeat {
  readonly groups: GroupEvents<LiveChannel>
  readonly #node: ClusterNode
  /** The channels of this node that are open, or whose session waits for its client. */
  readonly #channels = new Map<string, LiveChannel>()

  constructor(node: ClusterNode) {
    this.#node = node
    const interest = new Interest(node)
    this.groups = {
      first: (group) => interest.first(group),
      last: (group) => interest.last(group),
      joined: () => {},
      left: () => {},
    }
  }

  readonly newId = (): string => this.#node.id + randomHex(32)

  start({ format, limits, logger }: SeatHost): void {
    const { codec, frameType: frames } = format
    void this.#node.start({ codec: codec.name, frames, mostBytes: limits.message, logger })
  }

  ready(): Promise<void> {
    return this.#node.ready()
  }

  /** The channel of this node with this id, if there is one. */
  channel(id: string): LiveChannel | undefined {
    return this.#channels.get(id)
  }

  opened(channel: LiveChannel): void {
    this.#channels.set(channel.id, channel)
  }

  ended(channel: LiveChannel): void {
    this.#channels.delete(channel.id)
  }

  retire(): void {
    this.#node.retire()
  }

  stop(): Promise<void> {
    return this.#node.stop()
  }
}
