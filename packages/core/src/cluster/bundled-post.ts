import type { Frame } from '../wire/codec.js'
import { Bundle } from './bundle.js'
import type { PipeHead, PipePost } from './pipe.js'

/** The functions of a node that its posts use. */
export interface BundledPostHost {
  /** Whether the engine is up. */
  readonly isUp: boolean
  /** The bytes that wait to leave this node. */
  readonly bufferedBytes: number
  /** The largest payload that is not cut into parts, in bytes. */
  readonly maxPayload: number
  /** Sends a node a payload, at whose beginning the head is still to be written. */
  sendPayload(node: string, payload: Uint8Array): void
}

/** How large a bundle of several messages may become, in bytes. */
const ENOUGH = 64 * 1024

/**
 * Sends the messages of pipes of one kind. What goes to one node within one turn of the event loop goes as one message, as a
 * message of the engine costs far more than a frame.
 */
export class BundledPost implements PipePost {
  readonly #host: BundledPostHost
  /** By node. */
  readonly #bundles = new Map<string, Bundle>()
  #turn: ReturnType<typeof setImmediate> | undefined

  constructor(host: BundledPostHost) {
    this.#host = host
  }

  get bufferedBytes(): number {
    return this.#host.bufferedBytes
  }

  send(node: string, seq: number, head: PipeHead, body?: Frame): boolean {
    if (!this.#host.isUp) return false
    const begun = this.#bundles.get(node)
    if (!begun?.add(seq, head, body)) {
      this.#sendNow(node, begun)
      this.#begin(node).add(seq, head, body)
    }
    const bundle = this.#bundles.get(node)
    if (bundle?.isFull) this.#sendNow(node, bundle)
    else this.#turn ??= setImmediate(() => this.flush())
    return true
  }

  /** Sends all that waits for the end of the turn. */
  flush(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    for (const [node, bundle] of this.#bundles) this.#sendNow(node, bundle)
  }

  /** Drops all that waits: the engine is down. */
  clear(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    this.#bundles.clear()
  }

  #begin(node: string): Bundle {
    const bundle = new Bundle(Math.min(ENOUGH, this.#host.maxPayload))
    this.#bundles.set(node, bundle)
    return bundle
  }

  #sendNow(node: string, bundle: Bundle | undefined): void {
    if (!bundle) return
    this.#bundles.delete(node)
    this.#host.sendPayload(node, bundle.payload())
  }
}
