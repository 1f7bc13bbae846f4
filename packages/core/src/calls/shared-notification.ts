import type { FlatSide } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { type Encoded, encode, keep } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { NotificationMessage } from '../wire/message.js'

/** A notification to many targets, which is encoded once for all targets with the same codec. */
export class SharedNotification {
  readonly method: string
  readonly params: unknown
  readonly #made: Made[] = []

  constructor(method: string, params: unknown) {
    this.method = method
    this.params = params
  }

  /** @throws the error of the codec, again on each call. */
  encode(format: Format): Encoded {
    const made = this.#of(format)
    if ('thrown' in made) throw made.thrown
    return made.encoded
  }

  /**
   * @param side the methods of the target; without it, every method may be called.
   * @returns the message, without extras; undefined if the notification is not valid. Then the usual way has the error.
   */
  encodeIfValid(format: Format, side: FlatSide | undefined): Encoded | undefined {
    const { method, params } = this
    if (side && definitionOf(side, method)?.kind !== 'notification') return undefined
    if (
      typeof method !== 'string' ||
      params === null ||
      !(params === undefined || typeof params === 'object')
    )
      return undefined
    const made = this.#of(format)
    return 'thrown' in made ? undefined : made.encoded
  }

  #of(format: Format): Made {
    const { codec, frameType, attachments } = format
    for (const made of this.#made) {
      const of = made.format
      const isSame = of.codec === codec && of.frameType === frameType
      if (isSame && of.attachments === attachments) return made
    }
    const made = this.#make(format)
    this.#made.push(made)
    return made
  }

  #make(format: Format): Made {
    const { method, params } = this
    const message: NotificationMessage = { jsonrpc: '2.0', method }
    if (params !== undefined) message.params = params
    try {
      // Kept for later targets: the first target may release it before they get it.
      const encoded = keep(encode(format, message), this)
      return { format, encoded }
    } catch (thrown) {
      return { format, thrown }
    }
  }
}

/** The result of encoding in one format. */
type Made =
  | { readonly format: Format; readonly encoded: Encoded }
  | { readonly format: Format; readonly thrown: unknown }

/** The key of a channel's method that sends a shared notification. Only audiences use it. */
export const SEND_SHARED: unique symbol = Symbol('send a shared notification')

/** A target of a shared notification. */
export interface SharedTarget {
  /**
   * @returns a promise that resolves when it was written, or kept for the other side of a session; undefined if it was
   *   already written.
   */
  [SEND_SHARED](notification: SharedNotification, options?: object): Promise<void> | undefined
}
