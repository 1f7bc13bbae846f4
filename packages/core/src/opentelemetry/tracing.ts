import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { Middleware, MiddlewareCall } from '../calls/middleware-call.js'
import { assertOptions } from '../errors/assert-options.js'
import type { OptionKinds } from '../errors/options.js'
import { recordFailure, startAttributes } from './conventions.js'

/** How calls are traced. */
export interface TracingOptions {
  /** The provider of the tracer that makes the spans. Default: the one that was set for the whole program. */
  tracerProvider?: TracerProvider
  /** Further attributes of a span from its start, such as `server.address`. Default: none. */
  attributes?: (call: MiddlewareCall) => Attributes
}

const TRACING_OPTIONS = {
  tracerProvider: 'object',
  attributes: 'function',
} as const satisfies OptionKinds<TracingOptions>

/** The contexts of the spans of calls, for calls that handlers make. */
const contexts = new WeakMap<MiddlewareCall, Context>()

/**
 * Makes a middleware that traces calls in both directions with OpenTelemetry: each call has a span on either side,
 * and the spans of all programs that take part are in one trace.
 *
 * The trace travels in `call.meta`, as the program's propagator writes it (W3C Trace Context). A call that a handler
 * makes is a child of the handler's call, if the program has a context manager that follows promises, as Node's SDK
 * has. Without one, as in browsers, it is a child if the handler passes its `signal` on.
 *
 * Attributes and statuses are those of the semantic conventions for JSON-RPC, with two exceptions: notifications are
 * of the kinds `PRODUCER` and `CONSUMER`, and a stream that its caller leaves has not failed.
 *
 * @throws {RpcConfigError} naming the option that is wrong.
 * @see https://opentelemetry.io/docs/specs/semconv/rpc/json-rpc/
 */
export function tracing(options: TracingOptions = {}): Middleware {
  assertOptions('tracing', options, TRACING_OPTIONS)
  const { tracerProvider, attributes } = options
  return async (call, next) => {
    // The tracer is looked up for each call: a provider may be set after the channel was made.
    const tracer = (tracerProvider ?? trace).getTracer('@flashrpc/core')
    const outer = outerContext(call)
    const options = {
      kind: kindOf(call),
      attributes: { ...startAttributes(call), ...attributes?.(call) },
    }
    const span = tracer.startSpan(call.method, options, outer)
    const inner = trace.setSpan(outer, span)
    contexts.set(call, inner)
    if (call.direction === 'out') propagation.inject(inner, call.meta)
    try {
      return await context.with(inner, next)
    } catch (error) {
      recordFailure(span, call, error)
      throw error
    } finally {
      span.end()
    }
  }
}

/** The context that a call's span belongs to. */
function outerContext({ direction, meta, parent }: MiddlewareCall): Context {
  // When a message arrives, the active context is that of the code that opened the connection.
  if (direction === 'in') return propagation.extract(ROOT_CONTEXT, meta)
  const active = context.active()
  const ofParent = parent && contexts.get(parent)
  return ofParent && !trace.getSpan(active) ? ofParent : active
}

function kindOf({ direction, kind }: MiddlewareCall): SpanKind {
  if (kind === 'notification') return direction === 'out' ? SpanKind.PRODUCER : SpanKind.CONSUMER
  return direction === 'out' ? SpanKind.CLIENT : SpanKind.SERVER
}
