import type { RpcError } from '../errors/errors.js'
import type { ChannelLimits } from '../link/limits.js'
import type { MessageLink } from '../link/message-link.js'
import { type Unsendable, whyUnsendable } from '../link/peer-facts.js'
import { type StallHost, StallWatch } from '../link/stall-watch.js'
import { CloseCode } from '../transport/close-codes.js'
import { type Encoded, heldBytes } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import { Outbox, type Outgoing, type Turn } from './outbox.js'
import type { PendingCall } from './pending-call.js'

/** What is told of the messages on their way out. */
export interface DeliveryEvents {
  /** A call or a notification was handed to the link. */
  written(outgoing: Outgoing, link: MessageLink): void
  /** A message can't be sent to this other side, and will not be. */
  refused(outgoing: Outgoing, why: Unsendable | RpcError, link: MessageLink): void
  /** More is held for the other side than may be, and it is not there to take it. */
  overflow(): void
  /** The other side has taken something: less waits for it. */
  relieved(): void
  /** Something waits for the other side, which has taken nothing for `ms` ms. */
  stalled(ms: number): void
}

export interface DeliveryOptions {
  readonly limits: ChannelLimits
  readonly format: Format
  /** Whether calls wait for the next link, and are bounded as such. */
  readonly isLasting: boolean
}

/** How often, in ms, a link that does not tell when there is room is looked at. */
const LOOK_MS = 5
/** How many bytes a slow link carries in a millisecond. */
const SLOWEST = 16

/** The way out: it takes messages, keeps their order, and sends each when the link takes it. */
export class Delivery implements StallHost {
  /** The messages that wait; made for the first one. */
  #outboxThere: Outbox | undefined
  readonly #options: DeliveryOptions
  readonly #events: DeliveryEvents
  #link: MessageLink | undefined
  #holdsCalls = false
  /** Those who wait for room. */
  #waiting: (() => void)[] | undefined
  /** Looks again whether there is room, if nobody tells. */
  #look: ReturnType<typeof setTimeout> | undefined
  /** Whether the first message that waits does so until the other side has taken more. */
  #isBlocked = false
  #stallWatch: StallWatch | undefined
  #sent = 0
  /**
   * While the link is not ready: whether more waits than the limits allow, because it already waited when the
   * connection was lost.
   */
  #keepsMore = false
  /** How many bytes of answers are ready and wait for others of their batch. */
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

