/**
 * A shared frame has at most about this many characters. A longer message has a frame of its own, because copying it
 * would cost more than a frame saves.
 */
const ENOUGH_CHARACTERS = 8_192
/**
 * The most messages in the first frame of a turn. Each further frame of that turn may have twice as many. So the other
 * side begins while this one still writes: 64 calls in flight are nearly twice as fast in two frames as in one. In three
 * frames they are a little faster still, but in a new process, which has not compiled much, they cost a fifth more.
 */
const FIRST_MESSAGES = 32

/** Something that has work to do at the end of the present turn. */
export interface InTurn {
  /** Must not throw, because others are called after it. */
  endTurn(): void
}

/** The receiver of the frames. */
export interface FrameSink {
  /** Must not throw. */
  sendFrame(frame: string): void
}

/** Messages that are written within one turn, and go out in one frame: an array of them. */
export class SharedFrame implements InTurn {
  readonly #sink: FrameSink
  #mostMessages = 1
  #enoughCharacters = ENOUGH_CHARACTERS
  #messages: string[] = []
  /** The number of their characters, each with the comma that follows it. */
  #characters = 0
  /** The most messages in the present frame; 0 if no frame was begun in this turn. */
  #room = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /**
   * Allows shared frames from now on, if the other side accepts them.
   *
   * @param messages the most messages that it accepts in a frame.
   * @param bytes the largest frame that it accepts.
   */
  allow(messages: number, bytes: number): void {
    this.#mostMessages = messages
    // A frame has less than twice this number of characters, and a UTF-16 code unit is at most three bytes of UTF-8.
    this.#enoughCharacters = Math.min(ENOUGH_CHARACTERS, Math.floor(bytes / 6))
  }

  /** Whether nothing waits for the end of the turn. */
  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** @returns false if the message must have a frame of its own. The earlier messages must be flushed first. */
  take(message: string): boolean {
    if (this.#mostMessages === 1 || message.length > this.#enoughCharacters) return false
    if (this.#room === 0) {
      this.#room = FIRST_MESSAGES
      atEndOfTurn(this)
    }
    this.#characters += message.length + 1
    const count = this.#messages.push(message)
    const isFull = count >= Math.min(this.#room, this.#mostMessages)
    if (isFull || this.#characters > this.#enoughCharacters) {
      this.#room *= 2
      this.flush()
    }
    return true
  }

  /** Sends what was written so far. */
  flush(): void {
    const messages = this.#messages
    const last = messages.length - 1
    if (last < 0) return
    this.#messages = []
    this.#characters = 0
    // Joined once, with the brackets: text that is added piece by piece is copied again before it is written.
    if (last > 0) {
      messages[0] = `[${messages[0]}`
      messages[last] += ']'
    }
    this.#sink.sendFrame(messages.join())
  }

  endTurn(): void {
    this.#room = 0
    this.flush()
  }
}

/** The connections that were written to in this turn and that have not sent their frames yet. */
let begun: InTurn[] = []
/**
 * The most of them. If a program sends to thousands of connections, the first can read while it still sends to the
 * last.
 */
const MOST_BEGUN = 16

/** Its microtask costs a third of one of `queueMicrotask` in Node, which makes an asynchronous resource. */
const TURN = Promise.resolve()

export function atEndOfTurn(one: InTurn): void {
  if (begun.length === MOST_BEGUN) endTurn()
  if (begun.push(one) === 1) void TURN.then(endTurn)
}

function endTurn(): void {
  const all = begun
  begun = []
  for (const one of all) one.endTurn()
}
