import { formatMs } from '../base/duration.js'
import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { RpcError } from '../errors/errors.js'
import { RpcAbortedError, RpcDisconnectedError, RpcTimeoutError } from '../errors/errors.js'
import type { ClusterNode } from './cluster-node.js'
import type { NodeRecord } from './node-record.js'

/** The functions of a node that a gather calls. */
export interface GatherHost {
  readonly node: ClusterNode
  /** Asks a node directly: it may not have got the message, or it came before its members. */
  ask(node: NodeRecord): void
  /** Tells a node that nobody waits for its outcomes any more. */
  cancel(node: string): void
}

/** The events of a gather. */
export interface GatherEvents {
  /** A target has an outcome. `entry` is what its node said of it. */
  told(target: GatherTarget, entry: unknown): void
  /** A target was not called, or was or may have been called, and nothing more will be known of it. */
  failed(target: GatherTarget, error: RpcError): void
  /** A node could not be asked, or was lost before it had said whom it called. */
  unreached(node: string, error: RpcDisconnectedError): void
}

/** A target of a gather. */
export interface GatherTarget {
  readonly node: string
  /** The last 32 digits of its id. */
  readonly id: string
  /** Its place among the targets of its node. */
  readonly at: number
}

/** One node's part in a gather. */
interface Part {
  readonly record: NodeRecord
  /** Its targets that have no outcome yet. */
  readonly open: Set<string>
  /** The targets that it has named, of `count`, with their places among them. */
  readonly ids: Map<string, number>
  /** How many targets it has; undefined until it has said so. */
  count: number | undefined
  /** It is looked for as long as it owes something. */
  readonly release: () => void
}

/** When a node that has not said whom it called is asked, in ms after the barrier, and after each time before. */
const ASK_MS = [20, 100, 500] as const
/** How long this node waits for outcomes after the time of a call, in ms. */
export const LATE_MS = 1_000

/** The texts of a gather's errors. */
export interface GatherWords {
  /** The method, for errors. */
  readonly method: string
  /** How long the targets may take, in ms; `Infinity` if that is not known. */
  readonly timeoutMs: number
  /** When their time is over, by `performance.now()`. */
  readonly endsAt: number
  readonly signal: AbortSignal | undefined
  /** Whether it is enough to know the targets: they have no outcomes. */
  readonly isRollOnly?: boolean
}

/**
 * Waits until each node that must answer has said which targets it has called, and each target has an outcome. The nodes
 * that must answer are known exactly: a node announces a topic before it subscribes to it, so that all nodes that got the
 * message are known once the engine's barrier has passed.
 */
export class Gather {
  readonly #host: GatherHost
  readonly #events: GatherEvents
  readonly #words: GatherWords
  readonly #parts = new Map<string, Part>()
  /** The nodes that were named as unreached. */
  readonly #unreached = new Set<string>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  readonly #done: () => void
  /** Whether all who must answer are known. */
  #isComplete = false
  #isOver = false
  /** Why all nodes are lost, also those that are not known yet. */
  #lostWhy: string | undefined
  readonly #giveUp = () => this.#abort()

