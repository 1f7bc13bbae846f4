import type { CallContext } from '../calls/call-context.js'
import type { HandlerContext, RpcStream, SendOptions, Source } from '../calls/functions.js'
import type { Middleware } from '../calls/middleware-call.js'
import { relayedError } from '../calls/relayed-error.js'
import type { CorePeer } from '../channels/core-peer.js'
import { RpcError } from '../errors/errors.js'

/** Whoever a call is passed on to. */
export type Next = Pick<CorePeer, 'call' | 'stream' | 'notify'>

/**
 * Passes a call on as it came: its params, its streams, its progress, its key, and with its signal what is left
 * of its time. Its caller is told what came of it as if nobody were in between.
 */
export function passOn(next: Next, params: unknown, context: HandlerContext): unknown {
  const { method, kind, signal } = context
  if (kind === 'notification') {
    // What it fails of is told where it is sent.
    return next.notify(method, params, { signal }).catch(() => {})
  }
  const options = optionsOf(context)
  if (kind === 'stream') return new PassedStream(next.stream(method, params, options), context)
  return next.call(method, params, options).catch((thrown) => {
    throw relayed(thrown, context)
  })
}

function optionsOf(context: HandlerContext): SendOptions {
  // Of the dispatcher's own making, which knows what the caller asked for.
  const { items, report, key, signal } = context as CallContext
  return {
    signal,
    // How long it may take is its caller's affair.
    timeout: Number.POSITIVE_INFINITY,
    ...(items && { input: items }),
    ...(report && { onProgress: context.progress }),
    ...(key !== undefined && { idempotencyKey: key }),
  }
}

/** What the caller is told. */
function relayed(thrown: unknown, { signal }: HandlerContext): unknown {
  // It was given up, or is late: why, is not for who was asked to say.
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

/** Passes on what travels beside the params. Goes around the calls in both directions of both ends. */
export const passMeta: Middleware = (call, next) => {
  if (call.parent) Object.assign(call.meta, call.parent.meta)
  return next()
}
