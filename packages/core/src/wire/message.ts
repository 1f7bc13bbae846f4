import type { Ran } from '../errors/error-origin.js'
import { ErrorCode } from '../errors/errors.js'

/**
 * JSON-RPC 2.0 messages: their shapes, and what kind of message a decoded value is.
 *
 * Source: JSON-RPC 2.0 Specification, sections 4 to 6, https://www.jsonrpc.org/specification.
 */

/** The id of a call on the wire. We issue integers, and send back any of these types exactly as received. */
export type MessageId = string | number | null

export interface RequestMessage {
  jsonrpc: '2.0'
  id: MessageId
  method: string
  params?: unknown
  /** The protocol's own member of the call. */
  rpc?: RequestExtras
}

/** The protocol's own member of a request. */
export interface RequestExtras {
  /** The idempotency key. */
  key?: string
  /** The caller accepts a stream: the number of items that may come. */
  credit?: number
  /** The caller sends items. */
  input?: true
  /** The caller wants progress. */
  progress?: true
  /** How long the caller will still wait, in ms. */
  deadlineMs?: number
  /** The metadata of the call. */
  meta?: Record<string, string>
  /** Between nodes of a cluster: the id of the channel that the call is for. */
  to?: string
}

export interface NotificationMessage {
  jsonrpc: '2.0'
  method: string
  params?: unknown
  /** The members of a request's that a notification can have. */
  rpc?: Pick<RequestExtras, 'meta' | 'to'>
}

export interface ErrorObject {
  code: number
  message: string
  data?: unknown
}

export interface ResultMessage {
  jsonrpc: '2.0'
  id: MessageId
  result: unknown
}

export interface ErrorMessage {
  jsonrpc: '2.0'
  id: MessageId
  error: ErrorObject
  /** Set not by the handler, but by the side that sends its answer. */
  rpc?: { ran: Ran }
}

export type ResponseMessage = ResultMessage | ErrorMessage

/** Every message that may be sent on its own. */
export type Message = RequestMessage | NotificationMessage | ResponseMessage

/** The protocol's own member of a request, as it came. */
export type ReceivedExtras = { readonly [name: string]: unknown }

/** The kind of a decoded value. */
export type Classified =
  | {
      kind: 'request'
      id: MessageId
      method: string
      params: unknown
      /** The protocol's own member, as it came. */
      rpc: ReceivedExtras | undefined
    }
  | { kind: 'notification'; method: string; params: unknown; rpc: ReceivedExtras | undefined }
  | { kind: 'result'; id: MessageId; result: unknown }
  | { kind: 'error'; id: MessageId; error: ErrorObject; ran: Ran | undefined }
  /** Meant as an answer, but not one: `result` and `error` both, a malformed `error`, no version. */
  | { kind: 'malformed-response'; id: MessageId | undefined; reason: string }
  /** Neither a request nor an answer: no `method`, no `result`, no `error`. */
  | { kind: 'neither'; id: MessageId }
  /** Meant as a request, but not one; `id` is null if none could be read. */
  | { kind: 'invalid'; id: MessageId; reason: string }

/** The most characters of an id: it is kept while its call runs, and is sent back in the answer. */
const LONGEST_ID = 256

/**
 * Finds out what kind of message a decoded value is. It reads own members only, so that a `__proto__` member is a
 * member like any other. Never throws.
 */
export function classify(value: unknown): Classified {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'invalid', id: null, reason: 'a message is an object' }
  }
  const message = value as Partial<Record<'jsonrpc' | 'id' | 'method' | 'params', unknown>>
  const hasId = Object.hasOwn(message, 'id')
  const id = hasId && isMessageId(message.id) ? message.id : null
  if (!Object.hasOwn(message, 'method')) {
    const isAnswer = Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')
    if (isAnswer) return classifyResponse(message, hasId && isMessageId(message.id))
    return { kind: 'neither', id }
  }
  if (!Object.hasOwn(message, 'jsonrpc') || message.jsonrpc !== '2.0') {
    return { kind: 'invalid', id, reason: 'jsonrpc must be "2.0"' }
  }
  if (typeof message.method !== 'string') {
    return { kind: 'invalid', id, reason: 'method must be a string' }
  }
  const params = Object.hasOwn(message, 'params') ? message.params : undefined
  if (params === null || (params !== undefined && typeof params !== 'object')) {
    return { kind: 'invalid', id, reason: 'params must be an object or an array' }
  }
  if (!hasId) {
    return { kind: 'notification', method: message.method, params, rpc: extrasOf(message) }
  }
  if (!isMessageId(message.id)) {
    const reason = `id must be a string of ${LONGEST_ID} characters at the most, a number or null`
    return { kind: 'invalid', id: null, reason }
  }
  return { kind: 'request', id, method: message.method, params, rpc: extrasOf(message) }
}

