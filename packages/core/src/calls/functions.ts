import type { StandardSchemaV1 } from '@standard-schema/spec'
import type {
  MethodDefinition,
  NotificationDefinition,
  Schema,
  StreamDefinition,
} from '../contract/contract.js'
import type { Timeout } from './call-timer.js'

/**
 * How a side of a contract is seen by who calls it (`Other`) and by who serves it (`Handlers`).
 *
 * A side is either a part of a contract (definitions with schemas) or, where the peers trust each
 * other, an interface of plain functions.
 */

/** Options of one call. */
export interface CallOptions {
  /**
   * How long to wait for the answer, in ms; `Infinity` waits for ever. `{ idle, total }` bounds the time
   * without a sign of life of the call, too: progress, an item, the other side taking input. The total is
   * told to the other side, which does not start what nobody waits for any more. Default: the
   * channel's, which is not told; of a stream, none; of a call with input, the channel's as `idle`.
   */
  timeout?: Timeout
  /**
   * Gives the call up: it rejects with `RpcAbortedError`, and the handler's signal aborts. A handler that
   * passes its own on makes calls that have no more time than is left to it.
   */
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

// Whether there is a schema is asked as `S extends undefined`, never as `S extends Schema`: without `strictNullChecks`,
// `undefined` is assignable to every type, and a method without `input` would seem to have one.

/** What a schema takes; `None` if there is no schema. */
type InputOf<S, None = undefined> = S extends undefined
  ? None
  : S extends Schema
    ? StandardSchemaV1.InferInput<S>
    : None

/** What a schema gives; `None` if there is no schema. */
type OutputOf<S, None = undefined> = S extends undefined
  ? None
  : S extends Schema
    ? StandardSchemaV1.InferOutput<S>
    : None

/** The arguments of a remote function: params may be left out where the schema allows it. */
type CallArguments<Params, Options = CallOptions> = undefined extends Params
  ? [params?: Params, options?: Options]
  : [params: Params, options?: Options]

/** The same, where a stream of items may have to go along, or there is progress to listen to. */
type SendArguments<Params, Input, Progress = undefined> = Input extends undefined
  ? CallArguments<Params, MethodOptions<Progress>>
  : [params: Params, options: MethodOptions<Progress> & StreamedInput<InputOf<Input>>]

type MethodOptions<Progress> = Progress extends undefined
  ? CallOptions
  : CallOptions & ProgressOption<OutputOf<Progress>>

/** The option of a call that tells how far it has come. */
interface ProgressOption<Value> {
  /**
   * Is told how far the call has come. While it is busy (a promise), what comes waits, and of that the newest
   * only. Nothing is told after the call has ended; what it throws goes to `onError`.
   */
  onProgress?: (value: Value) => unknown
}

/** The option of a call that items go along with. */
interface StreamedInput<Item> {
  /**
   * The items that go along, each taken when the other side has room for it. When the call has ended,
   * or the other side wants no more, it is told to return. If it fails, the call is given up.
   */
  input: Source<Item>
}

/** Options of a call of which no contract says what it takes. */
export interface SendOptions
  extends CallOptions,
    Partial<StreamedInput<unknown>>,
    ProgressOption<never> {}

/**
 * The part of a web stream (`ReadableStream`) that is needed. Not every browser, and not every `lib` of TypeScript,
 * can iterate over one.
 */
export interface WebStream<Item> {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Item | undefined }>
    cancel(): Promise<void>
  }
}

/**
 * Where the items of a stream come from, such as an async generator, an array, a Node stream, or a web stream
 * (`file.stream()`, the `body` of a response). Each item is taken when the other side has room for it. An item that is
 * a `Uint8Array`, and too large for one message, arrives as several of 64 KiB at the most.
 */
export type Source<Item> = AsyncIterable<Item> | Iterable<Item> | WebStream<Item>

/**
 * A stream of the other side's items, for one `for await`.
 *
 * Nothing is sent before the first item is asked for. Leaving the loop, or `return()`, ends the stream at
 * its source. It rejects as a call does, after the items that came before; an item that breaks its
 * schema ends it with `RpcValidationError`. A second loop over it throws `RpcConfigError`.
 */
export interface RpcStream<Item> extends AsyncGenerator<Item, void, undefined> {
  /** How many items have come, those that were not taken yet among them. */
  readonly received: number
}

/** One member of `other`. */
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

/**
 * The other side as an object of functions. Without a contract, nothing tells at run time which of
 * them are streams: those are called by their name, with `stream`.
 */
export type Other<S> = {
  // Not `K in keyof S & string`: editors find the contract's line and comment from `other.add` only if the mapped type
  // is homomorphic, and `K in keyof S as …` is.
  readonly [K in keyof S as CallableName<S, K>]: RemoteFunction<S[K]>
}

/** `K` if `other` has a function of that name, otherwise never. */
type CallableName<S, K extends keyof S> = K extends string
  ? S[K] extends { kind: string }
    ? K
    : IsStream<S[K]> extends true
      ? never
      : K
  : never

/** Whether a member of a side is a stream; of a plain function, what it returns tells. */
type IsStream<M> = M extends StreamDefinition
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

/** Who is at the other end of a channel, where the channel says so. */
export type IdentityOf<Ch> = Ch extends { readonly identity: infer Identity } ? Identity : undefined

