import type { MessageId } from '../wire/message.js'
import type { AnyPeer } from './peer.js'

/**
 * The metadata of a call, sent beside its params between flashrpc peers: short texts by name, such as `traceparent`.
 */
export type Meta = Record<string, string>

/** A call in either direction, as middleware sees it. */
export interface MiddlewareCall<Identity = unknown> {
  /** `in` if the other side makes the call, `out` if this side does. */
  readonly direction: 'in' | 'out'
  /**
   * The kind of call: a `method` is answered once, a `stream` is answered with items, a `notification` is not answered.
   */
  readonly kind: 'method' | 'stream' | 'notification'
  /** The name of the method. */
  readonly method: string
  /** The params that the caller gave. Those of an incoming call are not validated yet. */
  readonly params: unknown
  /** The id of the request; `undefined` for a notification. */
  readonly id: MessageId | undefined
  /** The name of the other side's dialect, such as `Python`; undefined if the other side speaks JSON-RPC 2.0. */
  readonly dialect: string | undefined
  /** The channel, or client, that the call goes over. */
  readonly channel: AnyPeer
  /** On a server, the identity of the other side; otherwise undefined. */
  readonly identity: Identity
  /**
   * For an incoming call, the signal of its handler: it aborts when nobody waits for the call any more. For an outgoing
   * call, it aborts when the call fails: it was aborted, timed out, lost its connection, or was answered with an error.
   */
  readonly signal: AbortSignal
  /**
   * The metadata beside the params. For an outgoing call, the texts that are set before `next()` are sent, to flashrpc
   * peers only: at most 32 texts, of 16,384 characters together with their names. For an incoming call, the metadata
   * that arrived, which is also `context.meta` of its handler.
   */
  readonly meta: Meta
  /**
   * For an outgoing call, the incoming call that it is made for: the handler of that call passed its `signal` on, and
   * that call also went through middleware.
   */
  readonly parent: MiddlewareCall | undefined
}

/**
 * Surrounds calls in both directions.
 *
 * `next()` lets the call go on, once. It resolves to the result, or rejects with the error of the call. For a stream,
 * it resolves to nothing when the stream has ended; for a notification, when it was sent, or when its handlers have
 * ended. The value that the middleware returns is the result of the call, and the error that it throws is the error.
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
