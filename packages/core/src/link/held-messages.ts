import type { MessageId } from '../wire/message.js'
import type { WeightSource } from '../wire/weight.js'

/** A request, a notification or a batch that has arrived and has not been started yet. */
export interface HeldMessage extends WeightSource {
  /** Null if it has no id. Then it can't be cancelled. */
  readonly id: MessageId
  /** A description of it, for the texts of errors. */
  readonly what: string
  /** @param waitedMs how long it was held. */
  begin(waitedMs: number): void
}

/** Messages that arrived while too much waited for the other side. They are started later, in order. */
export class HeldMessages {
  readonly #all = new Map<HeldMessage, number>()
  readonly #byId = new Map<MessageId, HeldMessage>()
  #bytes = 0

  get size(): number {
    return this.#all.size
  }

  /** How much memory they take, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  add(message: HeldMessage): void {
    this.#all.set(message, performance.now())
    this.#bytes += message.weight
    if (message.id !== null) this.#byId.set(message.id, message)
  }

  /** Removes the message with this id, if there is one. */
  take(id: MessageId): HeldMessage | undefined {
    const message = this.#byId.get(id)
    if (message) this.#remove(message)
    return message
  }

  /** Starts them, one after the other, as long as `may` returns true. */
  beginWhile(may: () => boolean): void {
    for (const [message, since] of this.#all) {
      if (!may()) return
      this.#remove(message)
      message.begin(performance.now() - since)
    }
  }

  /** Forgets them, as nobody waits for them any more. */
  clear(): void {
    this.#all.clear()
    this.#byId.clear()
    this.#bytes = 0
  }

  #remove(message: HeldMessage): void {
    this.#all.delete(message)
    this.#bytes -= message.weight
    if (this.#byId.get(message.id) === message) this.#byId.delete(message.id)
  }
}
