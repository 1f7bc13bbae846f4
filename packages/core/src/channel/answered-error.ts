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
 * Makes the error of a call that the other side answered with an error. The code has this library's meaning only if
 * the answer also says whether the call ran (`rpc.ran`), which no handler can say. Otherwise it is a code of the
 * handler's own.
 */
export function answeredError(
  { method, uncertain, deadline }: PendingCall,
  { error: { code, message, data }, ran }: Extract<Answer, { kind: 'error' }>,
): RpcError {
  if (ran === undefined) return new RpcError(code, message, data, { method })
  // The call did not run this time. An earlier call with the same key may have run.
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
      // The caller, the handler and programs between them watch the same deadline: any of them may notice it first.
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
