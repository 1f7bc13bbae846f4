import { type Outcome, RpcError } from '../errors.js'
import type { Ran } from '../wire/message.js'

/**
 * What came of a call that was passed on: thrown in its handler, it tells the caller what that would have
 * been told without anybody in between.
 */
export class RelayedError extends RpcError {
  /** What is known of the call, besides its error. */
  readonly ran: Ran | undefined

  constructor(cause: RpcError) {
    const { code, message, data, method } = cause
    super(code, message, data, { method, cause })
    this.ran = ranBy((cause as { outcome?: Outcome }).outcome)
  }
}

function ranBy(outcome: Outcome | undefined): Ran | undefined {
  if (outcome === undefined) return undefined
  return outcome === 'maybe-executed' ? null : false
}
