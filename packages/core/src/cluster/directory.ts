import { isCount, VERSIONS, type Versions } from './envelope.js'
import { type NodeRecord, newRecord } from './node-record.js'
import { TopicIndex } from './topic-index.js'
import { readTopics } from './topics.js'

/**
 * Why a node is gone: it left; nobody is subscribed to its probe; it was silent for too long; or it goes on in another
 * epoch.
 */
export type Gone = 'left' | 'dead' | 'silent' | 'renewed'

/** The functions of a node that its directory calls. */
export interface DirectoryHost {
  /** Asks a node which topics it has. */
  askSnapshot(node: NodeRecord): void
  /** Tells a node that this epoch of it was given up here. */
  tellBuried(node: string, epoch: number): void
  came(node: NodeRecord): void
  gone(node: NodeRecord, why: Gone): void
  changed(node: NodeRecord): void
  /** The node has these topics in addition. `all`: the directory has now all topics of the node. */
  topics(node: NodeRecord, topics: readonly number[] | 'all'): void
}

/** The most nodes that are remembered after their end. */
const MAX_BURIED = 10_000
/** How often a node is asked for its topics, and told that it was buried, at most, in ms. */
const ASK_MS = 500
/** How long calls name a node that was buried, in ms: it may not know it yet, and must not run them. */
const NAMED_MS = 10 * 60_000
/** The most buried nodes that a call names. */
const MAX_NAMED = 64

/** The other nodes of a cluster: which there are, what they have said, which of them are gone for good. */
export class Directory {
  readonly #host: DirectoryHost
  readonly #versions: Versions
  readonly #nodes = new Map<string, NodeRecord>()
  readonly #index = new TopicIndex()
  /** The highest epoch of each node that was given up, and when; in the order of their ends. */
  readonly #buried = new Map<
    string,
    { epoch: number; at: number; isLeft: boolean; toldAt: number }
  >()
  readonly #askedAt = new WeakMap<NodeRecord, number>()
  #named: readonly string[] | undefined
  #namedUntil = 0

  constructor(host: DirectoryHost, versions: Versions = VERSIONS) {
    this.#host = host
    this.#versions = versions
  }

  get all(): Iterable<NodeRecord> {
    return this.#nodes.values()
  }

  get size(): number {
    return this.#nodes.size
  }

  get(node: string): NodeRecord | undefined {
    return this.#nodes.get(node)
  }

  /** Whether this epoch of a node was given up. */
  isBuried(node: string, epoch: number): boolean {
    const buried = this.#buried.get(node)
    return buried !== undefined && epoch <= buried.epoch
  }

