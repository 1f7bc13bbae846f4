import type { CallContext } from '../calls/call-context.js'
import type { HandlerContext, RpcStream, SendOptions, Source } from '../calls/functions.js'
import type { Middleware } from '../calls/middleware-call.js'
import { relayedError } from '../calls/relayed-error.js'
import { RpcError } from '../errors/errors.js'
import type { CorePeer } from './core-peer.js'

/** The peer that a call is passed on to. */
export type Next = Pick<CorePeer, 'call' | 'stream' | 'notify'>

/**
 * Passes a call on as it came: its params, its streams, its progress, its key and, with its signal, its remaining time.
 * The caller gets the same outcome as without a program in between.
 *
 * @param more further options of the call that is made here. They are handled before the others.
 */
export function passOn(
  next: Next,
  params: unknown,
  context: HandlerContext,
  more?: object,
): unknown {
  const { method, kind, signal } = context
  if (kind === 'notification') {
    // A failure is reported to the `onError` of the sending side.
    return next.notify(method, params, { ...more, signal }).catch(() => {})
  }
  const options = { ...more, ...optionsOf(context) }
  if (kind === 'stream') return new PassedStream(next.stream(method, params, options), context)
  return next.call(method, params, options).catch((thrown) => {
    throw relayed(thrown, context)
  })
}

function optionsOf(context: HandlerContext): SendOptions {
  // The dispatcher made the context, so it has what the caller asked for.
  const { items, report, key, signal } = context as CallContext
  return {
    signal,
    // The timeout is the caller's.
    timeout: Number.POSITIVE_INFINITY,
    ...(items && { input: items }),
    ...(report && { onProgress: context.progress }),
    ...(key !== undefined && { idempotencyKey: key }),
  }
}

/** @returns the error for the caller. */
function relayed(thrown: unknown, { signal }: HandlerContext): unknown {
  // The call was cancelled, or is late: only the caller's side knows the reason.
  if (signal.aborted) return signal.reason
  return thrown instanceof RpcError ? relayedError(thrown) : thrown
}

/** The items of a stream, as they come; a generator around it could not be left while it waits for one. */
class PassedStream implements AsyncIterableIterator<unknown> {
  readonly #items: RpcStream<unknown>
  readonly #context: HandlerContext

  constructor(items: RpcStream<unknown>, context: HandlerContext) {
    this.#items = items
    this.#context = context
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      return await this.#items.next()
    } catch (thrown) {
      throw relayed(thrown, this.#context)
    }
  }

  return(): Promise<IteratorResult<unknown>> {
    return this.#items.return()
  }

  [Symbol.asyncIterator](): this & Source<unknown> {
    return this
  }
}

/** Passes on the `meta` of a call. It surrounds the calls in both directions on both ends. */
export const passMeta: Middleware = (call, next) => {
  if (call.parent) Object.assign(call.meta, call.parent.meta)
  return next()
}
