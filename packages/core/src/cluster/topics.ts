import { createHash } from 'node:crypto'

/**
 * The number under which the messages to a group travel: the first 32 bits of the SHA-256 of its name. Two groups may
 * share one, so that each message has the name, too. Nothing of a name becomes part of a subject.
 */
export function topicOf(group: string): number {
  return createHash('sha256').update(group, 'utf8').digest().readUInt32BE(0)
}

/** Topics as text: 4 bytes each, in base64. */
export function writeTopics(topics: Iterable<number>): string {
  const all = [...topics]
  const bytes = Buffer.allocUnsafe(4 * all.length)
  all.forEach((topic, at) => {
    bytes.writeUInt32BE(topic, 4 * at)
  })
  return bytes.toString('base64')
}

/** @returns the topics that a text of another node lists; undefined if it is not such a list. */
export function readTopics(text: unknown): number[] | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.byteLength % 4 !== 0) return undefined
  return Array.from({ length: bytes.byteLength / 4 }, (_, at) => bytes.readUInt32BE(4 * at))
}

/** The subjects of one namespace (docs/protocol.md, "Between nodes"). */
export class Subjects {
  /** The subject that all nodes subscribe to: for hellos, beats and changes of topics. */
  readonly everybody: string
  /** The messages to the channels of all nodes. */
  readonly all: string
  readonly #prefix: string

  constructor(app: string) {
    this.#prefix = `frpc.${app}.`
    this.everybody = `${this.#prefix}x`
    this.all = `${this.#prefix}t.all`
  }

  /** The messages to one node. */
  inbox(node: string): string {
    return `${this.#prefix}n.${node}`
  }

  /** Somebody is subscribed to it for as long as the node lives. */
  probe(node: string): string {
    return `${this.#prefix}q.${node}`
  }

  topic(topic: number): string {
    return `${this.#prefix}t.${topic.toString(16).padStart(8, '0')}`
  }

  /** The changes of a topic's members, for those who watch them. */
  presence(topic: number | 'all'): string {
    return `${this.#prefix}p.${topic === 'all' ? topic : topic.toString(16).padStart(8, '0')}`
  }
}
