import type { RpcError } from '../errors/errors.js'
import type { ChannelLimits } from '../link/limits.js'
import type { MessageLink } from '../link/message-link.js'
import { type Unsendable, whyUnsendable } from '../link/peer-facts.js'
import { type StallHost, StallWatch } from '../link/stall-watch.js'
import { CloseCode } from '../transport/close-codes.js'
import { type Encoded, heldBytes } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import { type EncodedCall, Outbox, type Outgoing, type Turn } from './outbox.js'
import type { PendingCall } from './pending-call.js'

/** The events of the messages on their way out. */
export interface DeliveryEvents {
  /** A call or a notification was handed to the link. */
  written(call: EncodedCall, link: MessageLink): void
  /** A message can't be sent to this other side, and is dropped. */
  refused(outgoing: Outgoing, why: Unsendable | RpcError, link: MessageLink): void
  /** More is held for the other side than the limits allow, and it is not connected. */
  overflow(): void
  /** The other side has taken something, so less waits for it. */
  relieved(): void
  /** Messages wait for the other side, which has taken nothing for `ms` ms. */
  stalled(ms: number): void
}

export interface DeliveryOptions {
  readonly limits: ChannelLimits
  readonly format: Format
  /** Whether calls wait for the next link, and have limits for this. */
  readonly isLasting: boolean
}

/** How often a link is polled for room, in ms, if it does not report room itself. */
const LOOK_MS = 5
/** How many bytes a slow link carries in a millisecond. */
const SLOWEST = 16

/** The way out: takes messages, keeps their order, and sends each when the link accepts it. */
export class Delivery implements StallHost {
  /** The messages that wait; made for the first one. */
  #outboxThere: Outbox | undefined
  readonly #options: DeliveryOptions
  readonly #events: DeliveryEvents
  #link: MessageLink | undefined
  #holdsCalls = false
  /** The callbacks that wait for room. */
  #waiting: (() => void)[] | undefined
  /** Polls for room if the link does not report it. */
  #look: ReturnType<typeof setTimeout> | undefined
  /** Whether the first message in the queue waits until the other side has taken more. */
  #isBlocked = false
  #stallWatch: StallWatch | undefined
  #sent = 0
  /**
   * While the link is not ready: whether the queue may exceed the limits, because it did so when the connection was
   * lost.
   */
  #keepsMore = false
  /** How many bytes of answers are ready and wait for the other answers of their batch. */
  #collectedBytes = 0

  constructor(options: DeliveryOptions, events: DeliveryEvents) {
    this.#options = options
    this.#events = events
  }

