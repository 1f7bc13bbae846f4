import { unref } from '../base/unref.js'
import type { ClusterNode } from './cluster-node.js'
import { Kind } from './envelope.js'
import { topicOf, writeTopics } from './topics.js'

/** A topic in which this node has members, or had them a moment ago. */
interface OwnTopic {
  /** How many groups of this topic have members here. */
  groups: number
  /** Ends the subscription; undefined as long as the topic was not announced. */
  unsubscribe: (() => void) | undefined
  linger: ReturnType<typeof setTimeout> | undefined
}

/** How long a topic without members is kept, in ms: members may come and go. */
const LINGER_MS = 10_000
/** How long changes are gathered after others were announced, in ms. */
const GATHER_MS = 20
/** The most topics of one announcement. */
const MAX_TOPICS = 10_000

/**
 * The topics of this node. It announces a topic before it subscribes to it, and unsubscribes before it announces the end.
 * So a node that publishes to a topic and then waits for the engine's barrier knows all nodes that got the message. A topic
 * that has ended is announced again only when nothing of its last subscription can come any more.
 */
export class Interest {
  readonly #node: ClusterNode
  readonly #topics = new Map<number, OwnTopic>()
  /** Topics that may have changed since the last announcement. */
  readonly #changed = new Set<number>()
  /** Topics that were unsubscribed from, and whose last messages may still be under way to this node. */
  readonly #ending = new Set<number>()
  #announced = 0
  #step = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #isSoon = false
  #isClosed = false

  constructor(node: ClusterNode) {
    this.#node = node
    const self = this
    node.announces({
      get step() {
        return self.#step
      },
      snapshot: () => ({ count: self.#announced, text: writeTopics(self.#announcedTopics()) }),
    })
    // Changes while the engine was down are announced after the hello.
    node.watch({ up: () => this.#flush(), down: () => this.#stop() })
  }

  /** A group has its first member here. */
  first(group: string): void {
    const topic = topicOf(group)
    const own = this.#topics.get(topic)
    if (!own) this.#topics.set(topic, { groups: 1, unsubscribe: undefined, linger: undefined })
    else {
      own.groups++
      clearTimeout(own.linger)
      own.linger = undefined
    }
    if (!own?.unsubscribe) this.#change(topic)
  }

  /** A group has no members here any more. */
  last(group: string): void {
    const topic = topicOf(group)
    const own = this.#topics.get(topic)
    if (!own || --own.groups > 0) return
    if (!own.unsubscribe) {
      this.#topics.delete(topic)
      return
    }
    if (this.#isClosed) return
    own.linger = setTimeout(() => this.#change(topic), LINGER_MS)
    unref(own.linger)
  }

  /** The endpoint is closed. */
  close(): void {
    this.#stop()
    for (const { linger } of this.#topics.values()) clearTimeout(linger)
    this.#isClosed = true
  }

  *#announcedTopics(): Iterable<number> {
    for (const [topic, { unsubscribe }] of this.#topics) if (unsubscribe) yield topic
  }

  #change(topic: number): void {
    this.#changed.add(topic)
    if (this.#isSoon || this.#timer || this.#isClosed) return
    this.#isSoon = true
    queueMicrotask(() => {
      this.#isSoon = false
      this.#flush()
    })
  }

  #flush(): void {
    if (!this.#node.isUp || this.#changed.size === 0) return
    const changed = [...this.#changed]
    this.#changed.clear()
    for (let at = 0; at < changed.length; at += MAX_TOPICS) {
      this.#announce(changed.slice(at, at + MAX_TOPICS))
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#flush()
    }, GATHER_MS)
    unref(this.#timer)
  }

  #announce(changed: readonly number[]): void {
    const { engine } = this.#node.options
    const { subjects } = this.#node
    const [on, off]: [number[], number[]] = [[], []]
    for (const topic of changed) {
      const own = this.#topics.get(topic)
      if (!own) continue
      if (own.groups > 0 && !own.unsubscribe && !this.#ending.has(topic)) on.push(topic)
      if (own.groups > 0 || !own.unsubscribe) continue
      own.unsubscribe()
      this.#topics.delete(topic)
      off.push(topic)
    }
    if (on.length === 0 && off.length === 0) return
    this.#step++
    this.#announced += on.length - off.length
    // If the engine goes down in this moment, the number of the step tells the others that they have missed one.
    const delta = { s: this.#step, on: writeTopics(on), off: writeTopics(off) }
    this.#node.publish(subjects.everybody, Kind.delta, delta)
    if (off.length > 0) this.#awaitLast(off)
    for (const topic of on) {
      const own = this.#topics.get(topic) as OwnTopic
      own.unsubscribe = engine.subscribe(subjects.topic(topic))
    }
  }

  /** Waits until all has come that was sent to topics before they were unsubscribed from, or was lost with the engine. */
  #awaitLast(topics: readonly number[]): void {
    for (const topic of topics) this.#ending.add(topic)
    const come = () => {
      for (const topic of topics) {
        this.#ending.delete(topic)
        if (this.#topics.has(topic)) this.#change(topic)
      }
    }
    this.#node.options.engine.barrier().then(come, come)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