/** What a handler gets besides its params. */
export interface HandlerContext<Ch = unknown, M = unknown> {
  /**
   * Aborts when the caller gives the call up, when its time has run out, and when the connection is lost:
   * of a call with an idempotency key, when its callers have been gone for a while. Passed on to
   * other calls, it takes what is left of the time along.
   */
  readonly signal: AbortSignal
  /** The channel the call came over: `channel.other` calls back, to any depth. */
  readonly channel: Ch
  /** On a server, what its `authenticate` made of the connection's request; otherwise undefined. */
  readonly identity: IdentityOf<Ch>
  /** The name it was called by. */
  readonly method: string
  /** How it was called: to be answered once, by a stream, or not at all. */
  readonly kind: 'method' | 'stream' | 'notification'
  /**
   * The items that the caller sends along, for one `for await`; none where it sends none. Each is
   * asked for as it is read, and validated: one that breaks its schema is thrown as an `RpcError`
   * (−32602). Leaving the loop ends the caller's source.
   */
  readonly input: AsyncGenerator<InputItem<M>, void, undefined>
  /**
   * Tells the caller how far the call has come, where it listens. Of values that follow each other
   * faster than they can be sent, the newest is; one that can't be sent goes to `onError`.
   *
   * @throws {RpcConfigError} where the contract has no progress for the method.
   */
  readonly progress: (value: ProgressValue<M>) => void
  /** How long the caller still waits, in ms; `Infinity` where it has not said. */
  readonly timeLeft: number
  /** What the caller's middleware sent along, and what this side's has set: see `MiddlewareCall`. */
  readonly meta: Readonly<Record<string, string>>
}

/** What a handler tells of its progress. */
type ProgressValue<M> = M extends { readonly kind: string; readonly progress: infer P }
  ? InputOf<P, never>
  : M extends { readonly kind: string }
    ? never
    : unknown

/** What a handler finds in `input`. */
type InputItem<M> = M extends { readonly kind: string; readonly input: infer I }
  ? OutputOf<I, never>
  : M extends { readonly kind: string }
    ? never
    : unknown

/** What a handler gets: the params, as the schema gives them. */
type HandlerParams<M> = M extends { readonly kind: string; readonly params: infer P }
  ? OutputOf<P>
  : M extends (...args: infer A) => unknown
    ? A[0]
    : never

/** The value that a handler returns, or whose promise it returns: what the schema takes. */
type HandlerResult<M> =
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
 * No value has this type. While `M` is not known yet, it tells TypeScript to keep the literals that a handler returns as
 * they are written, at any depth: `'yes'`, and not any string. A list stays a mutable list.
 *
 * Numbers are not in it: in `() => list.reduce((sum, { n }) => sum + n, 0)` the type of the sum would be `0`.
 */
type Literally = (('' | true) & Never) | LiteralParts
type LiteralParts = LiteralObject | (Literally[] & Never)
interface LiteralObject extends Never {
  readonly [key: string]: Literally
}

/** The same for the items of a generator. No generator is assignable to it, since it would have to return `Never`. */
type LiteralItems =
  | { [Symbol.asyncIterator](): Steps<Promise<IteratorResult<Literally, Never>>> }
  | { [Symbol.iterator](): Steps<IteratorResult<Literally, Never>> }

// biome-ignore lint/suspicious/noExplicitAny: only with the very signatures of `Iterator` do both give an object its types
interface Steps<Step, Any = any> {
  next(...args: [] | [Any]): Step
  return?(value?: Any): Step
  throw?(error?: Any): Step
}

/** What a handler returns. */
type Returned<Value, Literal> =
  | Awaitable<Value | LiteralParts | (NoInfer<Literal> & LiteralParts)>
  // Not within the promise: `async () => list.reduce((text, { s }) => text + s, '')` would be of type `''`.
  | Literally
  | LiteralItems

/**
 * The function that serves one method or notification.
 *
 * It is a function whatever `M` is, and not a conditional type as a whole: only so can TypeScript find
 * out `Ch` from an option written before the handlers, such as `authenticate`.
 *
 * `Literal` is never, except in a function that takes handlers: there it is a `const` type parameter, which nothing is
 * assigned to. With it, TypeScript 6.0 and newer keep the literal of `async () => 'yes'`, too, and numbers.
 */
export type Handler<M, Ch = unknown, Literal = never> = (
  params: HandlerParams<M>,
  context: HandlerContext<Ch, M>,
) => Returned<HandlerResult<M>, Literal>

/** Handlers for all of a side. */
export type Handlers<S, Ch = unknown, Literal = never> = {
  readonly [K in keyof S]: Handler<S[K], Ch, Literal>
}

/** Handlers for some of a side; the rest may come later through `expose`. */
export type SomeHandlers<S, Ch = unknown, Literal = never> = {
  readonly [K in keyof S]?: Handler<S[K], Ch, Literal> | undefined
}

/** The names of the methods of a side, which are answered with a result. */
export type MethodName<S> = {
  [K in keyof S & string]: S[K] extends NotificationDefinition
    ? never
    : IsStream<S[K]> extends true
      ? never
      : K
}[keyof S & string]

/** What a method gives. */
export type ResultOf<M> =
  M extends MethodDefinition<infer _, infer R>
    ? OutputOf<R, unknown>
    : M extends (...args: infer _) => infer R
      ? Awaited<R>
      : never

/** How far a method tells that it has come: nothing, where its contract has no progress. */
export type ProgressOf<M> =
  M extends MethodDefinition<infer _, infer __, infer ___, infer Progress>
    ? OutputOf<Progress>
    : unknown

/** The names of the streams of a side, which are answered with items. */
export type StreamName<S> = {
  // Of a member that may be anything, too: an `any`.
  [K in keyof S & string]: true extends IsStream<S[K]> ? K : never
}[keyof S & string]

/** What a stream gives. */
export type ItemOf<M> =
  M extends StreamDefinition<infer _, infer T>
    ? OutputOf<T, unknown>
    : M extends (...args: infer _) => AsyncIterable<infer T>
      ? T
      : never
