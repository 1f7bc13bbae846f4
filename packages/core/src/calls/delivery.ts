import { refusesKey } from '../features/keys/keyed-calls.js'
import type { Session } from '../features/sessions/session.js'
import type { Connection } from '../link/connection.js'
import type { Unsendable } from '../link/connection-events.js'
import type { ChannelLimits } from '../link/limits.js'
import { type StallHost, StallWatch } from '../link/stall-watch.js'
import { CloseCode } from '../transport/close-codes.js'
import { type Encoded, heldBytes } from '../wire/encoded.js'
import { Outbox, type Outgoing, type Turn } from './outbox.js'
import type { PendingCall } from './pending-call.js'

export interface DeliveryEvents {
  /** A message as it goes out now, to this other side. */
  stamped(outgoing: Outgoing, connection: Connection): Encoded
  /** A call or a notification was handed to the wire. */
  written(outgoing: Outgoing, connection: Connection): void
  /** It can't be sent to this other side, and will not be. */
  refused(outgoing: Outgoing, why: Unsendable, connection: Connection): void
  /** More is held for the other side than may be, and it is not there to take it. */
  overflow(): void
  /** The other side has taken something: less waits for it. */
  relieved(): void
  /** Something waits for the other side, which has taken nothing for `ms` ms. */
  stalled(ms: number): void
}

/** How often, in ms, a socket that sends no event when it was read is looked at. */
const LOOK_MS = 5
/** How many bytes a slow link carries in a millisecond. */
const SLOWEST = 16

/**
 * The way out: takes messages, keeps their order, and writes each when there is a connection that
 * takes it and, in a session, room for one more that is not acknowledged.
 */
export class Delivery implements StallHost {
  /** What waits, once something has. */
  #outboxThere: Outbox | undefined
  readonly #limits: ChannelLimits
  /** Whether calls wait for the next session, and are bounded as such. */
  readonly #outlivesSessions: boolean
  readonly #events: DeliveryEvents
  #connection: Connection | undefined
  #session: Session | undefined
  #holdsCalls = false
  /** What waits for room. */
  #waiting: (() => void)[] | undefined
  /** Looks again whether there is some, where nobody says when. */
  #look: ReturnType<typeof setTimeout> | undefined
  /** Whether the first message that waits does so until the other side has taken more. */
  #isBlocked = false
  #stallWatch: StallWatch | undefined
  /** See {@link StallHost}. */
  moves = 0
  /**
   * Without a connection: whether more waits than the limits allow, because it already waited when the connection was
   * lost.
   */
  #keepsMore = false
  /** How many bytes of answers are ready and wait for others of their batch. */
  #collectedBytes = 0

  constructor(limits: ChannelLimits, outlivesSessions: boolean, events: DeliveryEvents) {
    this.#limits = limits
    this.#outlivesSessions = outlivesSessions
    this.#events = events
  }