  /** @param done called once, when it is over. */
  constructor(host: GatherHost, words: GatherWords, events: GatherEvents, done: () => void) {
    this.#host = host
    this.#words = words
    this.#events = events
    this.#done = done
    const { endsAt, signal } = words
    signal?.addEventListener('abort', this.#giveUp, { once: true })
    const leftMs = Math.max(0, endsAt + LATE_MS - performance.now())
    if (leftMs <= MAX_TIMER_MS) this.#after(leftMs, () => this.#late())
  }

  /** These nodes must probably answer. If one is lost before that is known, it may have run the call. */
  suppose(nodes: readonly NodeRecord[]): void {
    for (const record of nodes) this.#part(record)
    // It may have been given up while it was sent.
    if (this.#words.signal?.aborted) this.#abort()
  }

  /** These nodes must answer, besides those that have answered already; there are no others. */
  expect(nodes: readonly NodeRecord[]): void {
    if (this.#isOver) return
    const expected = new Set(nodes)
    for (const [id, { record, count, ids, release }] of this.#parts) {
      if (expected.has(record) || count !== undefined || ids.size > 0) continue
      release()
      this.#parts.delete(id)
    }
    for (const record of nodes) this.#part(record)
    this.#isComplete = true
    this.#loseAll()
    this.#askLater(0)
    this.#check()
  }

  /**
   * A node has said which of its targets it has called; of many, it says so in parts.
   *
   * @param first the place of the first of these.
   * @param count how many there are in all.
   * @param refuse makes the error of each, if the node has called none of them.
   */
  rolled(
    record: NodeRecord,
    ids: readonly string[],
    first: number,
    count: number,
    refuse?: () => RpcError,
  ): void {
    if (this.#isOver) return
    const part = this.#part(record)
    for (const [at, id] of ids.entries()) {
      if (part.ids.has(id)) continue
      part.ids.set(id, first + at)
      const target = { node: record.id, id, at: first + at }
      if (this.#words.isRollOnly) this.#events.told(target, undefined)
      else if (refuse) this.#events.failed(target, refuse())
      else part.open.add(id)
    }
    part.count ??= count
    this.#loseAll()
    this.#check()
  }

  /** Whether a node has named a target that has no outcome yet. */
  isOpen(node: string, id: string): boolean {
    return this.#parts.get(node)?.open.has(id) === true
  }

  /** A node has told what became of a target. */
  came(node: string, id: string, entry: unknown): void {
    const part = this.#parts.get(node)
    // The target has an outcome already, or its node has not named it: the message is dropped.
    if (!part?.open.delete(id)) return
    this.#events.told({ node, id, at: part.ids.get(id) ?? 0 }, entry)
    this.#check()
  }

  /**
   * A node is lost: what it owes may have run.
   *
   * @param isKnown whether all was read that it had announced. If not, it may have the message though nobody knew that.
   */
  lost(record: NodeRecord, why: string, isKnown: boolean): void {
    const mayHaveIt = !isKnown && !this.#isComplete
    const part = mayHaveIt ? this.#part(record) : this.#parts.get(record.id)
    if (part?.record.epoch !== record.epoch) return
    this.#lose(part, why)
    this.#check()
  }

  /** All nodes are lost. */
  lostAll(why: string): void {
    this.#lostWhy = why
    this.#loseAll()
    this.#check()
  }

  #loseAll(): void {
    if (this.#lostWhy === undefined) return
    for (const part of [...this.#parts.values()]) this.#lose(part, this.#lostWhy)
  }

  #part(record: NodeRecord): Part {
    const there = this.#parts.get(record.id)
    if (there?.record === record) return there
    // It goes on in a new epoch: what it owed in the one before has ended.
    if (there) this.#lose(there, 'it was given up by other nodes, and began anew')
    const part: Part = {
      record,
      open: new Set(),
      ids: new Map(),
      count: undefined,
      release: this.#host.node.failureDetector.owes(record),
    }
    this.#parts.set(record.id, part)
    return part
  }

  #lose(part: Part, why: string): void {
    if (isDone(part)) return
    this.#end(part, (id) => {
      const { method } = this.#words
      const message = id === undefined ? unreachedText(method, why) : lostText(method, why)
      return new RpcDisconnectedError(message, 'maybe-executed', { method })
    })
  }

  #askLater(time: number): void {
    this.#after(ASK_MS[Math.min(time, ASK_MS.length - 1)] as number, () => {
      const silent = [...this.#parts.values()].filter((part) => !hasRolled(part))
      for (const { record } of silent) this.#host.ask(record)
      if (silent.length > 0) this.#askLater(time + 1)
    })
  }

  #check(): void {
    if (this.#isOver) return
    let isDoneAll = this.#isComplete
    for (const part of this.#parts.values()) {
      if (isDone(part)) part.release()
      else isDoneAll = false
    }
    if (isDoneAll) this.#finish()
  }

  #late(): void {
    const { method, timeoutMs } = this.#words
    const why = `no outcome had come ${LATE_MS} ms after its time of ${formatMs(timeoutMs)}`
    this.#endAll((id) =>
      id === undefined
        ? new RpcDisconnectedError(unreachedText(method, why), 'maybe-executed', { method })
        : new RpcTimeoutError(lostText(method, why), 'maybe-executed', { method }),
    )
  }

  #abort(): void {
    const { method, signal } = this.#words
    for (const { record } of this.#parts.values()) this.#host.cancel(record.id)
    this.#endAll((id) => {
      if (id === undefined) {
        const message = unreachedText(method, 'the call was given up')
        return new RpcDisconnectedError(message, 'maybe-executed', {
          method,
          cause: signal?.reason,
        })
      }
      const message = `"${method}" was given up; it was sent and may have run`
      return new RpcAbortedError(message, 'maybe-executed', { method, cause: signal?.reason })
    })
  }

  #endAll(errorOf: (id: string | undefined) => RpcError): void {
    if (this.#isOver) return
    for (const part of [...this.#parts.values()]) if (!isDone(part)) this.#end(part, errorOf)
    this.#finish()
  }

  /** Ends what a node owes. @param errorOf makes the error of a target, or of the node if it has not named all. */
  #end(part: Part, errorOf: (id: string | undefined) => RpcError): void {
    const { record, open } = part
    part.release()
    for (const id of [...open]) {
      open.delete(id)
      this.#events.failed({ node: record.id, id, at: part.ids.get(id) ?? 0 }, errorOf(id))
    }
    if (hasRolled(part)) return
    part.count = part.ids.size
    // It may be lost in several epochs.
    if (this.#unreached.has(record.id)) return
    this.#unreached.add(record.id)
    this.#events.unreached(record.id, errorOf(undefined) as RpcDisconnectedError)
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    this.#timers.add(timer)
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#words.signal?.removeEventListener('abort', this.#giveUp)
    for (const timer of this.#timers) clearTimeout(timer)
    for (const { release } of this.#parts.values()) release()
    this.#done()
  }
}

function hasRolled({ ids, count }: Part): boolean {
  return count !== undefined && ids.size >= count
}

function isDone(part: Part): boolean {
  return hasRolled(part) && part.open.size === 0
}

function lostText(method: string, why: string): string {
  return `"${method}" was sent and may have run, but its client's node can't answer any more: ${why}`
}

function unreachedText(method: string, why: string): string {
  return `A node can't say which of its clients were called by "${method}", if any: ${why}`
}
