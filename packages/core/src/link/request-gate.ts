import { type Encoded, heldBytes } from '../wire/encoded.js'
import type { MessageId } from '../wire/message.js'
import { type HeldMessage, HeldMessages } from './held-messages.js'
import type { ChannelLimits } from './limits.js'
import type { MessageLink } from './message-link.js'

/** What a gate knows of the messages on their way out. */
export interface GateHost {
  /** How many answers and control messages wait, and their bytes. */
  readonly queue: { readonly replies: number; readonly replyBytes: number }
  /** The link that carries messages now. */
  readonly link: MessageLink | undefined
  /** Whether something waits until the other side has taken what was sent before. */
  readonly isStuck: boolean
}

/** How many bytes of held messages may wait before the other side is stopped from sending. */
const MOST_HELD = 1024 * 1024
/**
 * How long the other side may take nothing, in ms, before it is read again: it may itself be waiting for this side to
 * read.
 */
const HELD_BACK_MS = 1_000

/**
 * The gate that the requests of the other side pass. While too many answers wait for the other side, its requests are
 * held; if too many are held, it is stopped from sending, or they are refused. A message is known by its weight, and by
 * the function that starts it.
 */
export class RequestGate {
  readonly #limits: ChannelLimits
  readonly #host: GateHost
  /** How many bytes of answers are ready and wait for the other answers of their batch. */
  #collectedBytes = 0
  /** Messages that are not started until the other side has taken more of the answers that wait for it. */
  #held: HeldMessages | undefined
  /** Whether held messages are being started now. They arrived before all others. */
  isBeginning = false

  constructor(limits: ChannelLimits, host: GateHost) {
    this.#limits = limits
    this.#host = host
  }

  /** How many messages are held, and how much memory they take, in bytes. */
  get size(): number {
    return this.#held?.size ?? 0
  }

  get bytes(): number {
    return this.#held?.bytes ?? 0
  }

  /** Whether so many answers wait for the other side that no more of its requests should be started. */
  get isClosed(): boolean {
    if (this.isBeginning) return false
    const isIdle = this.#host.queue.replies === 0 && this.#collectedBytes === 0
    if (isIdle && this.#held === undefined) return false
    return this.size > 0 || this.#isBehind
  }

  get #isBehind(): boolean {
    const { answerBytes, unackedMessages } = this.#limits
    return this.answerBytes > answerBytes / 4 || this.#host.queue.replies > unackedMessages
  }

  /** How many bytes of answers wait. */
  get answerBytes(): number {
    return this.#collectedBytes + this.#host.queue.replyBytes
  }

  /** Whether an answer that can't be sent at once may be queued. */
  hasRoomFor(answer: Encoded): boolean {
    const waiting = this.#collectedBytes + this.#host.queue.replyBytes
    return waiting === 0 || waiting + heldBytes(answer) <= this.#limits.answerBytes
  }

  /** Adds to the number of bytes of answers that wait for the others of their batch; a negative number subtracts. */
  collect(bytes: number): void {
    this.#collectedBytes += bytes
    if (bytes < 0) this.beginHeld()
  }

  /**
   * Holds a message until the other side has taken more.
   *
   * @param runningBytes how much memory the requests take that were started and have not ended.
   * @returns the reason if it must be refused; otherwise undefined.
   */
  hold(message: HeldMessage, runningBytes: number): string | undefined {
    this.#held ??= new HeldMessages()
    const held = this.#held
    const bytes = held.bytes + runningBytes
    if (bytes > 0 && bytes + message.weight > this.#limits.runningBytes) {
      return `${message.what} was not run: too much waits until this caller reads its answers (limits.runningBytes)`
    }
    held.add(message)
    // If nothing waits for the other side to read, the held messages may wait for its next ones, such as the rest of a
    // batch. So it must be read.
    if (held.bytes > MOST_HELD && this.#host.isStuck) this.#holdBack(true)
    return undefined
  }

  /** Removes the held message with this id, if there is one. */
  take(id: MessageId): HeldMessage | undefined {
    const held = this.#held
    const message = held?.take(id)
    if (held && message) this.#letGoOn(held)
    return message
  }

  /** Starts held messages, if the other side has taken enough. */
  beginHeld(): void {
    const held = this.#held
    if (!held || this.isBeginning) return
    this.isBeginning = true
    try {
      held.beginWhile(() => !this.#isBehind)
    } finally {
      this.isBeginning = false
    }
    this.#letGoOn(held)
  }

  /** Nobody waits for the messages that are held. */
  forget(): void {
    if (!this.#held) return
    this.#held.clear()
    this.#holdBack(false)
  }

  /** Lets the other side send again when few messages are held, or when nothing waits for it to read. */
  #letGoOn({ bytes }: HeldMessages): void {
    if (bytes <= MOST_HELD / 2 || !this.#host.isStuck) this.#holdBack(false)
  }

  /** The other side has taken nothing for `ms` ms. */
  stalled(ms: number): void {
    const held = this.#held
    if (!held) return
    // If each side waits for the other to read, one of them must begin to read.
    if (ms >= HELD_BACK_MS) this.#holdBack(false)
    else if (ms === 0 && held.bytes > MOST_HELD) this.#holdBack(true)
  }

  /**
   * Stops the other side from sending, or lets it send again. In a session it must still be read, because its
   * acknowledgements arrive there.
   */
  #holdBack(isHeldBack: boolean): void {
    this.#host.link?.holdBack(isHeldBack)
  }
}