  get #outbox(): Outbox {
    this.#outboxThere ??= new Outbox(this.#limits)
    return this.#outboxThere
  }

  get #isEmpty(): boolean {
    return this.#outboxThere?.isEmpty ?? true
  }

  /** Calls and notifications that wait. */
  get queued(): number {
    return this.#outboxThere?.calls ?? 0
  }

  /** Whether anything waits, and not calls only. */
  get isHolding(): boolean {
    return !this.#isEmpty
  }

  get session(): Session | undefined {
    return this.#session
  }

  /** Bytes that are held for the other side. */
  get heldBytes(): number {
    return (this.#outboxThere?.held.bytes ?? 0) + (this.#session?.held.bytes ?? 0)
  }

  /**
   * Sends a message, or lets it wait.
   *
   * @throws {RpcOverloadedError} where it is a call, and no more may wait.
   */
  send(outgoing: Outgoing): void {
    const isNext = this.#isEmpty
    if (isNext && this.#offer(outgoing) === 'taken') return
    const isDetached = !this.#connection
    const isQueue = this.#outlivesSessions || !this.#session
    this.#outbox.add(outgoing, !isDetached || !isQueue)
    if (isDetached) this.#checkBounds()
    // What is ahead of it may wait for what it need not wait for.
    else this.flush()
  }

  /**
   * Writes what nobody waits for, where that can be at once.
   *
   * @returns false where it is to be sent in another way.
   */
  writeNow(encoded: Encoded): boolean {
    const connection = this.#connection
    if (!connection || !this.#isEmpty || connection.isFull || connection.refuses(encoded)) {
      return false
    }
    const session = this.#session
    if (!session) return connection.write(encoded)
    if (!session.hasRoomFor(encoded)) return false
    session.keep({ kind: 'reply', encoded })
    connection.write(encoded)
    return true
  }

  /** Sends an answer, unless its session has ended or, without a session, its connection is not the present one. */
  reply(encoded: Encoded, connection: Connection): void {
    const { session } = connection
    if (session) {
      if (session === this.#session) this.send({ kind: 'reply', encoded })
      return
    }
    if (connection !== this.#connection || this.#session) return
    if (this.#isEmpty && !connection.isFull) connection.write(encoded)
    else this.send({ kind: 'reply', encoded })
  }

  /** Sends another word of the other side's session or, without one, of its connection. */
  say(encoded: Encoded): void {
    // Without a session, what it is about has ended with the connection.
    if (!this.#session && !this.#connection) return
    this.send({ kind: 'reply', encoded })
  }

  /**
   * Whether there is room for what can wait: half of the window is left to calls, and a socket that is
   * not read is not filled.
   *
   * @returns resolves when there may be; `undefined` where there is now.
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
    const isFree = this.#connection !== undefined && !this.#outboxThere?.hasReplies
    return isFree && !this.#isCongested && (this.#session?.isRoomy ?? true)
  }

  get #isCongested(): boolean {
    return this.#connection?.isCongested ?? false
  }

  #tellRoom(): void {
    const waiting = this.#waiting
    if (!waiting) return
    if (!this.#isRoomy) return this.#watch()
    this.#waiting = undefined
    for (const resolve of waiting) resolve()
  }

  /**
   * Begins to watch, as something waits for the other side. Sockets that send no event when they were read are polled.
   */
  #watch(): void {
    const connection = this.#connection
    if (!connection || !this.isStuck) return
    this.#stallWatch ??= new StallWatch(this)
    this.#stallWatch.begin()
    if (!connection.isCongested || this.#look !== undefined || connection.watchDrain()) return
    this.#look = setTimeout(() => {
      this.#look = undefined
      this.relieve()
    }, LOOK_MS)
  }

  // ── A side that takes nothing ─────────────────────────────────────────────────────────────────

  get isStuck(): boolean {
    const isBlocked = this.#isBlocked && !this.#isEmpty
    return this.#connection !== undefined && (isBlocked || this.#waiting !== undefined)
  }

  get unsentBytes(): number {
    return this.#connection?.unsentBytes ?? 0
  }

  stalled(ms: number): void {
    // A message that blocked the others may have been taken back meanwhile.
    this.relieve()
    if (!this.isStuck) return
    const { stalledMs } = this.#limits
    const isUnread = this.#connection?.isCongested ?? false
    // After data has left the socket, nothing is known of it until the whole message has arrived and is acknowledged.
    const underWay = isUnread ? 0 : (this.#session?.oldestBytes ?? 0)
    this.#events.stalled(ms)
    if (ms <= stalledMs + underWay / SLOWEST) return
    const what = isUnread ? 'read what was sent' : 'acknowledged what it was sent'
    const reason = `Too much waits: the other side has not ${what} for ${Math.round(ms / 1_000)} s`
    this.#connection?.end(CloseCode.tryAgainLater, reason)
  }

  /** Whether so much waits for the other side that no more of its calls should be begun. */
  get isBehind(): boolean {
    const outbox = this.#outboxThere
    if (!outbox?.hasReplies && this.#collectedBytes === 0) return false
    const { answerBytes, unackedMessages } = this.#limits
    return this.#answerBytes > answerBytes / 4 || (outbox?.replies.messages ?? 0) > unackedMessages
  }

  get #answerBytes(): number {
    return this.#collectedBytes + (this.#outboxThere?.replyBytes ?? 0)
  }

  /** Adds to the count of bytes of answers that wait for others of their batch; a negative number takes away. */
  collect(bytes: number): void {
    this.#collectedBytes += bytes
  }

  /** Whether an answer that can't be sent at once may wait. */
  hasRoomFor(answer: Encoded): boolean {
    const waiting = this.#answerBytes
    return waiting === 0 || waiting + heldBytes(answer) <= this.#limits.answerBytes
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

  /** The same, for the connection that comes next. */
  restore(outgoing: readonly Outgoing[]): void {
    if (outgoing.length > 0) this.#outbox.restore(outgoing)
  }

  /** Calls wait from now on; the rest goes on. */
  holdCalls(): void {
    this.#holdsCalls = true
  }

  /** From now on messages belong to this session. */
  begin(session: Session): void {
    this.#session = session
  }

  /** Drops what belongs to the session; calls that were not written go on to the next. */
  end(): void {
    this.#session?.end()
    this.#session = undefined
    this.#outboxThere?.dropReplies()
  }

  /** A connection is ready: what the other side may not have is written again, ahead of all else. */
  attach(connection: Connection): void {
    this.#connection = connection
    this.#keepsMore = false
    this.#holdsCalls = false
    for (const outgoing of this.#session?.kept ?? []) {
      connection.write(this.#events.stamped(outgoing, connection))
    }
  }

  detach(): void {
    this.#connection = undefined
    this.#stallWatch?.stop()
    // What already waited for the other side is kept, even if it is too much.
    this.#keepsMore = this.#isOverBounds
  }

  /** The other side has dispatched all up to this number. @returns whether that can be. */
  acknowledged(recv: unknown): boolean {
    if (!this.#session?.isPossible(recv)) return false
    if (recv > this.#session.acknowledged) this.moves++
    this.#session.trim(recv)
    return true
  }

  flush(): void {
    const outbox = this.#outboxThere
    if (outbox && !outbox.isEmpty) {
      const before = outbox.size
      this.#isBlocked = outbox.flush((outgoing) => this.#offer(outgoing))
      if (outbox.size < before) this.moves++
    } else this.#isBlocked = false
    if (this.#waiting) this.#tellRoom()
    if (this.#isBlocked) this.#watch()
  }

  #offer(outgoing: Outgoing): Turn {
    const connection = this.#connection
    if (!connection || connection.isFull) return 'none-yet'
    const session = this.#session
    if (session && !session.hasRoomFor(outgoing.encoded)) return 'none-yet'
    if (this.#holdsCalls && outgoing.kind !== 'reply') return 'not-yet'
    const encoded = this.#events.stamped(outgoing, connection)
    const unsendable =
      connection.refuses(encoded) ??
      refusesKey(outgoing, connection.keys) ??
      (outgoing.call?.hasStreams && !connection.isExtended ? 'no-streams' : undefined)
    if (unsendable) {
      this.#events.refused(outgoing, unsendable, connection)
      return 'taken'
    }
    if (session) {
      session.keep(outgoing)
      // Whether it left or not: it is written again until the other side has it.
      connection.write(encoded)
    } else if (!connection.write(encoded) && outgoing.kind !== 'reply') return 'none-yet'
    if (outgoing.kind !== 'reply') this.#events.written(outgoing, connection)
    return 'taken'
  }

  #checkBounds(): void {
    // What waited before the connection was lost does not end the session. Until it has gone, each new call and
    // notification is refused instead.
    if (!this.#keepsMore && this.#isOverBounds) this.#events.overflow()
  }

  /** Whether more is held for the absent other side of a session than the limits allow. */
  get #isOverBounds(): boolean {
    const session = this.#session
    if (!session) return false
    const { unackedMessages, unackedBytes, message } = this.#limits
    const waiting = this.#outlivesSessions ? this.#outbox.replies : this.#outbox.held
    // One message may have found room as long as it was small, and waits: an item of a stream.
    return (
      session.held.messages + waiting.messages > unackedMessages ||
      session.held.bytes + waiting.bytes > unackedBytes + message
    )
  }
}
