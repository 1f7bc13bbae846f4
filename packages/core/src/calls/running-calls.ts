import type { MessageId } from '../wire/message.js'
import type { CallContext } from './call-context.js'
import { IdTable } from './id-table.js'

/**
 * Calls and notifications of the other side that run beyond the turn in which they began. Each has a place until it has
 * ended, whether or not its caller still waits.
 */
export class RunningCalls {
  /** All of them; each knows its index. */
  readonly #all: CallContext[] = []
  /** Requests whose caller still waits. */
  #byId = new IdTable<CallContext>()
  /** How many places are taken. */
  size = 0
  /** How much memory they take, in bytes. */
  bytes = 0

  /** Whether one of them is not a stream, and so ends by itself. */
  get hasCalls(): boolean {
    return this.#all.some(({ kind }) => kind !== 'stream')
  }

  /** Whether a caller waits for a call with this id. */
  has(id: MessageId): boolean {
    return this.#byId.get(id) !== undefined
  }

  add(context: CallContext): void {
    context.place = this.#all.length
    this.size = this.#all.push(context)
    this.bytes += context.weight
    // If a call was cancelled in its first turn, its id may belong to another call by now.
    if (context.id !== null && !context.aborted) this.#byId.add(context)
  }

  /** Removes a call that has ended; does nothing if it is not here. */
  leave(context: CallContext): void {
    const { place } = context
    if (this.#all[place] !== context) return
    this.bytes -= context.weight
    const last = this.#all.pop() as CallContext
    this.size = this.#all.length
    if (last !== context) {
      last.place = place
      this.#all[place] = last
    }
    this.answered(context)
  }

  /** The caller has its answer, so the id is free. */
  answered(context: CallContext): void {
    const { id } = context
    if (id !== null && this.#byId.get(id) === context) this.#byId.delete(id)
  }

  /** Aborts a call, and frees its id, because its caller is answered now. @returns the call, if there is one. */
  cancel(id: MessageId, reason: unknown): CallContext | undefined {
    const context = this.#byId.get(id)
    if (!context) return undefined
    this.#byId.delete(id)
    context.isAnswered = true
    context.abort(reason)
    return context
  }

  /** Aborts all calls, and frees their ids, because nobody waits for them. */
  cancelAll(reason: unknown): void {
    this.#byId = new IdTable()
    for (const context of [...this.#all]) context.abort(reason)
  }
}
