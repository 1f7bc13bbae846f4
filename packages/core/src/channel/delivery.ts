import type { Encoded } from '../wire/encoded.js'
import type { Connection } from './connection.js'
import type { Unsendable } from './connection-events.js'
import { refusesKey } from './keyed-calls.js'
import type { ChannelLimits } from './limits.js'
import { Outbox, type Outgoing, type Turn } from './outbox.js'
import type { PendingCall } from './pending-call.js'
import type { Session } from './session.js'

export interface DeliveryEvents {
  /** A message as it goes out now, to this other side. */
  stamped(outgoing: Outgoing, connection: Connection): Encoded
  /** A call or a notification was handed to the wire. */
  written(outgoing: Outgoing, connection: Connection): void
  /** It can't be sent to this other side, and will not be. */
  refused(outgoing: Outgoing, why: Unsendable, connection: Connection): void
  /** More is held for the other side than may be, and it is not there to take it. */
  overflow(): void
}

/** How often it is looked at whether a socket was read, in ms. */
const LOOK_MS = 5

/**
 * The way out: takes messages, keeps their order, and writes each when there is a connection that
 * takes it and, in a session, room for one more that is not acknowledged.
 */
export class Delivery {
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
    this.#outbox.add(outgoing, isDetached && isQueue)
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
    if (!connection || !this.#isEmpty || connection.refuses(encoded)) return false
    const session = this.#session
    if (!session) return connection.write(encoded)
    if (!session.hasRoomFor(encoded)) return false
    session.keep({ kind: 'reply', encoded })
    connection.write(encoded)
    return true
  }

  /** Sends an answer, or another word of a session, unless that has ended since. */
  reply(encoded: Encoded, session: Session): void {
    if (session === this.#session) this.send({ kind: 'reply', encoded })
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
    const isFree = this.#connection !== undefined && !this.#outboxThere?.replies.messages
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

  /** A socket does not say when it has been read: it has to be asked. */
  #watch(): void {
    if (!this.#isCongested || this.#look !== undefined) return
    this.#look = setTimeout(() => {
      this.#look = undefined
      this.#tellRoom()
    }, LOOK_MS)
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
    this.#holdsCalls = false
    for (const outgoing of this.#session?.kept ?? []) {
      connection.write(this.#events.stamped(outgoing, connection))
    }
  }

  detach(): void {
    this.#connection = undefined
    this.#checkBounds()
  }

  /** The other side has dispatched all up to this number. @returns whether that can be. */
  acknowledged(recv: unknown): boolean {
    if (!this.#session?.isPossible(recv)) return false
    this.#session.trim(recv)
    return true
  }

  flush(): void {
    this.#outboxThere?.flush((outgoing) => this.#offer(outgoing))
    this.#tellRoom()
  }

  #offer(outgoing: Outgoing): Turn {
    const connection = this.#connection
    if (!connection) return 'none-yet'
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
    const session = this.#session
    if (!session || this.#connection) return
    const { unackedMessages, unackedBytes, message } = this.#limits
    const waiting = this.#outlivesSessions ? this.#outbox.replies : this.#outbox.held
    // One message may have found room as long as it was small, and waits: an item of a stream.
    const isOver =
      session.held.messages + waiting.messages > unackedMessages ||
      session.held.bytes + waiting.bytes > unackedBytes + message
    if (isOver) this.#events.overflow()
  }
}
