import type { At, Name } from '../contract/path.js'
import type {
  Handler,
  ItemOf,
  MethodName,
  Other,
  RemoteFunction,
  ResultOf,
  RpcStream,
  StreamName,
} from './functions.js'
import type { AnyHandler, ExposeOptions } from './handler.js'

/**
 * One end of a conversation in which both sides may call.
 *
 * `Local` has the methods that the other side can call here, `Remote` the methods that can be called there.
 */
export interface Peer<Local, Remote> {
  /** 128 random bits, in hexadecimal. */
  readonly id: string
  /**
   * The other side's `id`, from its hello; null before the hello, and with a plain peer. A client keeps its own `id`
   * when it connects again, so that a server can recognise it.
   */
  readonly otherId: string | null
  /**
   * The other side as an object of functions: `other.add({ a, b }, { timeout, signal })`.
   *
   * The function of a method resolves to the value that the handler there returned. The function of a notification
   * resolves to nothing, when the notification has been handed to the transport.
   *
   * Each call ends once. It rejects with `RpcError` if the other side's answer is an error, or with an error of this
   * side: `RpcUncertainError` (the other side no longer knows the outcome of a call with an idempotency key),
   * `RpcTimeoutError`, `RpcAbortedError`, `RpcDisconnectedError`, `RpcOverloadedError`, `RpcProtocolError` (the answer
   * is not JSON-RPC 2.0), `RpcValidationError` (the result breaks its schema, or the params can't be sent),
   * `RpcConfigError` (the options are wrong).
   */
  readonly other: Other<Remote>
  /** Calls a method by its name, like the function of that name in {@link other}. */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<ResultOf<At<Remote, K>>>
  /** Calls a stream by its name, like the function of that name in {@link other}. */
  stream<K extends StreamName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): RpcStream<ItemOf<At<Remote, K>>>
  /** Sends a notification by its name. Resolves when it has been handed to the transport. */
  notify<K extends Name<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<void>
  /**
   * Lets the other side call a handler. If several handlers have the same name, the newest serves a method, and all of
   * them receive a notification.
   *
   * @returns a function that removes the handler, so that the one before it serves again.
   * @throws {RpcConfigError} if the contract has no such method on this side.
   */
  expose<K extends Name<Local>, const Literal = never>(
    method: K,
    handler: Handler<At<Local, K>, this, Literal>,
    options?: ExposeOptions,
  ): () => void
}

/** A channel or a client of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyPeer = Peer<any, any>

/** A side without a contract: any functions, by their names. */
export type UntypedSide = Record<string, AnyHandler>
