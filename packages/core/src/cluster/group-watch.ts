import { unref } from '../base/unref.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { RpcDisconnectedError } from '../errors/errors.js'
import type { Member, PresenceEvent, Unreached } from '../server/cluster-audience.js'
import type { Format } from '../wire/format.js'
import { isObject } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { type Envelope, isCount, Kind } from './envelope.js'
import type { Gathers } from './gathers.js'
import { memberOf, type ToldMember } from './members.js'
import type { NodeRecord } from './node-record.js'
import { isPayloadHead, readPayload } from './payload.js'
import type { Left } from './presence-teller.js'
import { isShortId } from './told-outcome.js'
import { topicOf } from './topics.js'

/** The functions of a node that the watches of groups use. */
export interface GroupWatchHost {
  readonly node: ClusterNode
  readonly gathers: Gathers
  readonly format: Format
  membersOf(group: string | undefined): Iterable<LiveChannel>
  describe(channel: LiveChannel, group: string | undefined): ToldMember
}

/** The members at one other node, as far as they are known. */
interface NodeMembers {
  readonly members: Map<string, Member>
  /** The number of the last change that is known. */
  step: number
  /** The question that they are the answer to. */
  readonly question: number
}

/** A node that is being asked. */
interface Asking {
  readonly question: number
  /** The changes that it sends before its answer. */
  readonly waiting: Envelope[]
}

/** The answers to a question. */
interface Found {
  /** The number of the question, among those of the watch. */
  readonly question: number
  readonly unreached: readonly Unreached[]
  /** The nodes that have answered. */
  readonly answered: ReadonlySet<string>
}

/** How often the other nodes are told that the group is still watched, in ms. */
const RENEW_MS = 10_000
/** How long after a node has renewed its epoch it is asked for its members, in ms. */
const SOON_MS = 50

/** Watches one group at all nodes, as long as it has a listener. */
export class GroupWatch {
  readonly #host: GroupWatchHost
  readonly #group: string | undefined
  readonly #topic: number | 'all'
  readonly #listeners = new Set<(event: PresenceEvent) => void>()
  readonly #nodes = new Map<string, NodeMembers>()
  readonly #asking = new Map<string, Asking>()
  #questions = 0
  /** The nodes that could not be asked, and have not been given up. */
  #unreached = new Map<string, Unreached>()
  /** Resolves when the members of all nodes are known. */
  #begun: Promise<void> | undefined
  #stop: (() => void)[] = []

  constructor(host: GroupWatchHost, group: string | undefined) {
    this.#host = host
    this.#group = group
    this.#topic = group === undefined ? 'all' : topicOf(group)
  }

  /** Whether it has no listener. */
  get isIdle(): boolean {
    return this.#listeners.size === 0
  }

  get topic(): number | 'all' {
    return this.#topic
  }

