import { type Encoded, encode } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { NotificationMessage } from '../wire/message.js'

/** A notification to many, which becomes a frame once for all that have the same codec. */
export class SharedNotification {
  readonly method: string
  readonly params: unknown
  readonly #made: { readonly format: Format; readonly encoded: () => Encoded }[] = []

  constructor(method: string, params: unknown) {
    this.method = method
    this.params = params
  }

  /** @throws what the codec throws, each time anew. */
  encode(format: Format, message: NotificationMessage): Encoded {
    const { codec, frameType } = format
    const before = this.#made.find(
      (made) => made.format.codec === codec && made.format.frameType === frameType,
    )
    if (before) return before.encoded()
    const encoded = outcomeOf(() => encode(format, message))
    this.#made.push({ format, encoded })
    return encoded()
  }
}

/** Does something once, and gives what came of it as often as it is asked. */
function outcomeOf<T>(make: () => T): () => T {
  try {
    const value = make()
    return () => value
  } catch (thrown) {
    return () => {
      throw thrown
    }
  }
}

/** By this, a channel sends one: it is nobody's but an audience's. */
export const SEND_SHARED: unique symbol = Symbol('send a shared notification')

/** What can be sent one. */
export interface SharedTarget {
  /** @returns resolves when it is on the wire, or kept for the other side of a session. */
  [SEND_SHARED](notification: SharedNotification, options?: object): Promise<void>
}
