import type { Outgoing } from '../../calls/outbox.js'
import type { ChannelLimits } from '../../link/limits.js'
import { type Encoded, heldBytes, keep, letGo } from '../../wire/encoded.js'

/** How much one side keeps until the other has acknowledged it. */
export interface Held {
  readonly messages: number
  readonly bytes: number
}

export interface SessionOptions {
  /** The name both sides know it by. */
  readonly sid: string
  /** Client: proves at the next connection that the session is its own. */
  readonly token?: string | undefined
  readonly limits: Pick<ChannelLimits, 'unackedMessages' | 'unackedBytes'>
  /** What the other side keeps, in bytes, as it said in its hello. */
  readonly peerBytes: number
}

/** Whose it is. */
export interface SessionHost {
  /** Tells the other side that all its messages up to this one were dispatched. */
  acknowledge(recv: number): void
}

/** So many messages may have come before the other side is told. */
const ACK_AFTER_MESSAGES = 32
/** So long, in ms, after the first of which it was not told. */
const ACK_AFTER_MS = 1_000

/**
 * One side's half of a session (docs/protocol.md, "Sessions"): the numbers of the messages it has
 * written and of those it has dispatched, and what it may have to write again. Knows no calls and no
 * connections. The sole owner of the timer of acknowledgements.
 */
export class Session {
  readonly sid: string
  readonly token: string | undefined
  readonly #options: SessionOptions
  readonly #host: SessionHost
  /** Messages that were written and not acknowledged, from `#acked + 1` on. */
  #kept: Outgoing[] = []
  #keptBytes = 0
  #acked = 0
  #recv = 0
  #told = 0
  #untoldBytes = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #ended = false
  #isHeldBack = false

  constructor(options: SessionOptions, host: SessionHost) {
    this.#options = options
    this.#host = host
    this.sid = options.sid
    this.token = options.token
  }

  // ── What goes out ─────────────────────────────────────────────────────────────────────────────

  /** Messages, and bytes of them, that the other side has not acknowledged. */
  get held(): Held {
    return { messages: this.#kept.length, bytes: this.#keptBytes }
  }

  /** How many of its messages the other side has dispatched, as it has said. */
  get acknowledged(): number {
    return this.#acked
  }

  /** Whether another message may be written now. */
  hasRoomFor(encoded: Encoded): boolean {
    const { unackedMessages, unackedBytes } = this.#options.limits
    if (this.#kept.length === 0) return true
    const isFull = this.#kept.length >= unackedMessages
    return !isFull && this.#keptBytes + heldBytes(encoded) <= unackedBytes
  }

  /** The size, in bytes, of the oldest message that is not acknowledged. */
  get oldestBytes(): number {
    const [oldest] = this.#kept
    return oldest ? heldBytes(oldest.encoded) : 0
  }

  /** Whether less than half of the room is taken. */
  get isRoomy(): boolean {
    const { unackedMessages, unackedBytes } = this.#options.limits
    return this.#kept.length < unackedMessages / 2 && this.#keptBytes < unackedBytes / 2
  }

  /** Gives a message its number, as it is written for the first time, and keeps it. */
  keep(outgoing: Outgoing): void {
    this.#kept.push(outgoing)
    this.#keptBytes += heldBytes(keep(outgoing.encoded, this))
  }

  /** What the other side may not have, in order: to be written again on the next connection. */
  get kept(): readonly Outgoing[] {
    return this.#kept
  }

  /** What of it has a number above this one, in order. */
  above(recv: number): readonly Outgoing[] {
    return this.#kept.slice(Math.max(0, recv - this.#acked))
  }

  /** Whether the other side can have got so far: no number is taken back, none made up. */
  isPossible(recv: unknown): recv is number {
    const sent = this.#acked + this.#kept.length
    return Number.isInteger(recv) && (recv as number) >= this.#acked && (recv as number) <= sent
  }

  /** Forgets what the other side has dispatched. Its number must be {@link isPossible}. */
  trim(recv: number): void {
    for (const { encoded } of this.#kept.splice(0, recv - this.#acked)) {
      this.#keptBytes -= heldBytes(encoded)
      letGo(encoded, this)
    }
    this.#acked = recv
  }

  // ── What comes in ─────────────────────────────────────────────────────────────────────────────

  /** How many messages of the other side were dispatched. */
  get recv(): number {
    return this.#recv
  }

  /** A message of the other side is being dispatched, of so many bytes, text by its length. */
  received(bytes: number): void {
    if (this.#ended) return
    this.#recv++
    this.#untoldBytes += bytes
    this.#timer ??= setTimeout(() => this.#acknowledge(), ACK_AFTER_MS)
  }

  /** All messages of a frame are being dispatched: the other side is told of them together. */
  frameEnded(): void {
    const isDue =
      this.#recv - this.#told >= ACK_AFTER_MESSAGES ||
      this.#untoldBytes >= this.#options.peerBytes / 4
    if (isDue) this.#acknowledge()
  }

  /** Tells how far it has come in another way, such as a hello: then no acknowledgement is owed. */
  tell(): number {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#told = this.#recv
    this.#untoldBytes = 0
    return this.#recv
  }

  /** Stops acknowledging, so that the other side can send no more than its window, or goes on acknowledging. */
  holdBack(isHeldBack: boolean): void {
    if (isHeldBack === this.#isHeldBack) return
    this.#isHeldBack = isHeldBack
    if (!isHeldBack && this.#recv > this.#told && !this.#ended) this.#acknowledge()
  }

  /** Ends it: it counts and tells nothing more. */
  end(): void {
    this.tell()
    this.#ended = true
  }

  #acknowledge(): void {
    if (this.#isHeldBack) {
      this.#timer = undefined
      return
    }
    this.#host.acknowledge(this.tell())
  }
}
