import { answeredError } from '../calls/answered-error.js'
import { errorForCaller } from '../calls/refusals.js'
import { relayedError } from '../calls/relayed-error.js'
import type { Definition } from '../contract/contract.js'
import { describeThrown, ErrorCode, RpcError } from '../errors/errors.js'
import { isObject } from './checks.js'

/** The error of a target, as its node tells it. */
interface ToldFailure {
  readonly code: number
  readonly message: string
  readonly data?: unknown
  /** As `rpc.ran` of an answer (docs/protocol.md): false, it has not run; null, it may have. */
  readonly ran?: false | null
}

/** The outcome of one target, as its node tells it: the last 32 digits of its id, and its value or its error. */
export type ToldOutcome =
  | readonly [id: string, value: unknown]
  | readonly [id: string, value: null, error: ToldFailure]

export function toldValue(id: string, value: unknown): ToldOutcome {
  return [id, value === undefined ? null : value]
}

/** @param thrown the error of the call to the target. */
export function toldFailure(id: string, thrown: unknown): ToldOutcome {
  const error = thrown instanceof RpcError ? relayedError(thrown) : thrown
  const { code, message, data, ran } = errorForCaller(error) ?? {
    code: ErrorCode.internal,
    message: describeThrown(thrown),
    ran: null,
  }
  return [
    id,
    null,
    { code, message, ...(data !== undefined && { data }), ...(ran !== undefined && { ran }) },
  ]
}

/** @returns undefined if a value of another node is not an outcome. */
export function readOutcome(told: unknown): ToldOutcome | undefined {
  if (!Array.isArray(told) || !isShortId(told[0])) return undefined
  const [id, value, error] = told as [string, unknown, unknown]
  if (error === undefined || error === null) return [id, value]
  if (!isObject(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') {
    return undefined
  }
  const { code, message, data, ran } = error as { code: number; message: string } & Record<
    string,
    unknown
  >
  return [id, null, { code, message, data, ...((ran === false || ran === null) && { ran }) }]
}

/** Makes the error of a target, as it is at its own node. */
export function errorOf(
  method: string,
  definition: Definition | undefined,
  { code, message, data, ran }: ToldFailure,
): RpcError {
  const error = { code, message, data }
  return answeredError({ method, definition }, { error, ran })
}

/** Whether it is an id without its node. */
export function isShortId(id: unknown): id is string {
  return typeof id === 'string' && /^[0-9a-f]{32}$/.test(id)
}
