import type { MessageId } from '../wire/message.js'
import type { CallContext } from './call-context.js'
import { IdTable } from './id-table.js'

/**
 * Calls and notifications of the other side that go on beyond the turn they began in. Each has a place until it has
 * ended, whether its caller still waits or not.
 */
export class RunningCalls {
  /** Each knows its place. */
  readonly #all: CallContext[] = []
  /** Requests whose caller still waits. */
  #byId = new IdTable<CallContext>()
  #bytes = 0

  /** How much memory they take, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many places are taken. */
  get size(): number {
    return this.#all.length
  }

  /** Whether one of them is not a stream, so that it comes to an end by itself. */
  get hasCalls(): boolean {
    return this.#all.some(({ kind }) => kind !== 'stream')
  }

  /** Whether a call with this id is waited for. */
  has(id: MessageId): boolean {
    return this.#byId.get(id) !== undefined
  }

  add(context: CallContext): void {
    context.place = this.#all.length
    this.#all.push(context)
    this.#bytes += context.weight
    // If a call was cancelled in its first turn, its id may belong to another call by now.
    if (context.id !== null && !context.aborted) this.#byId.add(context)
  }

  /** One of them is over; nothing is done where it is none of them, or none any more. */
  leave(context: CallContext): void {
    const { place } = context
    if (this.#all[place] !== context) return
    this.#bytes -= context.weight
    const last = this.#all.pop() as CallContext
    if (last !== context) {
      last.place = place
      this.#all[place] = last
    }
    this.answered(context)
  }

  /** The caller of one of them has its answer, and the id is free. */
  answered(context: CallContext): void {
    const { id } = context
    if (id !== null && this.#byId.get(id) === context) this.#byId.delete(id)
  }

  /** Aborts one of them, and frees its id, as its caller is answered now. @returns the call, if there is one. */
  cancel(id: MessageId, reason: unknown): CallContext | undefined {
    const context = this.#byId.get(id)
    if (!context) return undefined
    this.#byId.delete(id)
    context.isAnswered = true
    context.abort(reason)
    return context
  }

  /** Aborts them all, and frees their ids, as nobody waits for them. */
  cancelAll(reason: unknown): void {
    this.#byId = new IdTable()
    for (const context of [...this.#all]) context.abort(reason)
  }
}
