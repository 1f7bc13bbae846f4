/**
 * Messages of Python's flashrpc and of fastapi_websocket_rpc, and how they are read.
 *
 * Source: fastapi_websocket_rpc 0.1.29, `schemas.py` and `rpc_channel.py`.
 */

/** The methods with "_" at the beginning of their names. Each side has them, whatever it exposes. */
export const PING = '_ping_'
export const PONG = 'pong'
export const GET_CHANNEL_ID = '_get_channel_id_'

/** A call. An answer goes to its `call_id`. */
export interface PythonRequest {
  method: string
  arguments: object
  call_id: string | null
}

/** An answer. There is no error answer. */
export interface PythonResponse {
  result: unknown
  /** The Python type of the result, such as `int`. Readers need the member, and ignore its value. */
  result_type: string
  call_id: string
}

/** The content of a frame: usually one of the two. */
export type PythonMessage =
  | { request: PythonRequest; response: null }
  | { request: null; response: PythonResponse }

/** The content of a decoded frame. A part is missing if the frame does not have it. */
export interface ReadMessage {
  readonly request?: Readonly<PythonRequest> | Malformed
  readonly response?: Readonly<Pick<PythonResponse, 'result'>> & { readonly callId: string | null }
}

/** Meant as a request, but not one. */
export interface Malformed {
  readonly malformed: string
}

/**
 * Reads a decoded frame. A part may be null or absent; other members are ignored, as Python does. Never throws.
 *
 * @returns the content; `undefined` if it is not a message of this kind: not an object, or JSON-RPC 2.0.
 */
export function readPythonMessage(value: unknown): ReadMessage | undefined {
  if (!isObject(value) || Object.hasOwn(value, 'jsonrpc')) return undefined
  const request = member(value, 'request')
  const response = member(value, 'response')
  return {
    ...(request !== null && { request: readRequest(request) }),
    ...(isObject(response) && {
      response: { result: member(response, 'result'), callId: readCallId(response) },
    }),
  }
}

/** Whether a decoded first frame is of this kind: it has a part, which may be null. */
export function isPythonMessage(value: unknown): boolean {
  if (readPythonMessage(value) === undefined) return false
  return ['request', 'response'].some((name) => {
    const part = Object.hasOwn(value as object, name) && member(value as object, name)
    return part === null || isObject(part)
  })
}

function readRequest(request: unknown): PythonRequest | Malformed {
  if (!isObject(request)) return { malformed: 'a request is an object' }
  const method = member(request, 'method')
  if (typeof method !== 'string') return { malformed: 'method must be a string' }
  const args = member(request, 'arguments') ?? {}
  if (!isObject(args)) return { malformed: 'arguments must be an object' }
  return { method, arguments: args, call_id: readCallId(request) }
}

function readCallId(part: object): string | null {
  const id = member(part, 'call_id')
  return typeof id === 'string' ? id : null
}

/** @returns an own member; `null` if there is none. */
function member(of: object, name: string): unknown {
  return (Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : null) ?? null
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @returns the name of a result's type in Python. */
export function pythonTypeOf(result: unknown): string {
  if (result === null) return 'NoneType'
  if (Array.isArray(result)) return 'list'
  if (typeof result === 'number') return Number.isInteger(result) ? 'int' : 'float'
  return typeof result === 'string' ? 'str' : typeof result === 'boolean' ? 'bool' : 'dict'
}
