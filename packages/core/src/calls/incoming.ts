import type { ReceivedExtras } from '../wire/message.js'

/** A call or a notification that came in. */
export interface Incoming {
  readonly method: string
  readonly params: unknown
  /** What it says beside its params, as it came. */
  readonly rpc?: ReceivedExtras | undefined
}
