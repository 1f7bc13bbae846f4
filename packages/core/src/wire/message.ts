import type { Ran } from '../errors/error-origin.js'
import { ErrorCode } from '../errors/errors.js'

/**
 * JSON-RPC 2.0 messages: their shapes, and what kind of message a decoded value is.
 *
 * Source: JSON-RPC 2.0 Specification, sections 4 to 6, https://www.jsonrpc.org/specification.
 */

/** A call's name on the wire. We issue integers and echo any of these exactly as received. */
export type MessageId = string | number | null

export interface RequestMessage {
  jsonrpc: '2.0'
  id: MessageId
  method: string
  params?: unknown
  /** The protocol's own words about the call. */
  rpc?: RequestExtras
}

/** What a request says beside its params. */
export interface RequestExtras {
  /** The idempotency key. */
  key?: string
  /** The caller takes a stream: so many items may come. */
  credit?: number
  /** Items come from the caller. */
  input?: true
  /** The caller listens to how far the call has come. */
  progress?: true
  /** How long the caller still waits, in ms. */
  deadlineMs?: number
  /** What travels beside the params. */
  meta?: Record<string, string>
}

export interface NotificationMessage {
  jsonrpc: '2.0'
  method: string
  params?: unknown
  /** Of a request's, what a notification can have. */
  rpc?: Pick<RequestExtras, 'meta'>
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
  /** Not the handler's word, but of who passes its answer on. */
  rpc?: { ran: Ran }
}

export type ResponseMessage = ResultMessage | ErrorMessage

/** Anything that may be sent on its own. */
export type Message = RequestMessage | NotificationMessage | ResponseMessage

/** What a request says beside its params, as it came. */
export type ReceivedExtras = { readonly [name: string]: unknown }

/** What a decoded value turned out to be. */
export type Classified =
  | {
      kind: 'request'
      id: MessageId
      method: string
      params: unknown
      /** What it says beside its params, as it came. */
      rpc: ReceivedExtras | undefined
    }
  | { kind: 'notification'; method: string; params: unknown; rpc: ReceivedExtras | undefined }
  | { kind: 'result'; id: MessageId; result: unknown }
  | { kind: 'error'; id: MessageId; error: ErrorObject; ran: Ran | undefined }
  /** Meant as an answer, but not one: `result` and `error` both, a malformed `error`, no version. */
  | { kind: 'malformed-response'; id: MessageId | undefined; reason: string }
  /** Neither a request nor an answer: no `method`, no `result`, no `error`. */
  | { kind: 'neither'; id: MessageId }
  /** Meant as a request, but not one; `id` is null where none could be read. */
  | { kind: 'invalid'; id: MessageId; reason: string }

/** The most characters of an id: it is kept while its call runs, and is sent back in the answer. */
const LONGEST_ID = 256

/**
 * Says what kind of message a decoded value is. Looks at own members only, so that a value with a
 * `__proto__` member is nothing but a value with a `__proto__` member. Never throws.
 */
export function classify(value: unknown): Classified {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'invalid', id: null, reason: 'a message is an object' }
  }
  const message = value as Partial<Record<'jsonrpc' | 'id' | 'method' | 'params', unknown>>
  const hasId = Object.hasOwn(message, 'id')
  const id = hasId && isMessageId(message.id) ? message.id : null
  if (!Object.hasOwn(message, 'method')) {
    const answers = Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')
    if (answers) return classifyResponse(message, hasId && isMessageId(message.id))
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

/** What no handler can say, whatever it throws: beside the error, not in it. */
function readRan(message: object): Ran | undefined {
  const ran = extrasOf(message)?.ran
  return ran === false || ran === null ? ran : undefined
}

/** The protocol's own member of a message; undefined if it has none. */
function extrasOf(message: object): ReceivedExtras | undefined {
  const rpc = Object.hasOwn(message, 'rpc') && (message as { rpc?: unknown }).rpc
  if (typeof rpc !== 'object' || rpc === null) return undefined
  // What is inherited is not said: a copy of the own members inherits nothing.
  return Object.assign(Object.create(null), rpc) as ReceivedExtras
}

export function isMessageId(value: unknown): value is MessageId {
  if (typeof value === 'string') return value.length <= LONGEST_ID
  // A number too large for us reads as Infinity, which can't be echoed: JSON has no word for it.
  return value === null || Number.isFinite(value)
}

function isErrorObject(value: unknown): value is ErrorObject {
  if (typeof value !== 'object' || value === null) return false
  const error = value as { code?: unknown; message?: unknown }
  return Number.isInteger(error.code) && typeof error.message === 'string'
}

/** An error answer. `data` is left out where there is none, and so is `ran`. */
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
 * A result answer. JSON-RPC requires the member, so `undefined` travels as `null`.
 *
 * @throws {TypeError} if the result is a function or a symbol, which JSON would leave out.
 */
export function resultMessage(id: MessageId, result: unknown): ResultMessage {
  if (typeof result === 'function' || typeof result === 'symbol') {
    throw new TypeError(`A ${typeof result} is no result`)
  }
  return { jsonrpc: '2.0', id, result: result === undefined ? null : result }
}

/** An error answer that says, too, that the call was not run and will not be. */
export function neverRanMessage(
  id: MessageId,
  code: number,
  message: string,
  data?: unknown,
): ErrorMessage {
  return errorMessage(id, code, message, data, false)
}

/** The answer to a value that is not a request, or to a request that is refused. */
export function invalidRequestMessage(id: MessageId, reason: string, ran?: Ran): ErrorMessage {
  return errorMessage(id, ErrorCode.invalidRequest, `Invalid request: ${reason}`, undefined, ran)
}
