import type { AnyPeer } from '../../calls/peer.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import type { MessageId } from '../../wire/message.js'
import type { Meta } from './meta.js'

/** A call on its way, in either direction, as middleware sees it. */
export interface MiddlewareCall<Identity = unknown> {
  /** Whether the other side makes it, or this one. */
  readonly direction: 'in' | 'out'
  /** Whether it is answered once, by a stream, or not at all. */
  readonly kind: 'method' | 'stream' | 'notification'
  readonly method: string
  /** As the caller gave them: of an incoming call, not validated yet. */
  readonly params: unknown
  /** The id of its request; `undefined` of a notification. */
  readonly id: MessageId | undefined
  /** The name of what the other side speaks, such as `Python`, where it is a dialect and not JSON-RPC 2.0. */
  readonly dialect: string | undefined
  /** The channel, or client, that it goes over. */
  readonly channel: AnyPeer
  /** On a server, who is at the other end; otherwise undefined. */
  readonly identity: Identity
  /**
   * Of an incoming call, its handler's: aborts when nobody waits for it any more. Of an outgoing one, aborts
   * when it fails: given up, timed out, cut off, answered with an error.
   */
  readonly signal: AbortSignal
  /**
   * What travels beside the params. What is set of an outgoing call before `next()` is sent along, to flashrpc
   * peers only: at most 32 texts, of 16,384 characters with their names. Of an incoming call, what came,
   * and `context.meta` of its handler.
   */
  readonly meta: Meta
  /**
   * Of an outgoing call, the incoming one that it is made for: its handler passed its `signal` on, and that
   * one went through middleware, too.
   */
  readonly parent: MiddlewareCall | undefined
}

/**
 * Surrounds calls in both directions.
 *
 * `next()` lets the call go on, once, and gives its result, or throws the error of the call; of a stream and of
 * a notification it gives nothing, when the one has ended and the other is sent, or heard. What the
 * middleware returns is the result, what it throws is the error.
 *
 * @example
 * const logging: Middleware = async (call, next) => {
 *   console.log(call.direction, call.method)
 *   return next()
 * }
 */
export type Middleware<Identity = unknown> = (
  call: MiddlewareCall<Identity>,
  next: () => Promise<unknown>,
) => unknown

/**
 * @returns the middlewares of an option, outermost first; `undefined` where there are none.
 * @throws {RpcConfigError} where one is no function.
 */
export function resolveMiddleware(
  use: Middleware | readonly Middleware[] | undefined,
): readonly Middleware[] | undefined {
  const all: readonly unknown[] = Array.isArray(use) ? [...use] : use === undefined ? [] : [use]
  const wrong = all.find((middleware) => typeof middleware !== 'function')
  if (wrong !== undefined || all.includes(undefined)) {
    throw new RpcConfigError(
      `use must be a middleware, (call, next) => …, or a list of them; one is of type ${wrong === null ? 'null' : typeof wrong}`,
    )
  }
  return all.length > 0 ? (all as readonly Middleware[]) : undefined
}

/**
 * Lets a call through its middlewares, in this turn as far as they let it.
 *
 * @param go what is behind the innermost.
 */
export function through(
  use: readonly Middleware[],
  call: MiddlewareCall,
  go: () => Promise<unknown>,
): Promise<unknown> {
  const enter = async (depth: number): Promise<unknown> => {
    const middleware = use[depth]
    if (!middleware) return go()
    let state: 'before' | 'called' | 'over' = 'before'
    const next = (): Promise<unknown> => {
      const rest = state === 'before' ? enter(depth + 1) : Promise.reject(nextError(call, state))
      if (state === 'before') state = 'called'
      // Middleware need not wait for it; a failure that nobody waits for ends no process.
      rest.catch(() => {})
      return rest
    }
    try {
      return await middleware(call, next)
    } finally {
      state = 'over'
    }
  }
  return enter(0)
}

function nextError({ method }: MiddlewareCall, state: 'called' | 'over'): RpcConfigError {
  const what = state === 'called' ? 'called next() twice' : 'called next() after it had returned'
  const remedy = state === 'called' ? 'call it once' : 'await it, or return it'
  return new RpcConfigError(`A middleware ${what} for ${quoted(method)}: ${remedy}`, { method })
}

/** The incoming calls, by the signals of their handlers. */
const calls = new WeakMap<AbortSignal, MiddlewareCall>()

/** @returns the incoming call whose handler was given this signal, where that went through middleware. */
export function callOf(signal: AbortSignal | undefined): MiddlewareCall | undefined {
  return signal && calls.get(signal)
}

/** From now on, calls that are made with this signal are made for that call. */
export function setCall(signal: AbortSignal, call: MiddlewareCall): void {
  calls.set(signal, call)
}
