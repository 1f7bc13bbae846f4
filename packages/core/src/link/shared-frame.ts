/**
 * So many characters are enough for a frame, and a message of more has one of its own: copying what is large costs
 * more than a frame saves.
 */
const ENOUGH_CHARACTERS = 8_192
/**
 * The first frame of a turn has no more messages than these, and each that follows in that turn has twice as many: so
 * that the other side begins while this one still writes. With 64 calls in flight, that is worth a half more of them.
 */
const FIRST_MESSAGES = 16

/** Who has something to do when the present turn has ended. */
export interface InTurn {
  /** Must not throw, as others are called after it. */
  endTurn(): void
}

/** What frames are handed to. */
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
  /** How long they are, each with what follows it. */
  #characters = 0
  /** How many of them the present frame may have; 0 where none was begun in this turn. */
  #room = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /**
   * From now on, where the other side takes that.
   *
   * @param messages how many it takes in a frame.
   * @param bytes how large a frame it takes.
   */
  allow(messages: number, bytes: number): void {
    this.#mostMessages = messages
    // A frame is less than two of them, and a UTF-16 code unit three bytes of UTF-8 at the most.
    this.#enoughCharacters = Math.min(ENOUGH_CHARACTERS, Math.floor(bytes / 6))
  }

  /** Whether nothing waits for the end of the turn. */
  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** @returns false where the message is to go out in a frame of its own, when those before it have gone. */
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
    // Joined once, brackets and all: what is added piece by piece is copied again before it is written.
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

/** Of all connections: those that were written to in this turn, and whose frames have not left yet. */
let begun: InTurn[] = []
/** So many of them. Whoever tells thousands has the first read while it still tells the last. */
const MOST_BEGUN = 16

/** A microtask of its costs a third of what `queueMicrotask` does in Node, where that is an asynchronous resource. */
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
