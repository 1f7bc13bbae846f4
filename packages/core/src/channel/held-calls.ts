import type { MessageId } from '../wire/message.js'
import type { Weighed } from './weight.js'

/** A call, a notification or a batch that has come and is not begun yet. */
export interface HeldCall extends Weighed {
  /** Null where it has none: then it can't be given up. */
  readonly id: MessageId
  /** What it is, for messages. */
  readonly what: string
  /** @param waitedMs how long it was held. */
  begin(waitedMs: number): void
}

/** What has come while too much waits for the other side, in order, until it is begun. */
export class HeldCalls {
  readonly #all = new Map<HeldCall, number>()
  readonly #byId = new Map<MessageId, HeldCall>()
  #bytes = 0

  get size(): number {
    return this.#all.size
  }

  /** What they take in memory. */
  get bytes(): number {
    return this.#bytes
  }

  add(call: HeldCall): void {
    this.#all.set(call, performance.now())
    this.#bytes += call.weight
    if (call.id !== null) this.#byId.set(call.id, call)
  }

  /** Takes out the one with this id, where there is one. */
  take(id: MessageId): HeldCall | undefined {
    const call = this.#byId.get(id)
    if (call) this.#remove(call)
    return call
  }

  /** Begins them, one after the other, as long as that may be. */
  beginWhile(may: () => boolean): void {
    for (const [call, since] of this.#all) {
      if (!may()) return
      this.#remove(call)
      call.begin(performance.now() - since)
    }
  }

  /** Forgets them: nobody waits for them any more. */
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
