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
 * `Local` is what the other side can call here, `Remote` what can be called there.
 */
export interface Peer<Local, Remote> {
  /** 128 random bits, in hexadecimal. */
  readonly id: string
  /**
   * The other side's `id`, as its hello said; null before it, and with a plain JSON-RPC peer. A
   * client keeps its own over reconnects, so that a server can tell who has come back.
   */
  readonly otherId: string | null
  /**
   * The other side as an object of functions: `other.add({ a, b }, { timeout, signal })`.
   *
   * A method's function resolves to the value the handler there returned; a notification's to
   * nothing, once it has been handed to the wire.
   *
   * Each ends once. It rejects with `RpcError` (the other side's answer is an error), or, of this
   * side: `RpcUncertainError` (asked for by a key of which the other side knows no more),
   * `RpcTimeoutError`, `RpcAbortedError`, `RpcDisconnectedError`, `RpcOverloadedError`,
   * `RpcProtocolError` (the answer is no JSON-RPC 2.0), `RpcValidationError` (the result breaks its
   * schema, or the params can't be carried), `RpcConfigError` (the options are wrong).
   */
  readonly other: Other<Remote>
  /** Calls a method by its name; as the function of that name in {@link other}. */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): Promise<ResultOf<Remote[K]>>
  /** Calls a stream by its name; as the function of that name in {@link other}. */
  stream<K extends StreamName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): RpcStream<ItemOf<Remote[K]>>
  /** Sends a notification by name. Resolves once it has been handed to the wire. */
  notify<K extends keyof Remote & string>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): Promise<void>
  /**
   * Lets the other side call a handler. Of several under one name the newest serves a method, and
   * all of them hear a notification.
   *
   * @returns takes the handler away again, and lets the one before it serve.
   * @throws {RpcConfigError} where the contract has no such method on this side.
   */
  expose<K extends keyof Local & string, const Literal = never>(
    method: K,
    handler: Handler<Local[K], this, Literal>,
    options?: ExposeOptions,
  ): () => void
}

/** A channel or a client of which nothing is known: of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyPeer = Peer<any, any>

/** A side of which nothing is known but that it has functions. */
export type UntypedSide = Record<string, AnyHandler>