  get #outbox(): Outbox {
    this.#outboxThere ??= new Outbox(this.#options.limits)
    return this.#outboxThere
  }

  get #isEmpty(): boolean {
    return this.#outboxThere?.isEmpty ?? true
  }

  get #isAttached(): boolean {
    return this.#link?.isReady ?? false
  }

  /** Calls and notifications that wait. */
  get queued(): number {
    return this.#outboxThere?.calls ?? 0
  }

  /** Whether anything waits. */
  get isHolding(): boolean {
    return !this.#isEmpty
  }

  /** The number of bytes that are held for the other side. */
  get heldBytes(): number {
    return (this.#outboxThere?.held.bytes ?? 0) + (this.#link?.held.bytes ?? 0)
  }

  /**
   * Sends a message, or queues it.
   *
   * @throws {RpcOverloadedError} if it is a call, and no more calls may be queued.
   */
  send(outgoing: Outgoing): void {
    if (this.#isEmpty && this.#offer(outgoing) === 'taken') return
    const isAttached = this.#isAttached
    this.#outbox.add(outgoing, isAttached || (!this.#options.isLasting && this.#link !== undefined))
    if (!isAttached) this.#checkBounds()
    // The messages ahead of it may wait for something that this one need not wait for.
    else this.flush()
  }

  /**
   * Sends a message that no call belongs to, if it can be sent at once.
   *
   * @returns false if it must be sent in another way.
   */
  writeNow(encoded: Encoded): boolean {
    const link = this.#link
    if (!(link?.isReady && this.#isEmpty && link.hasRoomFor(encoded))) return false
    if (whyUnsendable(this.#options.format, encoded, link.peer)) return false
    return link.send(encoded)
  }

  /**
   * Sends an answer over the link on which its call arrived. If that is no longer the current link, the answer is
   * dropped.
   */
  reply(encoded: Encoded, link: MessageLink): void {
    if (link !== this.#link) return
    // Whether the answer may be sent was checked when it was made.
    if (this.#isEmpty && link.isReady && link.hasRoomFor(encoded)) link.send(encoded)
    else this.send({ kind: 'reply', encoded })
  }

  /** Queues an answer for a link that is not ready yet. */
  hold(encoded: Encoded): void {
    this.#outbox.add({ kind: 'reply', encoded }, true)
  }

  /** Sends another control message in the other side's session or, without one, on its connection. */
  say(encoded: Encoded): void {
    // Without a link, the call that it is about has ended.
    if (this.#link) this.send({ kind: 'reply', encoded })
  }

  /**
   * Whether there is room for a message that can wait: half of the room is left to calls, and a socket that is not read
   * is not filled.
   *
   * @returns a promise that resolves when there may be room; `undefined` if there is room now.
   */
  whenRoomy(): Promise<void> | undefined {
    if (this.#isRoomy) return undefined
    return new Promise((resolve) => {
      this.#waiting ??= []
      this.#waiting.push(resolve)
      this.#watch()
    })
  }

  get #isRoomy(): boolean {
    const link = this.#link
    if (!link?.isReady || this.#outboxThere?.hasReplies) return false
    return link.isRoomy
  }

  #tellRoom(): void {
    const waiting = this.#waiting
    if (!waiting) return
    if (!this.#isRoomy) return this.#watch()
    this.#waiting = undefined
    for (const resolve of waiting) resolve()
  }

  /** Begins to watch the link, because messages wait for the other side. Links that do not report room are polled. */
  #watch(): void {
    const link = this.#link
    if (!link || !this.isStuck) return
    this.#stallWatch ??= new StallWatch(this)
    this.#stallWatch.begin()
    if (!link.isCongested || this.#look !== undefined || link.watchDrain()) return
    this.#look = setTimeout(() => {
      this.#look = undefined
      this.relieve()
    }, LOOK_MS)
  }

  // ── If the other side takes nothing ───────────────────────────────────────────────────────────

  get isStuck(): boolean {
    const isBlocked = this.#isBlocked && !this.#isEmpty
    return this.#isAttached && (isBlocked || this.#waiting !== undefined)
  }

  get moves(): number {
    return this.#sent + (this.#link?.moves ?? 0)
  }

  get unsentBytes(): number {
    return this.#link?.unsentBytes ?? 0
  }

  stalled(ms: number): void {
    // A message that blocked the others may have been removed meanwhile.
    this.relieve()
    if (!this.isStuck) return
    const link = this.#link as MessageLink
    const { stalledMs } = this.#options.limits
    const isUnread = link.isCongested
    // After data has left the socket, its progress is unknown until the whole message has arrived and is acknowledged.
    const underWay = isUnread ? 0 : link.underWayBytes
    this.#events.stalled(ms)
    if (ms <= stalledMs + underWay / SLOWEST) return
    const what = isUnread ? 'read what was sent' : 'acknowledged what it was sent'
    const reason = `Too much waits: the other side has not ${what} for ${Math.round(ms / 1_000)} s`
    link.cut(CloseCode.tryAgainLater, reason)
  }

  /** Whether so many answers wait for the other side that no more of its calls should be started. */
  get isBehind(): boolean {
    const outbox = this.#outboxThere
    if (!outbox?.hasReplies && this.#collectedBytes === 0) return false
    const { answerBytes, unackedMessages } = this.#options.limits
    return this.answerBytes > answerBytes / 4 || (outbox?.replies.messages ?? 0) > unackedMessages
  }

  /** How many bytes of answers wait. */
  get answerBytes(): number {
    return this.#collectedBytes + (this.#outboxThere?.replyBytes ?? 0)
  }

  /** Adds to the number of bytes of answers that wait for the others of their batch; a negative number subtracts. */
  collect(bytes: number): void {
    this.#collectedBytes += bytes
  }

  /** Whether an answer that can't be sent at once may be queued. */
  hasRoomFor(answer: Encoded): boolean {
    const waiting = this.answerBytes
    return waiting === 0 || waiting + heldBytes(answer) <= this.#options.limits.answerBytes
  }

  /** The other side has taken something, or may have. */
  relieve(): void {
    this.flush()
    this.#events.relieved()
  }

  /** Removes a call that was not written. */
  remove(call: PendingCall): void {
    this.#outboxThere?.remove(call)
  }

  /** Puts calls back in the queue, in their order, and sends what can be sent. */
  sendAgain(outgoing: readonly Outgoing[]): void {
    this.restore(outgoing)
    this.flush()
  }

  /** Puts calls back in the queue, for the next link. */
  restore(outgoing: readonly Outgoing[]): void {
    if (outgoing.length > 0) this.#outbox.restore(outgoing)
  }

  /** From now on calls wait; other messages are still sent. */
  holdCalls(): void {
    this.#holdsCalls = true
  }

  /** From now on messages go over this link. */
  use(link: MessageLink): void {
    this.#link = link
    this.#keepsMore = false
    this.#holdsCalls = false
  }

  /** The link has lost its connection, and waits for the next one. */
  pause(): void {
    this.#stallWatch?.stop()
    // Messages that already waited for the other side are kept, even if they exceed the limits.
    this.#keepsMore = this.#isOverBounds
  }

  /**
   * The link has ended. Its answers and control messages are dropped; calls that were not written wait for the next
   * link.
   */
  end(): void {
    this.#stallWatch?.stop()
    this.#link = undefined
    this.#outboxThere?.dropReplies()
  }

  flush(): void {
    const outbox = this.#outboxThere
    if (outbox && !outbox.isEmpty) {
      const before = outbox.size
      this.#isBlocked = outbox.flush((outgoing) => this.#offer(outgoing))
      if (outbox.size < before) this.#sent++
    } else this.#isBlocked = false
    if (this.#waiting) this.#tellRoom()
    if (this.#isBlocked) this.#watch()
  }

  #offer(outgoing: Outgoing): Turn {
    const link = this.#link
    if (!link?.isReady || !link.hasRoomFor(outgoing.encoded)) return 'none-yet'
    if (this.#holdsCalls && outgoing.kind !== 'reply') return 'not-yet'
    const { peer } = link
    const { renew } = outgoing
    const encoded = renew ? renew(outgoing.encoded, peer.isExtended) : outgoing.encoded
    const unsendable = whyUnsendable(this.#options.format, encoded, peer) ?? outgoing.whyNot?.(peer)
    if (unsendable) {
      this.#events.refused(outgoing, unsendable, link)
      return 'taken'
    }
    if (!link.send(encoded, outgoing) && outgoing.kind !== 'reply') return 'none-yet'
    if (outgoing.kind !== 'reply') this.#events.written(outgoing, link)
    return 'taken'
  }

  #checkBounds(): void {
    // Messages that waited before the connection was lost do not end the session. Until they are sent, each new call
    // and notification is refused instead.
    if (!this.#keepsMore && this.#isOverBounds) this.#events.overflow()
  }

  /** Whether more is held for the absent other side than the limits allow. */
  get #isOverBounds(): boolean {
    const link = this.#link
    if (!link) return false
    const { unackedMessages, unackedBytes, message } = this.#options.limits
    const waiting = this.#options.isLasting ? this.#outbox.replies : this.#outbox.held
    const { held } = link
    // One more message is allowed: it found room while it was small, and then had to wait (an item of a stream).
    return (
      held.messages + waiting.messages > unackedMessages ||
      held.bytes + waiting.bytes > unackedBytes + message
    )
  }
}
