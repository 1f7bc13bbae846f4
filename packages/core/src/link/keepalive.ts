import { builtIn } from '../transport/built-in.js'
import type { Transport } from '../transport/transport.js'
import { Heartbeat, type HeartbeatEvents, type HeartbeatOptions } from './heartbeat.js'
import type { ChannelLimits } from './limits.js'
import type { RateLimit, RateLimitEvents } from './rate-limit.js'

/** The side of a connection that watches the other one. */
export interface WatchingSide {
  readonly limits: ChannelLimits
  /** A server slows down a client that sends too much. */
  readonly isServer: boolean
}

/** One object for all connections of a server. */
export interface KeepaliveOptions {
  readonly heartbeat: HeartbeatOptions | false
  /** Makes the limit of a server. */
  readonly createRateLimit?:
    | ((limits: ChannelLimits, events: RateLimitEvents) => RateLimit)
    | undefined
}

/** Makes the keepalive of a connection. */
export type CreateKeepalive = (
  transport: Transport,
  side: WatchingSide,
  events: KeepaliveEvents,
) => Keepalive

export interface KeepaliveEvents {
  /** Ask the other side for a sign of life, by a control message. */
  ping(): void
  /** Tell the other side, by a control message, that its message is arriving. */
  tellArriving(): void
  /** How long the other side took to answer, in ms. */
  latency(ms: number): void
  /** No sign of life has come in time. */
  dead(reason: string): void
  /** Reading is to stop, because the other side sends more than it may, or to go on. */
  overRate(isOver: boolean): void
  /** The transport has failed. */
  failed(thrown: unknown): void
}

/**
 * When the first bytes of an unfinished message have come, the sender gets a message after this time, in ms, and again
 * at this interval.
 */
const ARRIVING_MS = 500

/** Watches one connection: it asks for signs of life, and slows down a side that sends too much. */
export class Keepalive implements HeartbeatEvents, RateLimitEvents {
  readonly #transport: Transport
  readonly #options: KeepaliveOptions
  readonly #events: KeepaliveEvents
  readonly #rate: RateLimit | undefined
  #heartbeat: Heartbeat | undefined
  /** Whether the other side understands the protocol's own ping. */
  #isExtended = false
  #askedAt = performance.now()
  /** How long the other side took for its last answer, in ms. */
  latencyMs = 0
  #isOver = false
  /** Whether reading is paused. */
  #isPaused = false
  /** Whether bytes have arrived since the last whole message, and since the sender was told so. */
  #isArriving = false
  #notice: ReturnType<typeof setTimeout> | undefined

  constructor(
    transport: Transport,
    options: KeepaliveOptions,
    { limits, isServer }: WatchingSide,
    events: KeepaliveEvents,
  ) {
    this.#transport = transport
    this.#options = options
    this.#events = events
    // A reliable transport is within this machine, so it needs no rate limit.
    if (!transport.reliable && isServer) this.#rate = options.createRateLimit?.(limits, this)
  }

  /** Begins to check whether the other side is alive, if it can be asked. */
  watch(isExtended: boolean): void {
    this.#isExtended = isExtended
    this.#watch()
  }

  #watch(): void {
    this.#heartbeat?.stop()
    const { heartbeat } = this.#options
    const canPing = this.#isExtended || this.#transport.ping !== undefined
    if (!heartbeat || this.#transport.reliable || !canPing || this.#isOver) return
    // While reading is paused, no sign of life can come in.
    if (this.#isPaused) return
    this.#heartbeat = new Heartbeat(heartbeat, this)
  }

  /** A frame of this length came in. It counts as one message, whatever its content. */
  received(length: number): void {
    this.#isArriving = false
    this.#heartbeat?.received()
    this.#rate?.take(1, length)
  }

  /** The frame held this number of messages. */
  frameShared(messages: number): void {
    if (messages > 1) this.#rate?.take(messages - 1, 0)
  }

  /** Frames came in that are not messages. */
  otherFrames(frames: number, bytes: number): void {
    this.#heartbeat?.received()
    this.#rate?.take(frames, bytes)
  }

  /**
   * Bytes of an unfinished message came. Its sender gets no answer before the message is whole, and may not see that
   * its bytes arrive. So it gets a message that they do.
   */
  arriving(): void {
    this.#isArriving = true
    if (this.#isOver || this.#notice !== undefined) return
    this.#notice = setTimeout(() => this.#tellArriving(), ARRIVING_MS)
  }

  #tellArriving(): void {
    this.#notice = undefined
    if (!this.#isArriving) return
    this.#isArriving = false
    this.#notice = setTimeout(() => this.#tellArriving(), ARRIVING_MS)
    if (this.#isExtended) this.#events.tellArriving()
    else this.#tryOut(() => builtIn(this.#transport)?.pong?.())
  }

  /** The last question, the hello or a ping, was answered. */
  answered(): void {
    if (this.#isOver) return
    this.#heartbeat?.received()
    this.latencyMs = performance.now() - this.#askedAt
    this.#events.latency(this.latencyMs)
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#notice)
    this.#heartbeat?.stop()
    this.#rate?.stop()
  }

  // ── Events of the heartbeat and the limit ─────────────────────────────────────────────────────

  ping(): void {
    this.#askedAt = performance.now()
    if (this.#isExtended) this.#events.ping()
    else this.#tryOut(() => this.#transport.ping?.())
  }

  hasMoved(): boolean {
    try {
      return builtIn(this.#transport)?.hasMoved?.() ?? false
    } catch (thrown) {
      // In a later turn: this stops the caller, which must finish first.
      queueMicrotask(() => this.#events.failed(thrown))
      return false
    }
  }

  dead(): void {
    const { intervalMs, timeoutMs } = this.#options.heartbeat as HeartbeatOptions
    this.#events.dead(`No sign of life from the other side for ${intervalMs + timeoutMs} ms`)
  }

  overRate(isOver: boolean): void {
    this.#events.overRate(isOver)
  }

  /** Reading has stopped for a while, or goes on. */
  paused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#watch()
  }

  /** Runs a function of the transport; if it throws, the connection has failed. */
  #tryOut(act: () => void): void {
    try {
      act()
    } catch (thrown) {
      this.#events.failed(thrown)
    }
  }
}
