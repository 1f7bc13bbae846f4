import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api'
import type { MiddlewareCall } from '../calls/middleware-call.js'
import { ErrorCode, RpcError } from '../errors/errors.js'

/**
 * The semantic conventions for spans of JSON-RPC calls, of version 1.45.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/rpc/json-rpc/
 */

/** @returns the attributes of a call that are known when it begins. */
export function startAttributes({ method, id, dialect }: MiddlewareCall): Attributes {
  // A dialect is not JSON-RPC, and the conventions have no name for it.
  if (dialect !== undefined) {
    return { 'rpc.system.name': `flashrpc.${dialect.toLowerCase()}`, 'rpc.method': method }
  }
  return {
    'rpc.system.name': 'jsonrpc',
    'rpc.method': method,
    'jsonrpc.protocol.version': '2.0',
    ...(id !== undefined && id !== null && { 'jsonrpc.request.id': String(id) }),
  }
}

/** Records on a span how its call failed. */
export function recordFailure(span: Span, call: MiddlewareCall, thrown: unknown): void {
  const { method, direction, kind } = call
  const error = isA(RpcError, thrown) ? thrown : undefined
  if (direction === 'in' && error?.code === ErrorCode.methodNotFound) {
    // Callers can use any name. Only names of methods that exist may become names of spans, so that their number is
    // bounded.
    span.updateName(OTHER)
    span.setAttributes({ 'rpc.method': OTHER, 'rpc.method_original': method })
  }
  const isLeft = error?.code === ErrorCode.cancelled && direction === 'in' && kind === 'stream'
  if (isLeft) return
  if (error && kind !== 'notification' && (direction === 'in' || isAnswer(error))) {
    span.setAttribute('rpc.response.status_code', String(error.code))
  }
  span.setAttribute('error.type', error ? String(error.code) : OTHER)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(error && { message: error.message }) })
  // The error that a handler threw, if its caller gets another one.
  const cause = direction === 'in' ? error?.cause : undefined
  if (isA(Error, cause)) span.recordException(cause)
}

const OTHER = '_OTHER'

/** `instanceof` throws for some values, such as a revoked proxy. */
function isA<E extends Error>(
  type: abstract new (...args: never[]) => E,
  thrown: unknown,
): thrown is E {
  try {
    return thrown instanceof type
  } catch {
    return false
  }
}

/** Whether the other side answered with this error. Errors that this side makes are of subclasses. */
function isAnswer(error: RpcError): boolean {
  return Object.getPrototypeOf(error) === RpcError.prototype
}
