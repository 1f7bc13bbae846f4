import type { MessageId } from '../wire/message.js'
import type { AnyPeer } from './peer.js'

/** What travels beside a call's params, between flashrpc peers: short texts by name, such as `traceparent`. */
export type Meta = Record<string, string>

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
