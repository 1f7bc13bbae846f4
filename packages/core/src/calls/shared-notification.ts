import { type ContractSide, definitionOf } from '../contract/contract.js'
import { type Encoded, encode, keep } from '../wire/encoded.js'
import type { Format } from '../wire/format.js'
import type { NotificationMessage } from '../wire/message.js'

/** A notification to many, which becomes a frame once for all that have the same codec. */
export class SharedNotification {
  readonly method: string
  readonly params: unknown
  readonly #made: Made[] = []

  constructor(method: string, params: unknown) {
    this.method = method
    this.params = params
  }

  /** @throws what the codec throws, each time anew. */
  encode(format: Format): Encoded {
    const made = this.#of(format)
    if ('thrown' in made) throw made.thrown
    return made.encoded
  }

  /**
   * @param side what can be called at the target; without it, all can.
   * @returns the message where there is nothing to say but that; undefined where something is wrong with it.
   */
  plain(format: Format, side: ContractSide | undefined): Encoded | undefined {
    const { method, params } = this
    if (side && definitionOf(side, method)?.kind !== 'notification') return undefined
    if (typeof method !== 'string' || !(params === undefined || areParams(params))) return undefined
    const made = this.#of(format)
    return 'thrown' in made ? undefined : made.encoded
  }

  #of(format: Format): Made {
    const { codec, frameType } = format
    for (const made of this.#made) {
      if (made.format.codec === codec && made.format.frameType === frameType) return made
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
      // Kept for those that are sent it later: whoever is first lets go of it first.
      const encoded = keep(encode(format, message), this)
      return { format, encoded }
    } catch (thrown) {
      return { format, thrown }
    }
  }
}

/** Whether they can be a message's. */
export function areParams(params: unknown): boolean {
  return typeof params === 'object' && params !== null
}

/** What came of it in one format. */
type Made =
  | { readonly format: Format; readonly encoded: Encoded }
  | { readonly format: Format; readonly thrown: unknown }

/** By this, a channel sends one: it is nobody's but an audience's. */
export const SEND_SHARED: unique symbol = Symbol('send a shared notification')

/** What can be sent one. */
export interface SharedTarget {
  /** @returns resolves when it is on the wire, or kept for the other side of a session; undefined where it is. */
  [SEND_SHARED](notification: SharedNotification, options?: object): Promise<void> | undefined
}
