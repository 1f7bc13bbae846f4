import type { StandardSchemaV1 } from '@standard-schema/spec'
import type {
  MethodDefinition,
  NotificationDefinition,
  Schema,
  StreamDefinition,
} from '../contract/contract.js'
import type { At, GroupOf, Name, WithKind } from '../contract/path.js'
import type { Timeout } from './call-timer.js'

/**
 * The types of a side of a contract: `Other` for the program that calls it, `Handlers` for the program that serves it.
 *
 * A side is either a part of a contract (definitions with schemas) or, if the two programs trust each other, an
 * interface of plain functions.
 */

/** Options of one call. */
export interface CallOptions {
  /**
   * How long to wait for the answer, in ms; `Infinity` waits for ever. `{ idle, total }` also limits the time without a
   * sign of life of the call: progress, an item, or the other side taking input. The total is sent to the other side,
   * which does not start a call after that time. Default: the channel's timeout, which is not sent; for a stream, none;
   * for a call with input, the channel's timeout as `idle`.
   */
  timeout?: Timeout
  /**
   * Aborts the call: it rejects with `RpcAbortedError`, and the handler's signal aborts. If a handler passes its own
   * signal on, the calls that it makes have no more time than the handler has left.
   */
  signal?: AbortSignal
  /**
   * Lets the server run the call once, however often it is sent. The server keeps the answer under this key, of 1 to
   * 256 characters; a call with the same key, method and params gets the same answer. If the connection is lost, the
   * call is sent again automatically, also to a server that was restarted, if that server still has the results. The
   * server needs the option `idempotency`. For methods, not for notifications.
   */
  idempotencyKey?: string
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

// Check for a schema with `S extends undefined`, never with `S extends Schema`: without `strictNullChecks`, `undefined`
// is assignable to every type, and a method without `input` would seem to have one.

/** The input type of a schema; `None` if there is no schema. */
export type InputOf<S, None = undefined> = S extends undefined
  ? None
  : S extends Schema
    ? StandardSchemaV1.InferInput<S>
    : None

/** The output type of a schema; `None` if there is no schema. */
export type OutputOf<S, None = undefined> = S extends undefined
  ? None
  : S extends Schema
    ? StandardSchemaV1.InferOutput<S>
    : None

/** The arguments of a function of `other`. The params may be left out if the schema allows it. */
export type CallArguments<Params, Options = CallOptions> = undefined extends Params
  ? [params?: Params, options?: Options]
  : [params: Params, options?: Options]

/** The arguments of a function of `other`, with the options for a stream of input items and for progress. */
export type SendArguments<Params, Input, Progress = undefined> = Input extends undefined
  ? CallArguments<Params, MethodOptions<Progress>>
  : [params: Params, options: MethodOptions<Progress> & StreamedInput<InputOf<Input>>]

/** The options of a call to a method. */
export type MethodOptions<Progress> = Progress extends undefined
  ? CallOptions
  : CallOptions & ProgressOption<OutputOf<Progress>>

/** The option that receives the progress of a call. */
export interface ProgressOption<Value> {
  /**
   * Called with the progress of the call. While the promise that it returned is pending, new values wait, and only the
   * newest of them is kept. It is not called after the call has ended. An error that it throws goes to `onError`.
   */
  onProgress?: (value: Value) => unknown
}

/** The option of a call with a stream of input items. */
export interface StreamedInput<Item> {
  /**
   * The input items. Each is taken from the source when the other side has room for it. When the call has ended, or the
   * other side wants no more items, the source is told to return. If the source fails, the call is aborted.
   */
  input: Source<Item>
}

/** Options of a call of a method without a contract. */
export interface SendOptions
  extends CallOptions,
    Partial<StreamedInput<unknown>>,
    ProgressOption<never> {}

/**
 * The part of a web stream (`ReadableStream`) that flashrpc uses. Not every browser, and not every `lib` of TypeScript,
 * can iterate over a web stream.
 */
export interface WebStream<Item> {
  /** Begins to read. */
  getReader(): {
    /** Takes the next item. */
    read(): Promise<{
      /** Whether the stream has ended. */
      done: boolean
      /** The item; undefined at the end. */
      value?: Item | undefined
    }>
    /** Ends the stream. */
    cancel(): Promise<void>
  }
}

/**
 * The source of the items of a stream, such as an async generator, an array, a Node stream, or a web stream
 * (`file.stream()`, the `body` of a response). Each item is taken when the other side has room for it. A `Uint8Array`
 * that is too large for one message arrives as several items of at most 64 KiB.
 */
export type Source<Item> = AsyncIterable<Item> | Iterable<Item> | WebStream<Item>

/**
 * A stream of items from the other side, for one `for await`.
 *
 * The call is sent when the first item is asked for. Leaving the loop, or `return()`, ends the stream at its source.
 * The stream rejects as a call does, after the items that arrived before the error. An item that breaks its schema ends
 * the stream with `RpcValidationError`. A second loop over it throws `RpcConfigError`.
 */
export interface RpcStream<Item> extends AsyncGenerator<Item, void, undefined> {
  /** The number of items that have arrived, including those that were not taken yet. */
  readonly received: number
}

/** The type of one function of `other`. */
export type RemoteFunction<M> =
  M extends MethodDefinition<infer P, infer R, infer I, infer Progress>
    ? (...args: SendArguments<InputOf<P>, I, Progress>) => Promise<OutputOf<R, unknown>>
    : M extends StreamDefinition<infer P, infer T, infer I>
      ? (...args: SendArguments<InputOf<P>, I>) => RpcStream<OutputOf<T, unknown>>
      : M extends NotificationDefinition<infer P>
        ? (...args: CallArguments<InputOf<P>>) => Promise<void>
        : M extends (...args: infer A) => infer R
          ? (
              ...args: CallArguments<A extends [infer P, ...unknown[]] ? P : A[0], SendOptions>
            ) => IsStream<M> extends true ? RpcStream<ItemOf<M>> : Promise<Awaited<R>>
          : never

/** The type of one member of `other`: a function, or for a group, an object of functions. */
export type RemoteMember<M> = M extends WithKind
  ? RemoteFunction<M>
  : RemoteFunction<M> | Other<GroupOf<M>>

/**
 * The other side as an object of functions, with an object of functions for each group. Without a contract, streams can't be recognised at run time: call them by
 * name, with `stream`.
 */
export type Other<S> = {
  // Not `K in keyof S & string`: editors find the contract's line and comment from `other.add` only if the mapped type
  // is homomorphic, and `K in keyof S as …` is.
  readonly [K in keyof S as CallableName<S, K>]: RemoteMember<S[K]>
}

/** `K` if `other` has a function of that name, otherwise never. */
export type CallableName<S, K extends keyof S> = K extends string
  ? S[K] extends WithKind
    ? K
    : IsStream<S[K]> extends true
      ? never
      : K
  : never

/** Whether a member of a side is a stream. For a plain function, its return type decides. */
export type IsStream<M> = M extends StreamDefinition
  ? true
  : M extends (...args: infer _) => infer R
    ? [R] extends [never]
      ? false
      : unknown extends R
        ? false
        : R extends AsyncIterable<unknown>
          ? true
          : false
    : false

/** The type of a channel's `identity`; undefined if the channel has none. */
export type IdentityOf<Ch> = Ch extends { readonly identity: infer Identity } ? Identity : undefined

/** The second argument of a handler, after its params. */
export interface HandlerContext<Ch = unknown, M = unknown> {
  /**
   * Aborts when the caller aborts the call, when the call's time has run out, and when the connection is lost. For a
   * call with an idempotency key, it aborts when the callers have been gone for a while. If it is passed on to other
   * calls, they have no more time than is left.
   */
  readonly signal: AbortSignal
  /** The channel that the call came over. `channel.other` calls the other side back, to any depth. */
  readonly channel: Ch
  /** On a server, the result of `authenticate` for the connection's request; otherwise undefined. */
  readonly identity: IdentityOf<Ch>
  /** The name of the called method. */
  readonly method: string
  /**
   * The kind of call: a `method` is answered once, a `stream` is answered with items, a `notification` is not answered.
   */
  readonly kind: 'method' | 'stream' | 'notification'
  /**
   * The input items of the caller, for one `for await`; empty if the caller sends none. Each item is asked for as it is
   * read, and validated: an item that breaks its schema is thrown as an `RpcError` (−32602). Leaving the loop ends the
   * caller's source.
   */
  readonly input: AsyncGenerator<InputItem<M>, void, undefined>
  /**
   * Sends the progress of the call to the caller, if the caller listens. If values follow each other faster than they
   * can be sent, only the newest is sent. If a value can't be sent, the error goes to `onError`.
   *
   * @throws {RpcConfigError} if the contract has no progress for the method.
   */
  readonly progress: (value: ProgressValue<M>) => void
  /** How long the caller still waits, in ms; `Infinity` if that is not known. */
  readonly timeLeft: number
  /** The metadata that the caller's middleware sent, and that this side's middleware has set: see `MiddlewareCall`. */
  readonly meta: Readonly<Record<string, string>>
}

/** The type of a handler's progress values. */
export type ProgressValue<M> = M extends { readonly kind: string; readonly progress: infer P }
  ? InputOf<P, never>
  : M extends WithKind
    ? never
    : unknown

/** The type of the items in a handler's `input`. */
export type InputItem<M> = M extends { readonly kind: string; readonly input: infer I }
  ? OutputOf<I, never>
  : M extends WithKind
    ? never
    : unknown

/** The type of a handler's params: the output of the schema. */
export type HandlerParams<M> = M extends { readonly kind: string; readonly params: infer P }
  ? OutputOf<P>
  : M extends (...args: infer A) => unknown
    ? A[0]
    : never

/** The type of a handler's result: the input of the schema. The handler may return a promise of it. */
export type HandlerResult<M> =
  M extends MethodDefinition<infer _, infer R>
    ? InputOf<R, unknown>
    : M extends StreamDefinition<infer _, infer T>
      ? Source<InputOf<T, unknown>>
      : M extends NotificationDefinition
        ? unknown
        : M extends (...args: infer _) => infer R
          ? IsStream<M> extends true
            ? Source<ItemOf<M>>
            : Awaited<R>
          : never

declare const never: unique symbol

/** No value has this type. */
interface Never {
  readonly [never]: never
}

/**
 * No value has this type. While `M` is not known yet, it makes TypeScript keep the literals that a handler returns as
 * they are written, at any depth: `'yes'`, and not any string. A list stays a mutable list.
 *
 * Numbers are left out: in `() => list.reduce((sum, { n }) => sum + n, 0)` the type of the sum would be `0`.
 */
type Literally = (('' | true) & Never) | LiteralParts
type LiteralParts = LiteralObject | (Literally[] & Never)
interface LiteralObject extends Never {
  readonly [key: string]: Literally
}

/**
 * Keeps the literals in the items of a generator, as `Literally` does. No generator is assignable to it, since it would
 * have to return `Never`.
 */
type LiteralItems =
  | { [Symbol.asyncIterator](): Steps<Promise<IteratorResult<Literally, Never>>> }
  | { [Symbol.iterator](): Steps<IteratorResult<Literally, Never>> }

// biome-ignore lint/suspicious/noExplicitAny: only with the very signatures of `Iterator` do both give an object its types
interface Steps<Step, Any = any> {
  next(...args: [] | [Any]): Step
  return?(value?: Any): Step
  throw?(error?: Any): Step
}

/** The return type of a handler. */
type Returned<Value, Literal> =
  | Awaitable<Value | LiteralParts | (NoInfer<Literal> & LiteralParts)>
  // Not within the promise: `async () => list.reduce((text, { s }) => text + s, '')` would be of type `''`.
  | Literally
  | LiteralItems

/**
 * The function that serves one method or notification.
 *
 * It is a function type for every `M`, and not a conditional type as a whole: otherwise TypeScript could not infer `Ch`
 * from an option written before the handlers, such as `authenticate`.
 *
 * `Literal` is never, except in a function that takes handlers: there it is a `const` type parameter, to which nothing
 * is assigned. With it, TypeScript 6.0 and newer also keep the literal of `async () => 'yes'`, and numbers.
 */
export type Handler<M, Ch = unknown, Literal = never> = (
  params: HandlerParams<M>,
  context: HandlerContext<Ch, M>,
) => Returned<HandlerResult<M>, Literal>

/** Handlers for all methods of a side, in their groups. */
export type Handlers<S, Ch = unknown, Literal = never> = {
  // Not a conditional type, for the reason that `Handler` gives. For a method, the second half is never.
  readonly [K in keyof S]: Handler<S[K], Ch, Literal> | Handlers<GroupOf<S[K]>, Ch, Literal>
}

/** Handlers for some methods of a side, in their groups. Others may be added later with `expose`. */
export type SomeHandlers<S, Ch = unknown, Literal = never> = {
  readonly [K in keyof S]?:
    | Handler<S[K], Ch, Literal>
    | SomeHandlers<GroupOf<S[K]>, Ch, Literal>
    | undefined
}

/** Handlers for all methods of a side, by their names on the wire: `{ 'users.get': … }`. */
export type HandlersByPath<S, Ch = unknown, Literal = never> = {
  readonly [N in Name<S>]: Handler<At<S, N>, Ch, Literal>
}

/** The handler of the method at a path, or the handlers of the group at a path. */
export type HandlersAt<S, P, Ch = unknown, Literal = never> = [GroupOf<At<S, P>>] extends [never]
  ? Handler<At<S, P>, Ch, Literal>
  : Handlers<GroupOf<At<S, P>>, Ch, Literal>

/** The names of the methods of a side, which are answered with a result. */
export type MethodName<S> = {
  [K in keyof S & string]: S[K] extends NotificationDefinition
    ? never
    : IsStream<S[K]> extends true
      ? never
      : [GroupOf<S[K]>] extends [never]
        ? K
        : `${K}.${MethodName<GroupOf<S[K]>>}`
}[keyof S & string]

/** The type of a method's result. */
export type ResultOf<M> =
  M extends MethodDefinition<infer _, infer R>
    ? OutputOf<R, unknown>
    : M extends (...args: infer _) => infer R
      ? Awaited<R>
      : never

/** The type of a method's progress; undefined if its contract has no progress. */
export type ProgressOf<M> =
  M extends MethodDefinition<infer _, infer __, infer ___, infer Progress>
    ? OutputOf<Progress>
    : unknown

/** The names of the streams of a side, which are answered with items. */
export type StreamName<S> = {
  // This includes a member of type `any`, which may be a stream.
  [K in keyof S & string]: true extends IsStream<S[K]>
    ? K
    : [GroupOf<S[K]>] extends [never]
      ? never
      : `${K}.${StreamName<GroupOf<S[K]>>}`
}[keyof S & string]

/** The type of a stream's items. */
export type ItemOf<M> =
  M extends StreamDefinition<infer _, infer T>
    ? OutputOf<T, unknown>
    : M extends (...args: infer _) => AsyncIterable<infer T>
      ? T
      : never
