import { unref } from '../base/unref.js'
import type { Directory } from './directory.js'
import type { Reach } from './engine.js'
import type { NodeRecord } from './node-record.js'

/** The functions of a node that its failure detector uses. */
export interface FailureDetectorHost {
  readonly directory: Directory
  /** Since when the engine is up, by `performance.now()`; undefined while it is down. */
  readonly upSince: number | undefined
  reach(node: string, ms: number): Promise<Reach>
}

/** How long a failure detector waits. */
export interface FailureDetectorOptions {
  /** How long nobody must be subscribed to a node's probe before it counts as dead, in ms. */
  readonly graceMs: number
  /** How much longer a node may need after an outage of the engine, in ms, at most. */
  readonly outageMs: number
}

/** How often a node says that it lives, in ms. */
export const BEAT_MS = 1_000
/** How late a beat may be before the node is probed, in ms. */
const LATE_MS = 500
/** How long a node may be silent while the engine is up, in ms. */
const SILENT_MS = 5_000
/** How often a node is probed, in ms. */
const PROBE_MS = 100
/** If the timer was late by that much, this process itself stood still, in ms. */
const STILL_MS = 1_000

/**
 * Finds out which nodes are dead. A node is probed only while it owes an answer, or when its beat is late, so that a
 * cluster at rest sends no probes.
 */
export class FailureDetector {
  readonly #host: FailureDetectorHost
  readonly #graceMs: number
  readonly #outageMs: number
  /** How many things each node owes. */
  readonly #owed = new Map<NodeRecord, number>()
  readonly #probing = new Set<NodeRecord>()
  #timer: ReturnType<typeof setInterval> | undefined
  /** When the timer fired last, by `performance.now()`. */
  #checkedAt = Number.POSITIVE_INFINITY
  /** When this process went on after it had stood still, by `performance.now()`. */
  #awakeSince = Number.NEGATIVE_INFINITY

  constructor(host: FailureDetectorHost, { graceMs, outageMs }: FailureDetectorOptions) {
    this.#host = host
    this.#graceMs = graceMs
    this.#outageMs = outageMs
  }

  start(): void {
    this.#timer = setInterval(() => this.#check(), PROBE_MS)
    unref(this.#timer)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** A node owes an answer: it is probed until the returned function is called. To call that twice is harmless. */
  owes(node: NodeRecord): () => void {
    this.#owed.set(node, (this.#owed.get(node) ?? 0) + 1)
    if (this.#owed.get(node) === 1) this.#probe(node)
    let isOwed = true
    return () => {
      if (!isOwed) return
      isOwed = false
      const left = (this.#owed.get(node) ?? 1) - 1
      if (left > 0) this.#owed.set(node, left)
      else this.#owed.delete(node)
    }
  }

  /** The engine is down, so that nothing is known any more. */
  forget(): void {
    for (const node of this.#host.directory.all) node.missingSince = undefined
  }

  #check(): void {
    const { upSince, directory } = this.#host
    const now = performance.now()
    // Messages that came while it stood still have not been read yet.
    if (now - this.#checkedAt > STILL_MS) this.#awakeSince = now
    this.#checkedAt = now
    if (upSince === undefined) return
    const since = Math.max(upSince, this.#awakeSince)
    for (const node of [...directory.all]) {
      // The time in which nothing could be heard does not count.
      const silentMs = now - Math.max(node.heardAt, since)
      if (silentMs > SILENT_MS) directory.bury(node, 'silent')
      else if (silentMs > BEAT_MS + LATE_MS || this.#owed.has(node)) this.#probe(node)
      else node.missingSince = undefined
    }
  }

  #probe(node: NodeRecord): void {
    if (this.#probing.has(node) || this.#host.upSince === undefined) return
    this.#probing.add(node)
    void this.#host.reach(node.id, PROBE_MS).then((found) => {
      this.#probing.delete(node)
      if (found === 'yes') node.missingSince = undefined
      if (found === 'no') this.#isMissing(node)
      // The probe has taken PROBE_MS.
      if (found === 'unknown' && this.#owed.has(node)) this.#probe(node)
    })
  }

  #isMissing(node: NodeRecord): void {
    const { upSince, directory } = this.#host
    if (upSince === undefined) return
    const now = performance.now()
    node.missingSince ??= now
    const missingMs = now - Math.max(node.missingSince, upSince)
    const leftMs = this.#graceOf(node, upSince) - missingMs
    if (leftMs <= 0) directory.bury(node, 'dead')
    else if (leftMs < PROBE_MS) unref(setTimeout(() => this.#probe(node), leftMs))
  }

  /**
   * A node that lost the engine together with this one may come back much later: clients of an engine wait longer between
   * their attempts the longer it is away, often twice as long each time. So a node that was not heard of since this one
   * came back has as much more time as had passed without a word of it until then, also over several outages. If it is
   * heard of, or if this node did not lose the engine, `graceMs` counts alone.
   */
  #graceOf({ heardAt }: NodeRecord, upSince: number): number {
    return this.#graceMs + Math.min(Math.max(0, upSince - heardAt), this.#outageMs)
  }
}
