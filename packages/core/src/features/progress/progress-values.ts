import type { ChannelContext } from '../../calls/channel-context.js'
import { controlMessage } from '../../calls/control-message.js'
import type { CallPart } from '../../calls/pending-call.js'
import { unsentError } from '../../calls/unsent.js'
import { incomingContext } from '../../logging/error-context.js'
import type { MessageId } from '../../wire/message.js'

/** callee → caller: how far a call has come (docs/protocol.md, "Progress"). */
export const PROGRESS = 'rpc.progress'

/** Sends the progress of one call to its caller. If there is no room, only the newest value is kept. */
export class ProgressReport {
  readonly #id: MessageId
  readonly #method: string
  readonly #channel: ChannelContext
  #newest: { readonly value: unknown } | undefined
  #isOver = false

  constructor(id: MessageId, method: string, channel: ChannelContext) {
    this.#id = id
    this.#method = method
    this.#channel = channel
  }

  tell(value: unknown): void {
    if (this.#isOver) return
    const isWaiting = this.#newest !== undefined
    this.#newest = { value }
    if (isWaiting) return
    const room = this.#channel.flow.whenRoomy()
    if (room) void this.#sendWhen(room)
    else this.#send()
  }

  /** The call ends. A value that waits is sent before the answer. */
  end(): void {
    this.#send()
    this.#isOver = true
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#newest = undefined
    this.#isOver = true
  }

  async #sendWhen(room: Promise<void>): Promise<void> {
    for (let wait: Promise<void> | undefined = room; wait; wait = this.#channel.flow.whenRoomy())
      await wait
    this.#send()
  }

  #send(): void {
    if (this.#isOver || !this.#newest) return
    const { value } = this.#newest
    this.#newest = undefined
    const unsent = this.#channel.sendControl(controlMessage(PROGRESS, { id: this.#id, value }))
    if (unsent) {
      const context = incomingContext(
        { method: this.#method, kind: 'method', id: this.#id },
        'progress',
      )
      const { settings } = this.#channel.kind
      this.#channel.error(unsentError(this.#method, unsent, settings, 'Progress'), context)
    }
  }
}

export interface ProgressListenerOptions {
  /** Validates a value. @returns the output of the schema. */
  readonly check: (value: unknown) => unknown
  readonly listener: (value: unknown) => unknown
  readonly error: (error: unknown) => void
}

/** Calls a listener with the progress of a call: one value at a time, and then the newest value by then. */
export class ProgressListening implements CallPart {
  readonly #options: ProgressListenerOptions
  #newest: { readonly value: unknown } | undefined
  #telling: Promise<{ done: Promise<void> } | undefined> | undefined
  #isBusy = false
  #hasFailed = false

  constructor(options: ProgressListenerOptions) {
    this.#options = options
  }

  heard(value: unknown): void {
    this.#newest = { value }
    if (!this.#isBusy) void this.#work()
  }

  /** The call has ended. The listener gets the last value, even if it is still busy with another. */
  async beforeResult(): Promise<void> {
    await this.#telling
    const last = this.#newest
    this.#newest = undefined
    if (last) await this.#tell(last.value)
  }

  /** The call has failed. The listener gets no more values. */
  failed(): void {
    this.#newest = undefined
    this.#hasFailed = true
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    for (let next = this.#newest; next; next = this.#newest) {
      this.#newest = undefined
      this.#telling = this.#tell(next.value)
      await (await this.#telling)?.done
    }
    this.#isBusy = false
  }

  /**
   * @returns a promise that resolves when the listener was called; its `done` resolves when the listener has finished.
   */
  async #tell(value: unknown): Promise<{ done: Promise<void> } | undefined> {
    const { check, listener, error } = this.#options
    try {
      const checked = await check(value)
      // It may have failed meanwhile.
      if (this.#hasFailed) return undefined
      return { done: Promise.resolve(listener(checked)).then(() => {}, error) }
    } catch (thrown) {
      error(thrown)
      return undefined
    }
  }
}
