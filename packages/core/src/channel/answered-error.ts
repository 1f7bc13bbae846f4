import { withOrigin } from '../error-origin.js'
import {
  ErrorCode,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcUncertainError,
} from '../errors.js'
import { quoted } from '../quoted.js'
import type { Answer } from './connection-events.js'
import { type PendingCall, STATE } from './pending-call.js'

/**
 * The error of a call that the other side answered with one. A code has the meaning that this library gives it only
 * where the answer says what became of the call, which no handler can say: it is the handler's own otherwise.
 */
export function answeredError(
  { method, uncertain, deadline }: PendingCall,
  { error: { code, message, data }, ran }: Extract<Answer, { kind: 'error' }>,
): RpcError {
  if (ran === undefined) return new RpcError(code, message, data, { method })
  // It did not run this time. The time before, it may have.
  if (uncertain && ran === false) {
    return new RpcUncertainError(`"${method}" ${STATE['maybe-executed']}: ${quoted(message)}`, {
      method,
    })
  }
  const outcome = ran === false ? 'not-received' : 'maybe-executed'
  switch (code) {
    case ErrorCode.uncertain:
      return new RpcUncertainError(message, { method })
    case ErrorCode.timedOut:
      // Of all who wait for it, any may be the first to notice that the time is over.
      return withOrigin(new RpcTimeoutError(message, outcome, { method }), {
        isOwn: false,
        deadline,
      })
    case ErrorCode.cancelled:
      return new RpcAbortedError(message, outcome, { method })
    case ErrorCode.disconnected:
      return new RpcDisconnectedError(message, outcome, { method })
    case ErrorCode.overloaded:
      return new RpcOverloadedError(message, { method, outcome })
    default:
      return new RpcError(code, message, data, { method })
  }
}