function classifyResponse(value: object, hasId: boolean): Classified {
  const message = value as { jsonrpc?: unknown; id: MessageId; result?: unknown; error?: unknown }
  const id = hasId ? message.id : undefined
  const malformed = (reason: string): Classified => ({ kind: 'malformed-response', id, reason })
  if (id === undefined) return malformed('it has no id')
  if (message.jsonrpc !== '2.0') return malformed('jsonrpc must be "2.0"')
  if (!Object.hasOwn(message, 'error')) return { kind: 'result', id, result: message.result }
  if (Object.hasOwn(message, 'result')) return malformed('it has both a result and an error')
  if (!isErrorObject(message.error)) {
    return malformed('its error has no integer code and string message')
  }
  return { kind: 'error', id, error: message.error, ran: readRan(message) }
}

/** Reads the member beside the error, which no handler can set, whatever it throws. */
function readRan(message: object): Ran | undefined {
  const ran = extrasOf(message)?.ran
  return ran === false || ran === null ? ran : undefined
}

/** @returns the protocol's own member of a message; undefined if it has none. */
function extrasOf(message: object): ReceivedExtras | undefined {
  const rpc = Object.hasOwn(message, 'rpc') && (message as { rpc?: unknown }).rpc
  if (typeof rpc !== 'object' || rpc === null) return undefined
  // A copy of the own members, because inherited members must not count.
  return Object.assign(Object.create(null), rpc) as ReceivedExtras
}

export function isMessageId(value: unknown): value is MessageId {
  if (typeof value === 'string') return value.length <= LONGEST_ID
  // A number that is too large for JavaScript is read as Infinity, which can't be sent back, because JSON does not have
  // it.
  return value === null || Number.isFinite(value)
}

function isErrorObject(value: unknown): value is ErrorObject {
  if (typeof value !== 'object' || value === null) return false
  const error = value as { code?: unknown; message?: unknown }
  return Number.isInteger(error.code) && typeof error.message === 'string'
}

/** @returns an error answer. `data` and `ran` are left out if they are undefined. */
export function errorMessage(
  id: MessageId,
  code: number,
  message: string,
  data?: unknown,
  ran?: Ran,
): ErrorMessage {
  const error: ErrorObject = data === undefined ? { code, message } : { code, message, data }
  const answer: ErrorMessage = { jsonrpc: '2.0', id, error }
  if (ran !== undefined) answer.rpc = { ran }
  return answer
}

/**
 * @returns a result answer. JSON-RPC requires the member, so `undefined` is sent as `null`.
 *
 * @throws {TypeError} if the result is a function or a symbol, which JSON would leave out.
 */
export function resultMessage(id: MessageId, result: unknown): ResultMessage {
  if (typeof result === 'function' || typeof result === 'symbol') {
    throw new TypeError(`A ${typeof result} can't be sent as a result. Return a value`)
  }
  return { jsonrpc: '2.0', id, result: result === undefined ? null : result }
}

/** @returns an error answer that also says that the call was not run and will not be. */
export function neverRanMessage(
  id: MessageId,
  code: number,
  message: string,
  data?: unknown,
): ErrorMessage {
  return errorMessage(id, code, message, data, false)
}

/** @returns the answer to a value that is not a request, or to a request that is refused. */
export function invalidRequestMessage(id: MessageId, reason: string, ran?: Ran): ErrorMessage {
  return errorMessage(id, ErrorCode.invalidRequest, `Invalid request: ${reason}`, undefined, ran)
}
