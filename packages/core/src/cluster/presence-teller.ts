import { unref } from '../base/unref.js'
import type { LiveChannel } from '../channels/live-channel.js'
import type { Format } from '../wire/format.js'
import { isObject } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { Kind } from './envelope.js'
import type { ToldMember } from './members.js'
import { writePayload } from './payload.js'
import { topicOf } from './topics.js'

/** The functions of an endpoint that announcing its members uses. */
export interface PresenceTellerHost {
  readonly format: Format
  describe(channel: LiveChannel, group: string | undefined): ToldMember
}

/** Why a member left: it left the group, or its channel has ended. */
export type Left = 'left' | 'ended'

/** The changes of a watched group's members, as they are told. */
export interface PresenceDiff {
  readonly on: readonly (readonly [id: string, member: ToldMember])[]
  readonly off: readonly (readonly [id: string, why: Left])[]
}

/** A group that somebody watches. */
interface Watched {
  /** The number of its changes. */
  step: number
  /** The number of those that were told. */
  told: number
  /** Until when somebody watches it, by `performance.now()`. */
  until: number
  readonly on: Map<string, LiveChannel>
  readonly off: Map<string, Left>
  timer: ReturnType<typeof setTimeout> | undefined
}

/** How long a group counts as watched after somebody said so, in ms. */
const WATCHED_MS = 30_000
/** How long changes are gathered, in ms. */
const GATHER_MS = 100

/** Tells who joins and leaves the groups of this node that others watch. Of other groups, nothing is told or kept. */
export class PresenceTeller {
  readonly #node: ClusterNode
  readonly #host: PresenceTellerHost
  /** Undefined stands for all channels. */
  readonly #watched = new Map<string | undefined, Watched>()

  constructor(node: ClusterNode, host: PresenceTellerHost) {
    this.#node = node
    this.#host = host
    node.on(Kind.watch, ({ head }) => this.#renewed(head))
  }

  close(): void {
    for (const { timer } of this.#watched.values()) clearTimeout(timer)
    this.#watched.clear()
  }

  /** Somebody watches a group from now on. @returns the number of its last change. */
  watched(group: string | undefined): number {
    const until = performance.now() + WATCHED_MS
    const there = this.#of(group)
    if (there) {
      there.until = until
      return there.step
    }
    // Another number than any before, so that nobody who watched it earlier takes it for unchanged.
    const step = Math.floor(Math.random() * 2 ** 31)
    const made = { step, told: step, until, on: new Map(), off: new Map(), timer: undefined }
    this.#watched.set(group, made)
    return step
  }

  joined(group: string | undefined, channel: LiveChannel): void {
    const watched = this.#watched.size > 0 ? this.#of(group) : undefined
    if (!watched) return
    const id = channel.id.slice(16)
    watched.off.delete(id)
    watched.on.set(id, channel)
    this.#changed(group, watched)
  }

  /** A member is not as it was. */
  changed(group: string | undefined, channel: LiveChannel): void {
    this.joined(group, channel)
  }

  left(group: string | undefined, channel: LiveChannel, why: Left): void {
    const watched = this.#watched.size > 0 ? this.#of(group) : undefined
    if (!watched) return
    const id = channel.id.slice(16)
    watched.on.delete(id)
    watched.off.set(id, why)
    this.#changed(group, watched)
  }

  #of(group: string | undefined): Watched | undefined {
    const watched = this.#watched.get(group)
    if (!watched || watched.until >= performance.now()) return watched
    clearTimeout(watched.timer)
    this.#watched.delete(group)
    return undefined
  }

  #changed(group: string | undefined, watched: Watched): void {
    watched.step++
    if (watched.timer) return
    watched.timer = setTimeout(() => this.#tell(group, watched), GATHER_MS)
    unref(watched.timer)
  }

  /** @param isGap whether those who watch must ask: they know nothing of this number. */
  #tell(group: string | undefined, watched: Watched, isGap = false): void {
    clearTimeout(watched.timer)
    watched.timer = undefined
    const { told, step: s } = watched
    const from = isGap ? 0xffff_ffff : told
    const on = Array.from(
      watched.on,
      ([id, channel]) => [id, this.#host.describe(channel, group)] as const,
    )
    const off = [...watched.off]
    watched.told = s
    watched.on.clear()
    watched.off.clear()
    const params: PresenceDiff = { on, off }
    const { f, body } = writePayload(this.#host.format, { jsonrpc: '2.0', method: 'diff', params })
    const subject = this.#node.subjects.presence(group === undefined ? 'all' : topicOf(group))
    const head = { ...(group !== undefined && { g: group }), from, s, f }
    // If it is lost, its number is missed when somebody says again that the group is watched.
    this.#node.publish(subject, Kind.diff, head, body)
  }

  /** Somebody still watches a group, and says which changes it knows. */
  #renewed(head: unknown): void {
    if (!isObject(head)) return
    const { g: group, at } = head
    if (!(group === undefined || typeof group === 'string') || !isObject(at)) return
    const step = this.watched(group)
    const watched = this.#of(group)
    // A watcher that lacks only changes that are not sent yet has no gap.
    if (watched && at[this.#node.id] !== step && at[this.#node.id] !== watched.told) {
      this.#tell(group, watched, true)
    }
  }
}
