import { unref } from '../base/unref.js'
import { type Chunk, type Envelope, join } from './envelope.js'

/** The most messages of one node that may be unfinished at a time. */
const MAX_UNFINISHED = 16
/** How long the parts of a message may take, in ms. */
const PATIENCE_MS = 10_000

interface Unfinished {
  readonly first: Uint8Array
  readonly parts: (Uint8Array | undefined)[]
  missing: number
  bytes: number
  readonly timer: ReturnType<typeof setTimeout>
}

/** Joins messages of other nodes that came in parts. A message that can't be completed is dropped. */
export class Chunks {
  readonly #unfinished = new Map<string, Map<number, Unfinished>>()
  readonly #most: number

  /** @param most the largest message, in bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** @returns the payload of the whole message, when its last part has come. */
  add({ node, body }: Envelope, { id, i, of }: Chunk, payload: Uint8Array): Uint8Array | undefined {
    const part = body as Uint8Array
    // Each part but the last has at least one byte, so that a message of this library never has more parts than bytes.
    if (of > this.#most) return undefined
    const ofNode = this.#unfinished.get(node) ?? new Map<number, Unfinished>()
    this.#unfinished.set(node, ofNode)
    let message = ofNode.get(id)
    if (!message) {
      const [oldest] = ofNode.keys()
      if (ofNode.size >= MAX_UNFINISHED && oldest !== undefined) this.#drop(node, oldest)
      const timer = setTimeout(() => this.#drop(node, id), PATIENCE_MS)
      unref(timer)
      message = { first: payload, parts: [], missing: of, bytes: 0, timer }
      this.#unfinished.set(node, ofNode.set(id, message))
    }
    if (message.parts[i]) return undefined
    message.parts[i] = part
    message.missing--
    message.bytes += part.byteLength
    if (message.bytes > this.#most) this.#drop(node, id)
    else if (message.missing === 0) {
      this.#drop(node, id)
      return join(message.first, message.parts as Uint8Array[])
    }
    return undefined
  }

  /** A node is gone. */
  forget(node: string): void {
    for (const id of [...(this.#unfinished.get(node)?.keys() ?? [])]) this.#drop(node, id)
  }

  /** The engine is down: parts may be lost. */
  clear(): void {
    for (const node of [...this.#unfinished.keys()]) this.forget(node)
  }

  #drop(node: string, id: number): void {
    const ofNode = this.#unfinished.get(node)
    clearTimeout(ofNode?.get(id)?.timer)
    ofNode?.delete(id)
    if (ofNode?.size === 0) this.#unfinished.delete(node)
  }
}
