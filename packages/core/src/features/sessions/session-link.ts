import type { FeatureTable } from '../../calls/feature.js'
import { quoted } from '../../errors/quoted.js'
import type { Connection } from '../../link/connection.js'
import { SESSION_ENDS } from '../../link/endings.js'
import type { ChannelLimits } from '../../link/limits.js'
import type {
  BatchMember,
  Hello,
  LinkEvents,
  MessageAmount,
  MessageLink,
  OutgoingMessage,
  SessionFacts,
} from '../../link/message-link.js'
import type { PeerFacts } from '../../link/peer-facts.js'
import type { ErrorContext } from '../../logging/error-context.js'
import { CloseCode, intendedCode } from '../../transport/close-codes.js'
import type { CloseInfo } from '../../transport/transport.js'
import { jsonCodec } from '../../wire/codec.js'
import { type Encoded, heldBytes, keep, release } from '../../wire/encoded.js'
import type { Classified, ResponseMessage } from '../../wire/message.js'

export interface SessionOptions {
  /** The name by which both sides know the session. */
  readonly sid: string
  /** Client: proves on the next connection that the session belongs to it. */
  readonly token?: string | undefined
  /** Server: if the client ends its session, it is not kept. */
  readonly isServer: boolean
  readonly limits: Pick<ChannelLimits, 'unackedMessages' | 'unackedBytes'>
  /** How many bytes the other side keeps, from its hello. */
  readonly peerBytes: number
  /** Decides which control messages are counted. */
  readonly features: Pick<FeatureTable, 'isCounted'>
}

/** The number of messages after which an acknowledgement is sent. */
const ACK_AFTER_MESSAGES = 32
/** The time in ms after which an acknowledgement is sent, from the first message that was not acknowledged. */
const ACK_AFTER_MS = 1_000

/**
 * One side's half of a session (docs/protocol.md, "Sessions"): a link that continues over one connection after another.
 * It numbers the messages that it sends and receives, keeps those that the other side has not acknowledged, and sends
 * these again on the next connection. It knows nothing of calls. Only this class has the timer of acknowledgements.
 */
export class SessionLink implements MessageLink, LinkEvents {
  readonly sid: string
  readonly token: string | undefined
  readonly upper = undefined
  readonly #options: SessionOptions
  readonly #events: LinkEvents
  #below: Connection | undefined
  /** The limits of the other side, from the last connection. */
  peer: PeerFacts
  /** Messages that were sent and not acknowledged, from `#acked + 1` on. */
  #kept: OutgoingMessage[] = []
  #keptBytes = 0
  /** How many messages of this side the other side has acknowledged. */
  #acked = 0
  /** How many messages of the other side were dispatched here. */
  #recv = 0
  /** How many of these the other side was last told of. */
  #told = 0
  /** The bytes of the others. */
  #untoldBytes = 0
  /** Sends an acknowledgement when it is due by time. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #isHeldBack = false
  /** Whether the session ends with its present connection. */
  #isEnding = false
  #isOver = false
  acknowledgements = 0

  /** @param below the connection on which it begins. */
  constructor(options: SessionOptions, below: Connection, events: LinkEvents) {
    this.#options = options
    this.#events = events
    this.peer = below.peer
    this.sid = options.sid
    this.token = options.token
    this.#goOn(below)
  }

  // ── Connections ───────────────────────────────────────────────────────────────────────────────

  /**
   * Continues over another connection. The connection before is replaced, and its messages are ignored.
   *
   * @param recv how many messages of this side the other side has dispatched.
   * @returns false if `recv` is impossible; then nothing has changed.
   */
  resume(connection: Connection, recv: unknown): boolean {
    if (!this.isPossible(recv)) return false
    const before = this.#below
    this.#goOn(connection)
    this.#trim(recv)
    if (before && before !== connection) {
      before.end(CloseCode.takenOver, 'Another connection has taken over the session')
    }
    return true
  }