  /** Adds a listener: it gets the members, then each change. @returns a function that removes it. */
  listen(listener: (event: PresenceEvent) => void): () => void {
    let isHeard = true
    if (this.isIdle) this.#begin()
    void this.#begun?.then(() => {
      if (!isHeard) return
      listener(this.#state())
      this.#listeners.add(listener)
    })
    const waiting = () => {}
    this.#listeners.add(waiting)
    return () => {
      isHeard = false
      this.#listeners.delete(waiting)
      this.#listeners.delete(listener)
      if (this.isIdle) this.#end()
    }
  }

  /** A channel of this node has joined. */
  joinedHere(channel: LiveChannel): void {
    this.#tell('join', this.#ofHere(channel), 'joined')
  }

  /** A member of this node has lost its connection, or has one again, or has another info or other methods. */
  changedHere(channel: LiveChannel): void {
    this.#tell('change', this.#ofHere(channel), 'changed')
  }

  leftHere(channel: LiveChannel, why: Left): void {
    this.#tell('leave', this.#ofHere(channel), why)
  }

  /** Another node has sent its changes. */
  came(envelope: Envelope): void {
    const { node } = envelope
    const asking = this.#asking.get(node)
    if (asking) asking.waiting.push(envelope)
    else this.#apply(envelope)
  }

  /** Another node has members of this topic now, and had none. */
  appeared(record: NodeRecord): void {
    if (!this.#nodes.has(record.id)) void this.#ask(record)
  }

  #begin(): void {
    const { node } = this.#host
    const timer = setInterval(() => this.#renew(), RENEW_MS)
    unref(timer)
    this.#stop = [
      node.options.engine.subscribe(node.subjects.presence(this.#topic)),
      () => clearInterval(timer),
      node.watch({
        up: () => void this.#askAll(),
        outage: () => this.#outage(),
        gone: ({ id }, why) => {
          if (why !== 'renewed') return this.#lost(id)
          const soon = setTimeout(() => {
            const record = node.directory.get(id)
            if (record && this.#nodes.has(id)) void this.#ask(record)
          }, SOON_MS)
          unref(soon)
        },
      }),
    ]
    this.#begun = this.#askAll()
  }

  #end(): void {
    for (const stop of this.#stop) stop()
    this.#stop = []
    this.#nodes.clear()
    this.#asking.clear()
    this.#unreached.clear()
    this.#begun = undefined
  }

  /** Asks all nodes: those of which nothing comes have no members. */
  async #askAll(): Promise<void> {
    const before = new Set(this.#nodes.keys())
    const found = await this.#gather(undefined)
    if (!found) return
    const { question, unreached, answered } = found
    const unknown = new Set(unreached.map(({ node }) => node))
    for (const id of before) {
      const known = this.#nodes.get(id)
      if (!known || known.question > question || answered.has(id) || unknown.has(id)) continue
      this.#set(id, { members: new Map(), step: 0, question })
      this.#nodes.delete(id)
    }
    this.#setUnreached(unreached)
  }

  /** Takes over which nodes could not be asked. If they are others than before, all members are told again, with them. */
  #setUnreached(found: Iterable<Unreached>): void {
    const before = this.#unreached
    const { directory, id } = this.#host.node
    // The members of a node that was given up have left. This node stands for all others while it knows none.
    const known = [...found].filter(({ node }) => node === id || directory.get(node))
    this.#unreached = new Map(known.map((one) => [one.node, one]))
    const isSame = before.size === known.length && known.every(({ node }) => before.has(node))
    if (isSame) return
    for (const listener of [...this.#listeners]) listener(this.#state())
  }

  /** This node is without the engine for too long: what is known of the others may be old. */
  #outage(): void {
    const why = 'this node is without the engine of its cluster'
    this.#setUnreached(
      Array.from(this.#host.node.directory.all, ({ id: node }) => ({
        status: 'unreached',
        node,
        error: new RpcDisconnectedError(`The clients of a node are not known: ${why}`, 'not-sent'),
      })),
    )
  }

  async #ask(record: NodeRecord): Promise<void> {
    const { id } = record
    if (this.#asking.has(id)) return
    const found = await this.#gather(record)
    if (!found) return
    const others = [...this.#unreached.values()].filter(({ node }) => node !== id)
    this.#setUnreached([...others, ...found.unreached])
  }

  /**
   * Asks one node, or all, for their members, and takes the answers over.
   *
   * @returns undefined if the watch has ended meanwhile.
   */
  async #gather(only: NodeRecord | undefined): Promise<Found | undefined> {
    const { gathers, node } = this.#host
    const question = ++this.#questions
    const asked = only ? [only.id] : [...this.#nodes.keys()]
    for (const id of asked) {
      if (!this.#asking.has(id)) this.#asking.set(id, { question, waiting: [] })
    }
    const steps = new Map<string, number>()
    const members = new Map<string, Map<string, Member>>()
    const unreached = await gathers.members(
      { group: this.#group, except: NOBODY },
      'members',
      (id, of, told) => {
        const ofNode = members.get(of) ?? new Map<string, Member>()
        members.set(of, ofNode.set(id, memberOf(id, of, told)))
      },
      { only, step: (of, step) => steps.set(of, step) },
    )
    if (this.#stop.length === 0) return undefined
    const missing = new Set(unreached.map((one) => one.node))
    for (const [id, step] of steps) {
      // Its node may have been lost since, or may have answered a later question.
      if (missing.has(id) || !node.directory.get(id)) continue
      if ((this.#nodes.get(id)?.question ?? 0) > question) continue
      this.#set(id, { members: members.get(id) ?? new Map(), step, question })
    }
    for (const id of asked) {
      const asking = this.#asking.get(id)
      if (asking?.question !== question) continue
      this.#asking.delete(id)
      for (const envelope of asking.waiting) this.#apply(envelope)
    }
    return { question, unreached, answered: new Set(steps.keys()) }
  }

  /** Takes over the members of a node, and tells what has changed. */
  #set(node: string, found: NodeMembers): void {
    const before = this.#nodes.get(node)?.members ?? new Map<string, Member>()
    this.#nodes.set(node, found)
    const { members } = found
    for (const [id, member] of before) if (!members.has(id)) this.#tell('leave', member, 'left')
    for (const [id, member] of members) {
      this.#tellOf(member, before.get(id))
    }
  }

  #apply({ node, head, body }: Envelope): void {
    const { g, from, s, f } = isObject(head) ? head : {}
    if (g !== this.#group || !isCount(from) || !isCount(s) || !isPayloadHead(f)) return
    const known = this.#nodes.get(node)
    const record = this.#host.node.directory.get(node)
    if (!known || from > known.step) {
      if (record) void this.#ask(record)
      return
    }
    if (s <= known.step) return
    known.step = s
    const { on, off } = this.#diff(f, body)
    for (const [id, why] of off) {
      const member = known.members.get(node + id)
      if (known.members.delete(node + id)) this.#tell('leave', member as Member, why)
    }
    for (const [id, told] of on) {
      const member = memberOf(node + id, node, told)
      const before = known.members.get(member.channelId)
      known.members.set(member.channelId, member)
      this.#tellOf(member, before)
    }
  }

  #diff(
    f: Envelope['head'],
    body: Envelope['body'],
  ): { on: [string, unknown][]; off: [string, Left][] } {
    let params: unknown
    try {
      const message = readPayload(this.#host.format, f as never, body)
      params = isObject(message) ? message.params : undefined
    } catch {
      // It comes of a node with another codec.
    }
    const { on, off } = isObject(params) ? params : {}
    const isEntry = (entry: unknown) => Array.isArray(entry) && isShortId(entry[0])
    const entries = (list: unknown) => (Array.isArray(list) ? list.filter(isEntry) : [])
    const left = entries(off).map(([id, why]): [string, Left] => [
      id,
      why === 'ended' ? why : 'left',
    ])
    return { on: entries(on), off: left }
  }

  #lost(node: string): void {
    const known = this.#nodes.get(node)
    this.#nodes.delete(node)
    this.#asking.delete(node)
    for (const member of known?.members.values() ?? []) this.#tell('leave', member, 'node-lost')
    if (this.#unreached.has(node)) this.#setUnreached(this.#unreached.values())
  }

  /** The other nodes are told that it is still watched, and those that could not be asked are asked again. */
  #renew(): void {
    const { node } = this.#host
    for (const id of this.#unreached.keys()) {
      const record = node.directory.get(id)
      if (record && !record.isForeign) void this.#ask(record)
    }
    const at = Object.fromEntries(Array.from(this.#nodes, ([id, { step }]) => [id, step]))
    const { subjects } = node
    const subject = this.#topic === 'all' ? subjects.all : subjects.topic(this.#topic)
    const group = this.#group
    node.publish(subject, Kind.watch, { ...(group !== undefined && { g: group }), at })
  }

  #ofHere(channel: LiveChannel): Member {
    return memberOf(channel.id, this.#host.node.id, this.#host.describe(channel, this.#group))
  }

  #state(): PresenceEvent {
    return { type: 'state', members: this.#all(), unreached: [...this.#unreached.values()] }
  }

  #all(): Member[] {
    const here = Array.from(this.#host.membersOf(this.#group), (channel) => this.#ofHere(channel))
    return [
      ...here,
      ...Array.from(this.#nodes.values(), ({ members }) => [...members.values()]).flat(),
    ]
  }

  /** Tells of a member of another node. @param before the same as it was known; undefined if it was not. */
  #tellOf(member: Member, before: Member | undefined): void {
    if (!before) this.#tell('join', member, 'joined')
    else if (!isSame(before, member)) this.#tell('change', member, 'changed')
  }

  #tell(
    type: 'join' | 'change' | 'leave',
    member: Member,
    why: 'joined' | 'changed' | 'left' | 'ended' | 'node-lost',
  ): void {
    for (const listener of [...this.#listeners]) listener({ type, member, why })
  }
}

/** Whether two messages say the same of a member. An info that JSON does not carry counts as another one. */
function isSame(one: Member, other: Member): boolean {
  const { info } = one
  const isPlain = typeof info !== 'object' || info === null
  if (isPlain ? info !== other.info : JSON.stringify(info) !== JSON.stringify(other.info))
    return false
  return (
    one.isConnected === other.isConnected &&
    JSON.stringify(one.methods) === JSON.stringify(other.methods)
  )
}

const NOBODY: ReadonlySet<string> = new Set()
