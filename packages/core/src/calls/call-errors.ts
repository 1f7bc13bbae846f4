import { formatMs } from '../base/duration.js'
import {
  type Outcome,
  RpcDisconnectedError,
  type RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcValidationError,
} from '../errors/errors.js'
import type { PeerFacts } from '../link/peer-facts.js'
import { describeClose } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Unsendable } from '../wire/encoded.js'
import type { Absence } from './absence.js'
import type { TimeLimits } from './call-timer.js'
import { type CallProgress, OUTCOME_TEXTS, outcomeOf, type PendingCall } from './pending-call.js'

/** Why calls end, or can't be sent. */
export interface Refusal {
  readonly message: string
  readonly closeCode?: number | undefined
  readonly cause?: unknown
}

/** @returns the refusal of calls after a connection or a session ended like this. */
export function refusalOf(info: CloseInfo, what: string): Refusal {
  return { message: `${what} (${describeClose(info)})`, closeCode: info.code }
}

/** The error of a call without an answer, because its connection or session has ended or never began. */
export function disconnectedError(call: PendingCall, refusal: Refusal): RpcDisconnectedError {
  const outcome = outcomeOf(call)
  const { message, closeCode, cause } = refusal
  const items = call.itemCount
  const where = items === undefined ? '' : `, at item ${items} of its stream`
  const what = `"${call.method}" ${OUTCOME_TEXTS[outcome]}${where}: ${message}`
  return new RpcDisconnectedError(what, outcome, { method: call.method, closeCode, cause, items })
}

/**
 * The error of a call that has timed out.
 *
 * @param which the limit that was exceeded.
 * @param ms that limit.
 * @param absence describes the time without a connection; undefined while there is one.
 */
export function timeoutError(
  call: CallProgress & Pick<PendingCall, 'method'>,
  which: keyof TimeLimits,
  ms: number,
  absence: Absence | undefined,
): RpcTimeoutError {
  const { method } = call
  const outcome = outcomeOf(call)
  const what = which === 'total' ? 'timed out after' : 'showed no sign of life for'
  const text = `"${method}" ${what} ${formatMs(ms)}: ${stageOf(outcome, absence)}`
  const { cause } = absence ?? {}
  return new RpcTimeoutError(text, outcome, { method, ...(cause !== undefined && { cause }) })
}

/** Describes how far a call had come. */
function stageOf(outcome: Outcome, absence: Absence | undefined): string {
  // If there was never a connection, nothing can have been sent.
  if (absence?.isFirst) return absence.text
  return `it ${OUTCOME_TEXTS[outcome]}${absence ? `; ${absence.text}` : ''}`
}

/** The error of a call that the other side can't accept. `limits` is what the other side accepts. */
export function unsendableError(method: string, why: Unsendable, limits: PeerFacts): RpcError {
  if (typeof why === 'object') return why.ofCall(method)
  if (why === 'too-deep') return tooDeepError(method, limits.depth)
  return tooBigError(method, limits.message)
}

function tooBigError(method: string, limit: number): RpcOverloadedError {
  return new RpcOverloadedError(
    `"${method}" was not sent: its message is larger than the ${limit} bytes the other side accepts. Send less at once, or raise the other side's limit "message"`,
    { method },
  )
}

function tooDeepError(method: string, limit: number): RpcValidationError {
  const message = `its message nests deeper than the ${limit} levels the other side accepts`
  return new RpcValidationError(
    `"${method}" was not sent: ${message}. Send it flatter, or raise the other side's limit "depth"`,
    [{ message }],
    'not-sent',
    { method },
  )
}
