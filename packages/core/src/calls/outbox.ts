import { EMPTY_SET, ownSet } from '../base/empty.js'
import { RpcOverloadedError } from '../errors/errors.js'
import type { ChannelLimits } from '../link/limits.js'
import type { Held, OutgoingMessage } from '../link/message-link.js'
import { type Encoded, heldBytes, keep, letGo } from '../wire/encoded.js'
import type { PendingCall } from './pending-call.js'

/** A message on its way out. */
export type Outgoing = EncodedCall | Reply

/** An answer, or a control message about a call that is known already. */
interface Reply extends OutgoingMessage {
  readonly kind: 'reply'
  readonly call?: undefined
  readonly whyNot?: undefined
}

/** A call goes on to wait for its answer; a notification has ended once it is written. */
export type EncodedCall = PendingCall & { encoded: Encoded; readonly call: PendingCall }

/** What becomes of a waiting message when its turn has come. */
export type Turn = 'taken' | 'not-yet' | 'none-yet'

/**
 * What has been said and not yet written, in order. Each call can still be taken back, which proves
 * that it was never sent.
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

  /** How many bytes wait that are no calls or notifications of this side. */
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

  /** Everything that waits, and its bytes. */
  get held(): Held {
    return { messages: this.#waiting.size, bytes: this.#callBytes + this.#replyBytes }
  }

  /** What waits that is no call of ours, and its bytes. */
  get replies(): Held {
    return { messages: this.#waiting.size - this.#calls, bytes: this.#replyBytes }
  }

  /**
   * Lets a message wait behind the others.
   *
   * @param hasConnection whether it waits for the other side to take what was sent before, or for a connection.
   * @throws {RpcOverloadedError} where no more calls may wait; this one does not.
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

  /** Puts calls back among those that wait, each in the place that it had; no limit keeps them out. */
  restore(calls: readonly Outgoing[]): void {
    if (calls.length === 0) return
    for (const call of calls) this.#count(call, 1)
    // Ids are given in the order of the calls. An answer follows from none of those that wait.
    const all = [...calls, ...this.#waiting]
    this.#waiting = new Set(all.sort((one, other) => idOf(one) - idOf(other)))
  }

  /** Takes a call's message back. */
  remove(call: PendingCall): void {
    this.#take(call as EncodedCall)
  }

  /** Drops what is no call of ours. */
  dropReplies(): void {
    for (const outgoing of this.#waiting) if (outgoing.kind === 'reply') this.#take(outgoing)
  }

  /**
   * Hands messages over in order, until none may go yet. @returns whether a message is left that no other may
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

function idOf({ call }: Outgoing): number {
  return call?.id ?? Number.MAX_SAFE_INTEGER
}
