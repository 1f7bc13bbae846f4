import type { Ran } from '../errors/error-origin.js'
import { withOrigin } from '../errors/error-origin.js'
import { type Outcome, RpcError } from '../errors/errors.js'

/**
 * Makes the error for a handler that has passed its call on to another program. The caller gets the same error as it
 * would get from that program directly.
 *
 * @param cause the error of the call that was passed on.
 */
export function relayedError(cause: RpcError): RpcError {
  const { code, message, data, method } = cause
  const ran = ranBy((cause as { outcome?: Outcome }).outcome)
  return withOrigin(new RpcError(code, message, data, { method, cause }), { isOwn: false, ran })
}

function ranBy(outcome: Outcome | undefined): Ran | undefined {
  if (outcome === undefined) return undefined
  return outcome === 'maybe-executed' ? null : false
}
