import type { MessageId } from '../wire/message.js'
import type { CallContext } from './call-context.js'
import { IdTable } from './id-table.js'

/** Calls and notifications of the other side that go on beyond the turn they began in. */
export class RunningCalls {
  /** Each knows its place. */
  #all: CallContext[] = []
  /** Those that have an id. */
  #byId = new IdTable<CallContext>()
  #wanted = 0

  get size(): number {
    return this.#all.length
  }

  /** How many of them nobody has given up: they take up the places there are. */
  get wanted(): number {
    return this.#wanted
  }

  has(id: MessageId): boolean {
    return this.#byId.get(id) !== undefined
  }

  add(context: CallContext): void {
    context.place = this.#all.length
    this.#all.push(context)
    context.isWanted = true
    this.#wanted++
    if (context.id !== null) this.#byId.add(context)
  }

  /** One of them is over; nothing is done where it is none of them, or none any more. */
  leave(context: CallContext): void {
    const { place, id } = context
    if (this.#all[place] !== context) return
    const last = this.#all.pop() as CallContext
    if (last !== context) {
      last.place = place
      this.#all[place] = last
    }
    this.#forgo(context)
    if (id !== null) this.#byId.delete(id)
  }

  /** Aborts one of them; it still ends with an answer. */
  cancel(id: MessageId, reason: unknown): void {
    const context = this.#byId.get(id)
    if (!context) return
    context.abort(reason)
    this.#forgo(context)
  }

  /** Aborts them all, and knows them no more. */
  cancelAll(reason: unknown): void {
    const all = this.#all
    this.#all = []
    this.#byId = new IdTable()
    this.#wanted = 0
    for (const context of all) context.abort(reason)
  }

  #forgo(context: CallContext): void {
    if (context.isWanted) this.#wanted--
    context.isWanted = false
  }
}
