import type { Ran } from '../errors/error-origin.js'
import { originOf, own } from '../errors/error-origin.js'
import { ErrorCode, RpcError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { ErrorObject } from '../wire/message.js'

/** The errors for callers whose calls are not run, or fail. */

export function notFound(method: string): RpcError {
  return new RpcError(ErrorCode.methodNotFound, unknownMethod(method), undefined, { method })
}

/** The text for an unknown method name. It does not list other names. */
export function unknownMethod(method: string): string {
  return `Method not found: ${quoted(method)}`
}

export function notAllowed(method: string): RpcError {
  return new RpcError(ErrorCode.unauthorized, `Not allowed to call ${quoted(method)}`, undefined, {
    method,
  })
}

export function notMounted(method: string): RpcError {
  return new RpcError(
    ErrorCode.methodNotFound,
    `${quoted(method)} has no handler at the moment: it is in the contract, but nobody has exposed or mounted it. Add it to methods, expose it, or mount a component with useRpcMethod`,
    { reason: 'not-mounted' },
    { method },
  )
}

/** The error of a request that calls a stream as a method, or a method as a stream. */
export function notThisKind(method: string, isStream: boolean): RpcError {
  const message = isStream
    ? `${quoted(method)} is a stream, and was called as a method: call it by stream()`
    : `${quoted(method)} is not a stream, and was called as one: call it as a method`
  return new RpcError(ErrorCode.invalidRequest, message, undefined, { method })
}

/** The part of an error that is sent to the other side: its code, its message and, if it has any, its data. */
export interface ErrorForCaller extends ErrorObject {
  /** Whether the call ran, if this is known because the call was passed on. */
  readonly ran?: Ran | undefined
}

/**
 * The part of a thrown value that is sent to the other side. Only an {@link RpcError} is sent, and not one that this
 * library made of a failure on this side, such as a call that timed out, or a wrong option. Transports that refuse
 * connections use it, too. Never throws: if reading the members of an error throws, nothing of it is sent.
 *
 * @returns undefined if nothing of it may be sent.
 */
export function errorForCaller(thrown: unknown): ErrorForCaller | undefined {
  try {
    if (!(thrown instanceof RpcError)) return undefined
    const origin = originOf(thrown)
    if (origin?.isOwn) return undefined
    const { code, message, data } = thrown
    const ran = origin?.ran
    return Number.isInteger(code) ? { code, message: String(message), data, ran } : undefined
  } catch {
    return undefined
  }
}

/** The reason of the abort when a caller cancels its call. */
export function cancellation(): RpcError {
  return own(new RpcError(ErrorCode.cancelled, 'The caller has cancelled the call'))
}

export function isCancellation(reason: unknown): boolean {
  return reason instanceof RpcError && reason.code === ErrorCode.cancelled
}

/** Whether a handler failed because the deadline of its own call has passed. */
export function isOfDeadline(thrown: unknown, deadline: number): boolean {
  if (deadline <= performance.now()) return true
  try {
    if (!(thrown instanceof RpcError)) return false
    return originOf(thrown)?.deadline === deadline
  } catch {
    return false
  }
}

/** Whether a handler failed only because its signal was aborted with this reason. */
export function isOfAbort(thrown: unknown, reason: unknown): boolean {
  if (thrown === reason) return true
  try {
    if (thrown instanceof RpcError) return originOf(thrown)?.isOwn === true
    return thrown instanceof Error && thrown.name === 'AbortError'
  } catch {
    return false
  }
}

export function wasCancelled(method: string): string {
  return `${quoted(method)} was cancelled`
}

export function tookLonger(method: string): string {
  return `${quoted(method)} took longer than its caller waits`
}

export function tooLate(method: string): string {
  return `${quoted(method)} was not run: its caller's time had run out`
}
