import type { NodeRecord } from './node-record.js'

/** Which other nodes have members in the groups of which topic. It is kept small: there may be 100,000 topics. */
export class TopicIndex {
  /** One node is kept without a list. */
  readonly #nodes = new Map<number, NodeRecord | NodeRecord[]>()

  add(topic: number, node: NodeRecord): void {
    const there = this.#nodes.get(topic)
    if (there === undefined) this.#nodes.set(topic, node)
    else if (!Array.isArray(there)) {
      if (there !== node) this.#nodes.set(topic, [there, node])
    } else if (!there.includes(node)) there.push(node)
  }

  delete(topic: number, node: NodeRecord): void {
    const there = this.#nodes.get(topic)
    if (there === node) this.#nodes.delete(topic)
    if (!Array.isArray(there)) return
    const left = there.filter((other) => other !== node)
    if (left.length === 1) this.#nodes.set(topic, left[0] as NodeRecord)
    else this.#nodes.set(topic, left)
  }

  /** Removes a node from all topics. */
  drop(node: NodeRecord): void {
    for (const [topic, there] of this.#nodes) {
      if (there === node || Array.isArray(there)) this.delete(topic, node)
    }
  }

  nodesOf(topic: number): readonly NodeRecord[] {
    const there = this.#nodes.get(topic)
    if (there === undefined) return NONE
    return Array.isArray(there) ? there : [there]
  }
}

const NONE: readonly NodeRecord[] = []