  #goOn(connection: Connection): void {
    this.#below = connection
    connection.upper = this
    connection.redirectEvents(this)
  }

  ready(connection: MessageLink, hello: Hello | undefined, isFirst: boolean): void {
    if (connection !== this.#below) return
    this.peer = connection.peer
    const { isExtended } = this.peer
    for (const message of this.#kept) {
      const { encoded, renew } = message
      connection.send(renew ? renew(encoded, isExtended) : encoded)
    }
    this.#events.ready(this, hello, isFirst)
  }

  ended(connection: MessageLink, info: CloseInfo, _goesOn: boolean, isEndReported: boolean): void {
    if (connection !== this.#below) return
    this.#below = undefined
    const goesOn = this.#outlives(info)
    this.#events.ended(this, info, goesOn, isEndReported)
  }

  /** Whether the session outlives a connection that ended like this. */
  #outlives({ code }: CloseInfo): boolean {
    if (this.#isEnding || this.#isOver) return false
    return !this.#options.isServer || !SESSION_ENDS.has(intendedCode(code))
  }

  endWithConnection(): void {
    this.#isEnding = true
  }

  // ── Outgoing messages ─────────────────────────────────────────────────────────────────────────

  get isReady(): boolean {
    return this.#below?.isReady ?? false
  }

  get held(): MessageAmount {
    return { messages: this.#kept.length, bytes: this.#keptBytes }
  }

  hasRoomFor(encoded: Encoded): boolean {
    if (!this.#below?.hasRoomFor()) return false
    const { unackedMessages, unackedBytes } = this.#options.limits
    if (this.#kept.length === 0) return true
    const isFull = this.#kept.length >= unackedMessages
    return !isFull && this.#keptBytes + heldBytes(encoded) <= unackedBytes
  }

  get isRoomy(): boolean {
    if (!this.#below?.isRoomy) return false
    const { unackedMessages, unackedBytes } = this.#options.limits
    return this.#kept.length < unackedMessages / 2 && this.#keptBytes < unackedBytes / 2
  }

  /**
   * Gives a message its number, and keeps it. The message is sent again until the other side has it, so this always
   * returns true.
   */
  send(encoded: Encoded, message: OutgoingMessage = { encoded }): true {
    this.#kept.push(message)
    this.#keptBytes += heldBytes(keep(message.encoded, this))
    this.#below?.send(encoded)
    return true
  }

  sendControl(method: string, params?: unknown): boolean {
    return this.#below?.sendControl(method, params) ?? false
  }

  get isCongested(): boolean {
    return this.#below?.isCongested ?? false
  }

  get unsentBytes(): number {
    return this.#below?.unsentBytes ?? 0
  }

  get underWayBytes(): number {
    const [oldest] = this.#kept
    return oldest ? heldBytes(oldest.encoded) : 0
  }

  watchDrain(): boolean {
    return this.#below?.watchDrain() ?? false
  }

  get session(): SessionFacts {
    const acknowledged = this.#acked
    const sent = acknowledged + this.#kept.length
    return { id: this.sid, sent, acknowledged, keptBytes: this.#keptBytes }
  }

  unreceived(recv: number): readonly OutgoingMessage[] | undefined {
    return this.isPossible(recv) ? this.#kept.slice(recv - this.#acked) : undefined
  }

  /**
   * Whether a number of received messages is possible: not less than was acknowledged before, and not more than was
   * sent.
   */
  isPossible(recv: unknown): recv is number {
    const sent = this.#acked + this.#kept.length
    return Number.isInteger(recv) && (recv as number) >= this.#acked && (recv as number) <= sent
  }

  /** Drops the messages that the other side has dispatched. */
  #trim(recv: number): void {
    if (recv > this.#acked) this.acknowledgements++
    for (const { encoded } of this.#kept.splice(0, recv - this.#acked)) {
      this.#keptBytes -= heldBytes(encoded)
      release(encoded, this)
    }
    this.#acked = recv
  }

  // ── Incoming messages ─────────────────────────────────────────────────────────────────────────

  get weight(): number {
    return this.#below?.weight ?? 0
  }

  message(
    connection: MessageLink,
    message: Classified,
    bytes: number,
    refusal: string | undefined,
  ): void {
    if (connection !== this.#below) return
    if (message.kind === 'notification' && message.method.startsWith('rpc.')) {
      if (message.method === 'rpc.ack') return this.#acknowledged(message.params)
      if (!this.#options.features.isCounted(message.method)) {
        return this.#events.message(this, message, bytes, refusal)
      }
    }
    this.#count(bytes)
    this.#events.message(this, message, bytes, refusal)
  }

  /** A batch arrived before the session began, and is not part of it. */
  batch(connection: MessageLink, members: readonly BatchMember[]): void {
    this.#events.batch(connection, members)
  }

  /**
   * Both sides must agree on how many messages a frame held. With JSON, which puts several messages in a frame, that
   * can't be known, so the connection ends.
   */
  unreadable(connection: MessageLink, bytes: number | undefined, answer: ResponseMessage): void {
    const below = this.#below
    if (connection !== below || !below) return
    if (bytes === undefined) return this.#events.unreadable(this, bytes, answer)
    if (below.format.codec === jsonCodec) {
      return below.violated(
        'a frame of a session is not JSON, so that its messages cannot be counted',
      )
    }
    this.#count(bytes)
    this.frameEnded()
    this.#events.unreadable(this, bytes, answer)
  }

  #acknowledged(params: unknown): void {
    const recv = (params as unknown[] | undefined)?.[0]
    if (this.isPossible(recv)) {
      this.#trim(recv)
      return this.#events.room(this)
    }
    this.violated(`an rpc.ack of ${quoted(recv)}, which is less than before or more than was sent`)
  }

  get recv(): number {
    return this.#recv
  }

  /** Counts a message of `bytes` bytes, text by its length, in the turn that dispatches it. */
  #count(bytes: number): void {
    if (this.#isOver) return
    this.#recv++
    this.#untoldBytes += bytes
    this.#timer ??= setTimeout(() => this.#acknowledge(), ACK_AFTER_MS)
  }

  /** All messages of a frame are being dispatched, and are acknowledged together. */
  frameEnded(): void {
    const isDue =
      this.#recv - this.#told >= ACK_AFTER_MESSAGES ||
      this.#untoldBytes >= this.#options.peerBytes / 4
    if (isDue) this.#acknowledge()
  }

  /**
   * Returns the number of received messages, to be sent in another way, such as a hello. No acknowledgement is due
   * then.
   */
  reportRecv(): number {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#told = this.#recv
    this.#untoldBytes = 0
    return this.#recv
  }

  /** Stops acknowledging, so that the other side can send no more than its window, or acknowledges again. */
  holdBack(isHeldBack: boolean): void {
    if (isHeldBack === this.#isHeldBack) return
    this.#isHeldBack = isHeldBack
    if (!isHeldBack && this.#recv > this.#told && !this.#isOver) this.#acknowledge()
  }

  #acknowledge(): void {
    if (this.#isHeldBack) {
      this.#timer = undefined
      return
    }
    this.sendControl('rpc.ack', [this.reportRecv()])
  }

  room(connection: MessageLink): void {
    if (connection === this.#below) this.#events.room(this)
  }

  latency(ms: number): void {
    this.#events.latency(ms)
  }

  spread(ms: number): void {
    this.#events.spread(ms)
  }

  error(error: unknown, context: ErrorContext): void {
    this.#events.error(error, context)
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  end(code: number, reason: string): void {
    this.#isEnding = true
    this.#below?.end(code, reason)
  }

  violated(what: string): void {
    this.#below?.violated(what)
  }

  cut(code: number, reason: string): void {
    this.#below?.end(code, reason)
  }

  stop(): void {
    this.reportRecv()
    this.#isOver = true
  }
}
