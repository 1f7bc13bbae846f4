import { CloseCode } from '../transport/close-codes.js'
import type { ChannelLimits } from './limits.js'
import type { MessageLink } from './message-link.js'
import { type GateHost, RequestGate } from './request-gate.js'
import { type StallHost, StallWatch } from './stall-watch.js'

/** The messages on their way out that the link has not accepted yet, by their weight. */
export interface FlowQueue {
  /** How many messages wait, and their bytes. */
  readonly size: number
  readonly bytes: number
  /** How many of them are answers and control messages, and the bytes of these. */
  readonly replies: number
  readonly replyBytes: number
  /** Whether the first message, and so all of them, waits until the other side has taken more. */
  readonly isBlocked: boolean
}

/** The channel whose messages are controlled. */
export interface FlowHost {
  /** The link that carries messages now. */
  readonly link: MessageLink | undefined
  /** Offers the messages of the queue to the link. */
  flush(): void
  /** More is held for the other side than the limits allow, and it is not connected. */
  overflow(): void
  /** The other side has taken something, so less waits for it. */
  change(): void
}

export interface FlowOptions {
  readonly limits: ChannelLimits
  /** Whether the calls in the queue wait for the next link. Then they have limits of their own. */
  readonly outlivesLinks: boolean
}

/** How often a link is polled for room, in ms, if it does not report room itself. */
const POLL_MS = 5
/** How many bytes a slow link carries in a millisecond. */
const SLOWEST = 16

/**
 * The backpressure of a channel. What the link does not accept waits in a queue until there is room. A connection is
 * ended if its other side takes nothing, and a session if too much waits for an absent other side. `gate` controls the
 * requests of the other side, by what waits for it.
 */
export class FlowControl<Queue extends FlowQueue = FlowQueue> implements StallHost, GateHost {
  readonly queue: Queue
  readonly gate: RequestGate
  readonly #options: FlowOptions
  readonly #host: FlowHost
  /** The callbacks that wait for room. */
  #waiting: (() => void)[] | undefined
  /** Polls for room if the link does not report it. */
  #pollTimer: ReturnType<typeof setTimeout> | undefined
  #stallWatch: StallWatch | undefined
  #sent = 0
  /**
   * While the link is not ready: whether the queue may exceed the limits, because it did so when the connection was
   * lost.
   */
  #keepsMore = false

  /** @param queue what waits to be sent. */
  constructor(queue: Queue, options: FlowOptions, host: FlowHost) {
    this.queue = queue
    this.#options = options
    this.#host = host
    this.gate = new RequestGate(options.limits, this)
  }

  get link(): MessageLink | undefined {
    return this.#host.link
  }

  /** The bytes of all that waits, in both directions. */
  get bytes(): number {
    return this.queue.bytes + this.gate.bytes
  }

  /** Whether anything waits, in either direction. */
  get isHolding(): boolean {
    return this.queue.size > 0 || this.gate.size > 0
  }

  // ── Room for what is sent ─────────────────────────────────────────────────────────────────────

  /** Sends what the link accepts now. If something is left, waits until it accepts more. */
  flush(): void {
    const { queue } = this
    const before = queue.size
    if (before > 0) this.#host.flush()
    if (queue.size < before) this.#sent++
    if (this.#waiting) this.#tellRoom()
    if (before > 0 && queue.isBlocked) this.#watch()
  }

  /** The other side has taken something, or may have. */
  relieve(): void {
    this.flush()
    this.gate.beginHeld()
    this.#host.change()
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
    const { link } = this.#host
    if (!link?.isReady || this.queue.replies > 0) return false
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
    const { link } = this.#host
    if (!link || !this.isStuck) return
    this.#stallWatch ??= new StallWatch(this)
    this.#stallWatch.begin()
    if (!link.isCongested || this.#pollTimer !== undefined || link.watchDrain()) return
    this.#pollTimer = setTimeout(() => {
      this.#pollTimer = undefined
      this.relieve()
    }, POLL_MS)
  }

  // ── If the other side takes nothing ───────────────────────────────────────────────────────────

  get isStuck(): boolean {
    const isReady = this.#host.link?.isReady ?? false
    return isReady && (this.queue.isBlocked || this.#waiting !== undefined)
  }

  get progressCount(): number {
    return this.#sent + (this.#host.link?.acknowledgements ?? 0)
  }

  get unsentBytes(): number {
    return this.#host.link?.unsentBytes ?? 0
  }

  stalled(ms: number): void {
    // A message that blocked the others may have been removed meanwhile.
    this.relieve()
    if (!this.isStuck) return
    const link = this.#host.link as MessageLink
    const { stalledMs } = this.#options.limits
    const isUnread = link.isCongested
    // After data has left the socket, its progress is unknown until the whole message has arrived and is acknowledged.
    const underWay = isUnread ? 0 : link.underWayBytes
    this.gate.stalled(ms)
    if (ms <= stalledMs + underWay / SLOWEST) return
    const what = isUnread ? 'read what was sent' : 'acknowledged what it was sent'
    const reason = `Too much waits: the other side has not ${what} for ${Math.round(ms / 1_000)} s`
    link.cut(CloseCode.tryAgainLater, reason)
  }

  // ── If the other side is absent ───────────────────────────────────────────────────────────────

  /** The link has lost its connection, and waits for the next one. */
  pause(): void {
    this.#stallWatch?.stop()
    // Messages that already waited for the other side are kept, even if they exceed the limits.
    this.#keepsMore = this.#isOverBounds
  }

  /** A link is ready. */
  resume(): void {
    this.#keepsMore = false
  }

  /** Called when a message was queued for an absent other side. */
  checkBounds(): void {
    // Messages that waited before the connection was lost do not end the session. Until they are sent, each new call
    // and notification is refused instead.
    if (!this.#keepsMore && this.#isOverBounds) this.#host.overflow()
  }

  /** Whether more is held for the absent other side than the limits allow. */
  get #isOverBounds(): boolean {
    const { link } = this.#host
    if (!link) return false
    const { limits, outlivesLinks } = this.#options
    const { unackedMessages, unackedBytes, message } = limits
    const { size, bytes, replies, replyBytes } = this.queue
    const { held } = link
    // One more message is allowed: it found room while it was small, and then had to wait (an item of a stream).
    return (
      held.messages + (outlivesLinks ? replies : size) > unackedMessages ||
      held.bytes + (outlivesLinks ? replyBytes : bytes) > unackedBytes + message
    )
  }

  /** The link has ended. */
  stop(): void {
    this.gate.forget()
    this.#stallWatch?.stop()
    clearTimeout(this.#pollTimer)
    this.#pollTimer = undefined
  }
}
