import { EMPTY_SET, ownSet } from '../base/empty.js'
import { RpcOverloadedError } from '../errors/errors.js'
import type { FlowQueue } from '../link/flow-control.js'
import type { ChannelLimits } from '../link/limits.js'
import type { OutgoingMessage } from '../link/message-link.js'
import { whyFull } from '../link/queue-limits.js'
import { type Encoded, heldBytes, keep, release } from '../wire/encoded.js'
import type { PendingCall } from './pending-call.js'

/** A message that is to be sent. */
export type Outgoing = EncodedCall | Reply

/** An answer, or a control message about an existing call. */
interface Reply extends OutgoingMessage {
  readonly kind: 'reply'
  readonly whyNot?: undefined
}

/**
 * A call or a notification with its message. After the message is written, a call waits for its answer; a notification
 * has ended.
 */
export type EncodedCall = PendingCall & { encoded: Encoded }

/**
 * The result for a waiting message: it was sent or refused (`taken`); it must wait (`skipped`); or it and all after it
 * must wait (`blocked`).
 */
export type OfferResult = 'taken' | 'skipped' | 'blocked'

/**
 * The messages that have not been written yet, in order. Each call can still be removed, which proves that it was never
 * sent.
 */
export class Outbox implements FlowQueue {
  readonly #limits: ChannelLimits
  #waiting: Set<Outgoing> = EMPTY_SET
  /** Calls and notifications that wait. */
  calls = 0
  replies = 0
  replyBytes = 0
  size = 0
  /** The bytes of all messages that wait; `replyBytes` are those of answers and control messages. */
  bytes = 0
  #isBlocked = false

  constructor(limits: ChannelLimits) {
    this.#limits = limits
  }

  get isBlocked(): boolean {
    return this.#isBlocked && this.#waiting.size > 0
  }

  /**
   * Queues a message behind the others.
   *
   * @param hasConnection whether it waits for the other side to take earlier messages; otherwise it waits for a
   *   connection.
   * @throws {RpcOverloadedError} if no more calls may wait; then this one is not queued.
   */
  add(outgoing: Outgoing, hasConnection: boolean): void {
    if (outgoing.kind !== 'reply') this.#assertRoomFor(outgoing, hasConnection)
    this.#waiting = ownSet(this.#waiting).add(outgoing)
    this.#count(outgoing, 1)
  }

  #assertRoomFor({ method, encoded }: EncodedCall, hasConnection: boolean): void {
    const waiting = { messages: this.calls, bytes: this.bytes - this.replyBytes }
    const why = whyFull(this.#limits, waiting, heldBytes(encoded), hasConnection)
    if (why !== undefined)
      throw new RpcOverloadedError(`"${method}" was not sent: ${why}`, { method })
  }

  /** Puts calls back in the queue, each in its old place. The limits do not apply. */
  restore(calls: readonly Outgoing[]): void {
    if (calls.length === 0) return
    for (const call of calls) this.#count(call, 1)
    // Sort calls by id, which is in the order of the calls; replies go last, as none depends on a waiting call.
    const all = [...calls, ...this.#waiting]
    this.#waiting = new Set(all.sort((one, other) => idOf(one) - idOf(other)))
  }

  /** Removes the message of a call. */
  remove(call: PendingCall): void {
    this.#take(call as EncodedCall)
  }

  /** Drops the answers and control messages. */
  dropReplies(): void {
    for (const outgoing of this.#waiting) if (outgoing.kind === 'reply') this.#take(outgoing)
  }

  /** Offers messages in order, until none may be sent yet. */
  flush(offer: (outgoing: Outgoing) => OfferResult): void {
    this.#isBlocked = false
    for (const outgoing of this.#waiting) {
      const turn = offer(outgoing)
      if (turn === 'blocked') {
        this.#isBlocked = true
        return
      }
      if (turn === 'taken') this.#take(outgoing)
    }
  }

  #take(outgoing: Outgoing): void {
    if (!this.#waiting.delete(outgoing)) return
    this.#count(outgoing, -1)
    release(outgoing.encoded, this)
  }

  #count(outgoing: Outgoing, by: 1 | -1): void {
    this.size += by
    if (by === 1) keep(outgoing.encoded, this)
    const bytes = by * heldBytes(outgoing.encoded)
    this.bytes += bytes
    if (outgoing.kind === 'reply') {
      this.replies += by
      this.replyBytes += bytes
    } else this.calls += by
  }
}

function idOf(outgoing: Outgoing): number {
  return outgoing.kind === 'reply' ? Number.MAX_SAFE_INTEGER : outgoing.id
}
