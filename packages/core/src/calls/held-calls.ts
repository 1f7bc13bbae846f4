import type { MessageId } from '../wire/message.js'
import type { Weighed } from '../wire/weight.js'

/** A call, a notification or a batch that has arrived and has not been started yet. */
export interface HeldCall extends Weighed {
  /** Null if it has no id. Then it can't be cancelled. */
  readonly id: MessageId
  /** A description of it, for the texts of errors. */
  readonly what: string
  /** @param waitedMs how long it was held. */
  begin(waitedMs: number): void
}

/** Calls that arrived while too much waited for the other side. They are started later, in order. */
export class HeldCalls {
  readonly #all = new Map<HeldCall, number>()
  readonly #byId = new Map<MessageId, HeldCall>()
  #bytes = 0

  get size(): number {
    return this.#all.size
  }

  /** How much memory they take, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  add(call: HeldCall): void {
    this.#all.set(call, performance.now())
    this.#bytes += call.weight
    if (call.id !== null) this.#byId.set(call.id, call)
  }

  /** Removes the call with this id, if there is one. */
  take(id: MessageId): HeldCall | undefined {
    const call = this.#byId.get(id)
    if (call) this.#remove(call)
    return call
  }

  /** Starts them, one after the other, as long as `may` returns true. */
  beginWhile(may: () => boolean): void {
    for (const [call, since] of this.#all) {
      if (!may()) return
      this.#remove(call)
      call.begin(performance.now() - since)
    }
  }

  /** Forgets them, as nobody waits for them any more. */
  clear(): void {
    this.#all.clear()
    this.#byId.clear()
    this.#bytes = 0
  }

  #remove(call: HeldCall): void {
    this.#all.delete(call)
    this.#bytes -= call.weight
    if (this.#byId.get(call.id) === call) this.#byId.delete(call.id)
  }
}
