import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { MethodDefinition, NotificationDefinition, Schema } from '../contract.js'

/**
 * How a side of a contract is seen by who calls it (`Other`) and by who serves it (`Handlers`).
 *
 * A side is either a part of a contract (definitions with schemas) or, where the peers trust each
 * other, an interface of plain functions.
 */

/** Options of one call. */
export interface CallOptions {
  /** How long to wait for the answer, in ms; `Infinity` waits for ever. Default: the channel's. */
  timeout?: number
  /** Gives the call up: it rejects with `RpcAbortedError`, and the handler's signal aborts. */
  signal?: AbortSignal
  /**
   * Lets the server run the call once, however often it is sent: it keeps the answer by this key, 1 to
   * 256 characters, and a call with the same key, method and params gets the same. A call that was cut
   * off is then sent again by itself, also to a server that was restarted, where that still has the
   * results. The server needs `idempotency`. For methods, not for notifications.
   */
  idempotencyKey?: string
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

type InputOf<S> = S extends Schema ? StandardSchemaV1.InferInput<S> : undefined
type OutputOf<S> = S extends Schema ? StandardSchemaV1.InferOutput<S> : undefined

/** The arguments of a remote function: params may be left out where the schema allows it. */
type CallArguments<Params> = undefined extends Params
  ? [params?: Params, options?: CallOptions]
  : [params: Params, options?: CallOptions]

/** One member of `other`. */
export type RemoteFunction<M> =
  M extends MethodDefinition<infer P, infer R>
    ? (...args: CallArguments<InputOf<P>>) => Promise<R extends Schema ? OutputOf<R> : unknown>
    : M extends NotificationDefinition<infer P>
      ? (...args: CallArguments<InputOf<P>>) => Promise<void>
      : M extends (...args: infer A) => infer R
        ? (
            ...args: CallArguments<A extends [infer P, ...unknown[]] ? P : A[0]>
          ) => Promise<Awaited<R>>
        : never

/** The other side as an object of functions. */
export type Other<S> = { readonly [K in keyof S & string]: RemoteFunction<S[K]> }

/** Who is at the other end of a channel, where the channel says so. */
export type IdentityOf<Ch> = Ch extends { readonly identity: infer Identity } ? Identity : undefined

/** What a handler gets besides its params. */
export interface HandlerContext<Ch = unknown> {
  /**
   * Aborts when the caller gives the call up, and when the connection is lost: of a call with an
   * idempotency key, when its callers have been gone for a while.
   */
  readonly signal: AbortSignal
  /** The channel the call came over: `channel.other` calls back, to any depth. */
  readonly channel: Ch
  /** On a server, what its `authenticate` made of the connection's request; otherwise undefined. */
  readonly identity: IdentityOf<Ch>
  /** The name it was called by. */
  readonly method: string
}

/** What a handler gets: the params, as the schema gives them. */
type HandlerParams<M> = M extends { readonly kind: string; readonly params: infer P }
  ? OutputOf<P>
  : M extends (...args: infer A) => unknown
    ? A[0]
    : never

/** What a handler gives: what the schema takes. */
type HandlerResult<M> =
  M extends MethodDefinition<infer _, infer R>
    ? R extends Schema
      ? Awaitable<InputOf<R>>
      : unknown
    : M extends NotificationDefinition
      ? unknown
      : M extends (...args: infer _) => infer R
        ? Awaitable<Awaited<R>>
        : never

declare const never: unique symbol
/**
 * No value has this type. While `M` is not known yet, it tells TypeScript to take a handler's literals
 * as they stand: `'yes'`, and not any string.
 */
type Literally = ('' | 0 | 0n | true) & { readonly [never]: never }

/**
 * The function that serves one method or notification.
 *
 * It is a function whatever `M` is, and not a conditional type as a whole: only so can TypeScript find
 * out `Ch` from an option written before the handlers, such as `authenticate`.
 */
export type Handler<M, Ch = unknown> = (
  params: HandlerParams<M>,
  context: HandlerContext<Ch>,
) => HandlerResult<M> | Literally

/** Handlers for all of a side. */
export type Handlers<S, Ch = unknown> = { readonly [K in keyof S & string]: Handler<S[K], Ch> }

/** Handlers for some of a side; the rest may come later through `expose`. */
export type SomeHandlers<S, Ch = unknown> = {
  readonly [K in keyof S & string]?: Handler<S[K], Ch> | undefined
}

/** The names of the methods of a side, which are answered. */
export type MethodName<S> = {
  [K in keyof S & string]: S[K] extends NotificationDefinition ? never : K
}[keyof S & string]
