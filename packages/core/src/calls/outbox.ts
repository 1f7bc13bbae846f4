import { EMPTY_SET, ownSet } from '../base/empty.js'
import { RpcOverloadedError } from '../errors/errors.js'
import type { ChannelLimits } from '../link/limits.js'
import type { Held, OutgoingMessage } from '../link/message-link.js'
import { type Encoded, heldBytes, keep, letGo } from '../wire/encoded.js'
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

/** The result for a waiting message: it was taken; it must wait; or it and all after it must wait. */
export type Turn = 'taken' | 'not-yet' | 'none-yet'

/**
 * The messages that have not been written yet, in order. Each call can still be removed, which proves that it was never
 * sent.
 */
export class Outbox {
  readonly #limits: ChannelLimits
  #waiting: Set<Outgoing> = EMPTY_SET
  #calls = 0
  #callBytes = 0
  #replyBytes = 0

  constructor(limits: ChannelLimits) {
    this.#limits = limits
  }

  /** How many bytes wait that do not belong to calls or notifications of this side. */
  get replyBytes(): number {
    return this.#replyBytes
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Calls and notifications that wait. */
  get calls(): number {
    return this.#calls
  }

  /** How many messages wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Whether anything waits other than calls and notifications of this side. */
  get hasReplies(): boolean {
    return this.#waiting.size > this.#calls
  }

  /** All messages that wait, and their bytes. */
  get held(): Held {
    return { messages: this.#waiting.size, bytes: this.#callBytes + this.#replyBytes }
  }

  /** The messages that wait and are no calls of this side, and their bytes. */
  get replies(): Held {
    return { messages: this.#waiting.size - this.#calls, bytes: this.#replyBytes }
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
    const limits = this.#limits
    const size = heldBytes(encoded)
    const now = `"${method}" was not sent: ${this.#calls} messages of ${this.#callBytes} bytes wait for`
    if (hasConnection) {
      const { waitingMessages: messages, waitingBytes: bytes } = limits
      const isFull = this.#calls >= messages || this.#callBytes + size > bytes
      if (!isFull || this.#calls === 0) return
      throw new RpcOverloadedError(
        `${now} the other side to take what was sent before, and ${messages} or ${bytes} bytes may. Wait for earlier calls and notifications before you make more, or raise the limits "waitingMessages" and "waitingBytes"`,
        { method },
      )
    }
    const { queuedMessages: messages, queuedBytes: bytes } = limits
    if (this.#calls < messages && this.#callBytes + size <= bytes) return
    throw new RpcOverloadedError(
      `${now} a connection, and ${messages} or ${bytes} bytes may. Wait for the state "connected", or raise the limits "queuedMessages" and "queuedBytes"`,
      { method },
    )
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

  /** Drops the messages that are no calls of this side. */
  dropReplies(): void {
    for (const outgoing of this.#waiting) if (outgoing.kind === 'reply') this.#take(outgoing)
  }

  /**
   * Offers messages in order, until none may be sent yet. @returns whether a message is left that no other may
   * overtake.
   */
  flush(offer: (outgoing: Outgoing) => Turn): boolean {
    for (const outgoing of this.#waiting) {
      const turn = offer(outgoing)
      if (turn === 'none-yet') return true
      if (turn === 'taken') this.#take(outgoing)
    }
    return false
  }

  #take(outgoing: Outgoing): void {
    if (!this.#waiting.delete(outgoing)) return
    this.#count(outgoing, -1)
    letGo(outgoing.encoded, this)
  }

  #count(outgoing: Outgoing, by: 1 | -1): void {
    if (by === 1) keep(outgoing.encoded, this)
    const bytes = by * heldBytes(outgoing.encoded)
    if (outgoing.kind === 'reply') {
      this.#replyBytes += bytes
      return
    }
    this.#callBytes += bytes
    this.#calls += by
  }
}

function idOf(outgoing: Outgoing): number {
  return outgoing.kind === 'reply' ? Number.MAX_SAFE_INTEGER : outgoing.id
}
