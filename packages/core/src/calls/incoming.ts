import type { ReceivedExtras } from '../wire/message.js'

/** A call or a notification that has arrived. */
export interface Incoming {
  readonly method: string
  readonly params: unknown
  /** The extras beside its params, as they arrived. */
  readonly rpc?: ReceivedExtras | undefined
}
