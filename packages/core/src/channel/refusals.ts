import { ErrorCode, RpcError } from '../errors.js'
import type { ErrorObject, Ran } from '../wire/message.js'
import { RelayedError } from './relayed-error.js'

/** What callers are told of calls that are not run, or fail. */

export function notFound(method: string): RpcError {
  return new RpcError(ErrorCode.methodNotFound, `Method not found: "${method}"`, undefined, {
    method,
  })
}

export function notAllowed(method: string): RpcError {
  return new RpcError(ErrorCode.unauthorized, `Not allowed to call "${method}"`, undefined, {
    method,
  })
}

export function notMounted(method: string): RpcError {
  return new RpcError(
    ErrorCode.methodNotFound,
    `"${method}" has no handler at the moment: it is in the contract, but nobody has exposed or mounted it`,
    { reason: 'not-mounted' },
    { method },
  )
}

/** The error of a request that takes what its method gives for what it is not. */
export function notThisKind(method: string, isStream: boolean): RpcError {
  const message = isStream
    ? `"${method}" is a stream, and was called as a method: take its items, by stream()`
    : `"${method}" is no stream, and was called as one: call it as a method`
  return new RpcError(ErrorCode.invalidRequest, message, undefined, { method })
}

/** What a caller is told. */
export interface ToldError extends ErrorObject {
  /** What is known of the call, where it was passed on. */
  readonly ran?: Ran | undefined
}

/**
 * What a thrown value tells the caller: only an `RpcError` tells anything. Reads nothing twice and
 * survives errors whose members throw.
 */
export function toldError(thrown: unknown): ToldError | undefined {
  try {
    if (!(thrown instanceof RpcError)) return undefined
    const { code, message, data } = thrown
    const ran = thrown instanceof RelayedError ? thrown.ran : undefined
    return Number.isInteger(code) ? { code, message: String(message), data, ran } : undefined
  } catch {
    return undefined
  }
}

export function tooLate(method: string): string {
  return `"${method}" was not run: its caller's time had run out`
}