  /** Bytes that are held for the other side. */
  get heldBytes(): number {
    return (this.#outboxThere?.held.bytes ?? 0) + (this.#link?.held.bytes ?? 0)
  }

  /**
   * Sends a message, or lets it wait.
   *
   * @throws {RpcOverloadedError} if it is a call, and no more may wait.
   */
  send(outgoing: Outgoing): void {
    if (this.#isEmpty && this.#offer(outgoing) === 'taken') return
    const isAttached = this.#isAttached
    this.#outbox.add(outgoing, isAttached || (!this.#options.isLasting && this.#link !== undefined))
    if (!isAttached) this.#checkBounds()
    // What is ahead of it may wait for what it need not wait for.
    else this.flush()
  }

  /**
   * Sends what nobody waits for, if that can be at once.
   *
   * @returns false if it is to be sent in another way.
   */
  writeNow(encoded: Encoded): boolean {
    const link = this.#link
    if (!(link?.isReady && this.#isEmpty && link.hasRoomFor(encoded))) return false
    if (whyUnsendable(this.#options.format, encoded, link.peer)) return false
    return link.send(encoded)
  }

  /** Sends an answer over the link that its call came over. It is dropped if that is not the link any more. */
  reply(encoded: Encoded, link: MessageLink): void {
    if (link !== this.#link) return
    // What may be sent was looked at when the answer was made.
    if (this.#isEmpty && link.isReady && link.hasRoomFor(encoded)) link.send(encoded)
    else this.send({ kind: 'reply', encoded })
  }

  /** Lets an answer wait for a link that is not ready yet. */
  hold(encoded: Encoded): void {
    this.#outbox.add({ kind: 'reply', encoded }, true)
  }

  /** Sends another control message of the other side's session or, without one, of its connection. */
  say(encoded: Encoded): void {
    // Without a link, what it is about has ended.
    if (this.#link) this.send({ kind: 'reply', encoded })
  }

  /**
   * Whether there is room for what can wait: half of the room is left to calls, and a socket that is not read is not
   * filled.
   *
   * @returns resolves when there may be room; `undefined` if there is now.
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

  /** Begins to watch, as something waits for the other side. Links that do not tell when there is room are polled. */
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

  // ── A side that takes nothing ─────────────────────────────────────────────────────────────────

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
    // A message that blocked the others may have been taken back meanwhile.
    this.relieve()
    if (!this.isStuck) return
    const link = this.#link as MessageLink
    const { stalledMs } = this.#options.limits
    const isUnread = link.isCongested
    // After data has left the socket, nothing is known of it until the whole message has arrived and is acknowledged.
    const underWay = isUnread ? 0 : link.underWayBytes
    this.#events.stalled(ms)
    if (ms <= stalledMs + underWay / SLOWEST) return
    const what = isUnread ? 'read what was sent' : 'acknowledged what it was sent'
    const reason = `Too much waits: the other side has not ${what} for ${Math.round(ms / 1_000)} s`
    link.cut(CloseCode.tryAgainLater, reason)
  }

  /** Whether so much waits for the other side that no more of its calls should be begun. */
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

  /** Adds to the count of bytes of answers that wait for others of their batch; a negative number takes away. */
  collect(bytes: number): void {
    this.#collectedBytes += bytes
  }

  /** Whether an answer that can't be sent at once may wait. */
  hasRoomFor(answer: Encoded): boolean {
    const waiting = this.answerBytes
    return waiting === 0 || waiting + heldBytes(answer) <= this.#options.limits.answerBytes
  }

  /** The other side has taken something, or may have. */
  relieve(): void {
    this.flush()
    this.#events.relieved()
  }

  /** Takes back what was not written. */
  remove(call: PendingCall): void {
    this.#outboxThere?.remove(call)
  }

  /** Puts calls ahead of all that waits. */
  sendAgain(outgoing: readonly Outgoing[]): void {
    this.restore(outgoing)
    this.flush()
  }

  /** The same, for the link that comes next. */
  restore(outgoing: readonly Outgoing[]): void {
    if (outgoing.length > 0) this.#outbox.restore(outgoing)
  }

  /** Calls wait from now on; the rest goes on. */
  holdCalls(): void {
    this.#holdsCalls = true
  }

  /** From now on messages go over this link. */
  use(link: MessageLink): void {
    this.#link = link
    this.#keepsMore = false
    this.#holdsCalls = false
  }

  /** The link has lost its connection, and waits for another. */
  pause(): void {
    this.#stallWatch?.stop()
    // What already waited for the other side is kept, even if it is too much.
    this.#keepsMore = this.#isOverBounds
  }

  /** The link is over. What belongs to it is dropped; calls that were not written go on to the next. */
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
    // What waited before the connection was lost does not end the session. Until it has gone, each new call and
    // notification is refused instead.
    if (!this.#keepsMore && this.#isOverBounds) this.#events.overflow()
  }

  /** Whether more is held for the absent other side than the limits allow. */
  get #isOverBounds(): boolean {
    const link = this.#link
    if (!link) return false
    const { unackedMessages, unackedBytes, message } = this.#options.limits
    const waiting = this.#options.isLasting ? this.#outbox.replies : this.#outbox.held
    const { held } = link
    // One message may have found room as long as it was small, and waits: an item of a stream.
    return (
      held.messages + waiting.messages > unackedMessages ||
      held.bytes + waiting.bytes > unackedBytes + message
    )
  }
}
