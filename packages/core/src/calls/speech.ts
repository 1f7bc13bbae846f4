import type { Unsent } from '../features/streams/unsent.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { NotificationMessage } from '../wire/message.js'

/** The way to the other side, for what is said of calls besides calling and answering. */
export interface Speech {
  /** @returns why it can't be said, where it can't. */
  say(word: NotificationMessage): Unsent | undefined
  /** The largest message that the other side accepts, in bytes, as far as it has said. */
  readonly largestMessage: number
  /** @returns resolves when there may be room for an item; `undefined` where there is now. */
  whenRoomy(): Promise<void> | undefined
  /** Told of every failure that nothing tells the other side about. */
  error(error: unknown, context: ErrorContext): void
}
