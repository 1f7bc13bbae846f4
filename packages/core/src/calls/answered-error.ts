import { withOrigin } from '../errors/error-origin.js'
import {
  ErrorCode,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcUncertainError,
} from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { Answer } from '../link/message-link.js'
import { OUTCOME_TEXTS, type PendingCall } from './pending-call.js'
import { unknownMethod } from './refusals.js'

/** Added to the text if the contract here has the name. */
const MAY_BE_OLDER = '. The contract here has it, so the other side may be older'
/** Added to the text if there is no contract. */
const MAY_BE_WRONG = '. Correct the name, unless the other side is older and lacks it'

/**
 * Makes the error of a call that the other side answered with an error. The code has this library's meaning only if
 * the answer also says whether the call ran (`rpc.ran`), which no handler can say. Otherwise it is a code of the
 * handler's own.
 */
export function answeredError(
  call: Pick<PendingCall, 'method' | 'definition' | 'uncertain' | 'deadline'>,
  {
    error: { code, message, data },
    ran,
  }: Pick<Extract<Answer, { kind: 'error' }>, 'error' | 'ran'>,
): RpcError {
  const { method, uncertain, deadline } = call
  if (ran === undefined) {
    const text = code === ErrorCode.methodNotFound ? unknownText(call, message) : message
    return new RpcError(code, text, data, { method })
  }
  // The call did not run this time. An earlier call with the same key may have run.
  if (uncertain && ran === false) {
    return new RpcUncertainError(
      `"${method}" ${OUTCOME_TEXTS['maybe-executed']}: ${quoted(message)}`,
      {
        method,
      },
    )
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

/**
 * The remedy is added to this library's own text, also if another program passed that text on. A handler's own text is
 * not changed.
 */
function unknownText(
  { method, definition }: Pick<PendingCall, 'method' | 'definition'>,
  message: string,
): string {
  const unknown = unknownMethod(method)
  const isOurs = message === unknown || message === `${unknown}${MAY_BE_WRONG}`
  return isOurs ? `${unknown}${definition ? MAY_BE_OLDER : MAY_BE_WRONG}` : message
}