  /** The nodes that must answer a call to a topic. */
  expected(topic: number | 'all'): NodeRecord[] {
    if (topic === 'all') return [...this.#nodes.values()].filter(takesCalls)
    const nodes = this.#index.nodesOf(topic).filter(takesCalls)
    for (const node of this.#nodes.values()) {
      if (!node.isInStep && takesCalls(node)) nodes.push(node)
    }
    return nodes
  }

  /** The nodes that can't be told anything, because they share no version with this one. */
  get foreign(): NodeRecord[] {
    return [...this.#nodes.values()].filter(({ isForeign }) => isForeign)
  }

  /** The version in which everybody is told something: the highest that each node understands. */
  get commonVersion(): number {
    let version = this.#versions[1]
    for (const { versions, isForeign } of this.#nodes.values()) {
      if (!isForeign) version = Math.min(version, versions[1])
    }
    return version
  }

  /** The nodes that were buried lately, as calls name them: `<node>.<epoch>`. Usually none. */
  get buriedLately(): readonly string[] {
    if (this.#buried.size === 0) return NONE
    const now = performance.now()
    if (this.#named && now < this.#namedUntil) return this.#named
    const named = [...this.#buried].filter(
      ([node, { at, isLeft }]) => !isLeft && now - at < NAMED_MS && !this.#nodes.has(node),
    )
    this.#named = named.slice(-MAX_NAMED).map(([node, { epoch }]) => `${node}.${epoch}`)
    this.#namedUntil = now + 1_000
    return this.#named
  }

  /**
   * Finds the record of a message's sender, and makes one if it is new.
   *
   * @returns undefined if the message must be dropped: its epoch was given up, or there is a later one.
   */
  sender(node: string, epoch: number): NodeRecord | undefined {
    const buried = this.#buried.get(node)
    if (buried && epoch <= buried.epoch) {
      const now = performance.now()
      if (!buried.isLeft && now - buried.toldAt >= ASK_MS) {
        buried.toldAt = now
        this.#host.tellBuried(node, buried.epoch)
      }
      return undefined
    }
    let record = this.#nodes.get(node)
    if (record && epoch < record.epoch) return undefined
    if (record && epoch > record.epoch) {
      this.#remove(record, 'renewed')
      record = undefined
    }
    if (!record) {
      record = newRecord(node, epoch)
      this.#nodes.set(node, record)
      this.#named = undefined
      this.#host.came(record)
    }
    record.heardAt = performance.now()
    return record
  }

  /** A node says who it is: at its start, in a new epoch, and after it was without the engine. */
  hello(node: NodeRecord, head: unknown): boolean {
    const { topics, s } = (head ?? {}) as Record<string, unknown>
    if (!this.#introduce(node, head) || !isCount(s) || !isCount(topics)) return false
    if (node.isForeign) return true
    if (topics === 0 && !node.isInStep) this.#inStep(node, s)
    else this.#at(node, s)
    return true
  }

  beat(node: NodeRecord, head: unknown): void {
    const { v, s } = (head ?? {}) as Record<string, unknown>
    if (!isCount(s) || !this.#speaks(node, v) || node.isForeign) return
    if (node.name === '' && !node.isInStep) this.ask(node)
    else this.#at(node, s)
  }

  /** A node has other topics than before. */
  delta(node: NodeRecord, head: unknown): void {
    const { s, on, off } = (head ?? {}) as Record<string, unknown>
    const [added, removed] = [readTopics(on), readTopics(off)]
    if (!isCount(s) || !added || !removed) return
    if (node.isInStep && s <= node.step) return
    if (!node.isInStep || s !== node.step + 1) {
      this.#outOfStep(node)
      return
    }
    node.step = s
    for (const topic of removed) this.#index.delete(topic, node)
    for (const topic of added) this.#index.add(topic, node)
    node.topics += added.length - removed.length
    if (added.length > 0) this.#host.topics(node, added)
  }

  snapshot(node: NodeRecord, head: unknown): void {
    const { s, topics } = (head ?? {}) as Record<string, unknown>
    const all = readTopics(topics)
    if (!isCount(s) || !all || !this.#introduce(node, head)) return
    if (node.isInStep && s <= node.step) return
    this.#index.drop(node)
    for (const topic of all) this.#index.add(topic, node)
    node.topics = all.length
    this.#inStep(node, s)
  }

  /** A node accepts no new calls. @param isOver whether it has given all its answers. */
  leave(node: NodeRecord, isOver: boolean): void {
    if (!node.isLeaving) {
      node.isLeaving = true
      this.#index.drop(node)
      this.#host.changed(node)
    }
    if (isOver) this.#remove(node, 'left')
  }

  /** Gives a node up for good, in its present epoch. */
  bury(node: NodeRecord, why: 'dead' | 'silent'): void {
    if (this.#nodes.get(node.id) === node) this.#remove(node, why)
  }

  /** Asks a node for its topics, unless it was asked a moment ago. */
  ask(node: NodeRecord): void {
    const now = performance.now()
    if (now - (this.#askedAt.get(node) ?? Number.NEGATIVE_INFINITY) < ASK_MS) return
    this.#askedAt.set(node, now)
    this.#host.askSnapshot(node)
  }

  /**
   * Announcements may have been lost: each node must answer every call until it has said that the index has its last
   * change.
   */
  doubt(): void {
    for (const node of this.#nodes.values()) node.isInStep = false
  }

  /** Compares what a node has announced with what came. */
  #at(node: NodeRecord, step: number): void {
    // The index has what it announced last.
    if (step === node.step && node.name !== '') node.isInStep = true
    else if (!node.isInStep || step > node.step) this.#outOfStep(node)
  }

  #inStep(node: NodeRecord, step: number): void {
    node.step = step
    node.isInStep = true
    this.#askedAt.delete(node)
    this.#host.changed(node)
    this.#host.topics(node, 'all')
  }

  #outOfStep(node: NodeRecord): void {
    node.isInStep = false
    this.ask(node)
  }

  /** Takes what a node says of itself. @returns false if it can't be understood. */
  #introduce(node: NodeRecord, head: unknown): boolean {
    const { v, name, codec, frames } = (head ?? {}) as Record<string, unknown>
    if (!this.#speaks(node, v)) return false
    if (typeof name !== 'string' || typeof codec !== 'string') return false
    if (frames !== 'text' && frames !== 'binary') return false
    node.name = name.slice(0, 128)
    node.codec = codec
    node.frames = frames
    return true
  }

  #speaks(node: NodeRecord, v: unknown): boolean {
    if (!Array.isArray(v) || !isCount(v[0]) || !isCount(v[1])) return false
    node.versions = [v[0], v[1]]
    const isForeign = v[0] > this.#versions[1] || v[1] < this.#versions[0]
    if (isForeign !== node.isForeign) {
      node.isForeign = isForeign
      this.#host.changed(node)
    }
    return true
  }

  #remove(node: NodeRecord, why: Gone): void {
    this.#nodes.delete(node.id)
    this.#index.drop(node)
    // Put at the end: the oldest are forgotten first.
    this.#buried.delete(node.id)
    const isLeft = why === 'left'
    const epoch = isLeft ? 0xffff_ffff : node.epoch
    this.#buried.set(node.id, {
      epoch,
      at: performance.now(),
      isLeft: isLeft || why === 'renewed',
      toldAt: Number.NEGATIVE_INFINITY,
    })
    const [oldest] = this.#buried.keys()
    if (this.#buried.size > MAX_BURIED && oldest !== undefined) this.#buried.delete(oldest)
    this.#named = undefined
    this.#host.gone(node, why)
  }
}

function takesCalls({ isLeaving, isForeign }: NodeRecord): boolean {
  return !isLeaving && !isForeign
}

const NONE: readonly string[] = []
