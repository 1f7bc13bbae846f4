/// <reference lib="esnext.disposable" preserve="true" />

import type { HandlerContext, SomeHandlers } from '../calls/functions.js'
import type { ChannelHooks } from '../calls/hooks.js'
import type { Middleware } from '../calls/middleware-call.js'
import type { ChannelOptions } from '../calls/options.js'
import type { Peer } from '../calls/peer.js'
import type { Side } from '../contract/contract.js'
import type { Name } from '../contract/path.js'
import type { Transport } from '../transport/transport.js'
import type { JoinOptions } from './groups.js'

/** A conversation over one connection. It ends when the connection ends. */
export interface Channel<Local, Remote> extends Peer<Local, Remote>, AsyncDisposable {
  /** Whether calls can be sent now: after the handshake, before the end. */
  readonly isConnected: boolean
  /**
   * Ends the connection. Open calls reject with `RpcDisconnectedError`. Safe to call twice.
   *
   * @param code 1000, or 3000–4999 (RFC 6455, section 7.4). Default 1000.
   * @param reason for the other side, at most 123 bytes.
   * @throws {RpcConfigError} if the code is none of these.
   */
  close(code?: number, reason?: string): Promise<void>
}

/** A channel of the serving side, which knows the identity of the other side. */
export interface ServerChannel<Local, Remote, Identity = unknown> extends Channel<Local, Remote> {
  /**
   * The identity of the other side: what an endpoint's `authenticate` returned for the request, or what `createChannel`
   * was given.
   */
  readonly identity: Identity
  /** The number of calls of the other side that run here now. */
  readonly running: number
  /**
   * Whether calls of the other side, other than streams, still run here, or the other side does not know yet that this
   * one retires. Before you call `close`, wait until this is false: see {@link whenServed}.
   */
  readonly isServing: boolean
  /** @returns a promise that resolves as soon as {@link isServing} is false; it never rejects. */
  whenServed(): Promise<void>
  /**
   * Tells the other side that this one leaves. A call that comes after that is not run, and is given back: a client
   * makes it on its next connection. Calls that run go on; `close` ends them.
   *
   * @param retryAfterMs how long a client should wait before it connects again, in ms. Default 0.
   */
  retire(retryAfterMs?: number): void
  /**
   * Whether the other side has a handler for a method now (in a page: whether a component that has it is mounted), as
   * it last reported. In a session it reports again on each connection. False once the channel has ended; undefined if
   * the other side does not report its methods, as a plain peer does not.
   */
  has(method: Name<Remote>): boolean | undefined
  /**
   * Calls the listener when a result of {@link has} changes, with all methods that have a handler; and, without any,
   * when the channel ends. The methods that are there when `onConnect` runs are not a change.
   *
   * @returns a function that removes the listener.
   */
  onMethods(listener: (methods: ReadonlySet<Name<Remote>>) => void): () => void
  /** The groups that the channel is in. */
  readonly groups: ReadonlySet<string>
  /**
   * Joins a group: `endpoint.group(name)` finds the channel until it leaves the group or ends. If it is in the group
   * already and `info` is the same, or it has ended, nothing changes. In a session it stays in its groups from one connection to the next.
   *
   * @throws {RpcConfigError} if the name is not text, or is empty.
   * @throws {RpcConfigError} in a cluster, if `info` is too large, or the codec can't carry it.
   * @throws {RpcOverloadedError} if the channel is in `limits.groups` groups already.
   */
  join(group: string, options?: JoinOptions): void
  /** Leaves a group. @throws {RpcConfigError} if the name is not text, or is empty. */
  leave(group: string): void
}

/** A channel of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyChannel = Channel<any, any>

/** The options of `createChannel`. */
export interface CreateChannelOptions<Local, Remote, Literal = never>
  extends ChannelOptions,
    ChannelHooks<Channel<Local, Remote>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  /** The side of the contract that this program is. The other end is the other side. */
  side: Side
  /** The methods that the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, Channel<Local, Remote>, Literal>
}

/** The options of `createChannel` on the serving side, which may know the identity of the other side. */
export interface CreateServerChannelOptions<Local, Remote, Identity = undefined, Literal = never>
  extends Omit<ChannelOptions, 'use'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  /** The side of the contract that this program is. */
  side: 'server'
  /** The methods that the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, ServerChannel<Local, Remote, Identity>, Literal>
  /** The middleware of calls in both directions, outermost first; `call.identity` has its type. */
  use?: Middleware<NoInfer<Identity>> | readonly Middleware<NoInfer<Identity>>[]
  /** The identity of the other side: `identity` in every handler and on the channel. */
  identity?: Identity
  /** Decides whether a call may run. If not, it is answered −32002. Default: all calls may run. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
}

/** Decides whether a call may run. */
export type Authorizer<Local, Ch> = (
  method: Name<Local>,
  context: HandlerContext<Ch>,
) => boolean | Promise<boolean>
