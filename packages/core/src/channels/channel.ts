/// <reference lib="esnext.disposable" preserve="true" />

import type { HandlerContext, SomeHandlers } from '../calls/functions.js'
import type { ChannelHooks } from '../calls/hooks.js'
import type { Middleware } from '../calls/middleware-call.js'
import type { ChannelOptions } from '../calls/options.js'
import type { Peer } from '../calls/peer.js'
import type { Side } from '../contract/contract.js'
import type { Transport } from '../transport/transport.js'

/** A conversation over one connection: it ends with it. */
export interface Channel<Local, Remote> extends Peer<Local, Remote>, AsyncDisposable {
  /** Whether calls can be sent now: after the handshake, before the end. */
  readonly isConnected: boolean
  /**
   * Ends the connection. Open calls reject with `RpcDisconnectedError`. Safe to call twice.
   *
   * @param code 1000, or 3000–4999 (RFC 6455, section 7.4). Default 1000.
   * @param reason for the other side, at most 123 bytes.
   * @throws {RpcConfigError} where the code is none of these.
   */
  close(code?: number, reason?: string): Promise<void>
}

/** A channel of the serving side, which knows who is at the other end. */
export interface ServerChannel<Local, Remote, Identity = unknown> extends Channel<Local, Remote> {
  /**
   * Who the other side is, as this side found out: what an endpoint's `authenticate` made of the
   * request, or what `createChannel` was given.
   */
  readonly identity: Identity
  /** How many calls of the other side run here now. */
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
   * makes it on its next connection. What runs goes on; `close` ends it.
   *
   * @param retryAfterMs how long a client shall wait before it connects again, in ms. Default 0.
   */
  retire(retryAfterMs?: number): void
  /**
   * Whether the other side has a handler for a method now (in a page: whether a component that has it is
   * mounted), as it last said. In a session it says so again with each connection. False once the channel is
   * over; undefined where the other side does not say: a plain JSON-RPC peer.
   */
  has(method: keyof Remote & string): boolean | undefined
  /**
   * Tells of each change of what {@link has} says, with all methods that have a handler; last, with none, when
   * the channel is over. What is there when `onConnect` runs is no change.
   *
   * @returns ends that.
   */
  onMethods(listener: (methods: ReadonlySet<keyof Remote & string>) => void): () => void
  /** The groups that it is in. */
  readonly groups: ReadonlySet<string>
  /**
   * Joins a group, by which `endpoint.group(name)` finds it until it leaves or ends. Joined already, or ended:
   * changes nothing. In a session it stays in its groups from one connection to the next.
   *
   * @throws {RpcConfigError} where the name is no text, or empty.
   */
  join(group: string): void
  /** Leaves a group. @throws {RpcConfigError} where the name is no text, or empty. */
  leave(group: string): void
}

/** A channel of which nothing is known: of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyChannel = Channel<any, any>

/** What makes a channel of a transport. */
export interface CreateChannelOptions<Local, Remote, Literal = never>
  extends ChannelOptions,
    ChannelHooks<Channel<Local, Remote>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  /** The part that this program plays in the contract. The other end plays the other one. */
  side: Side
  /** What the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, Channel<Local, Remote>, Literal>
}

/** What makes a channel of the serving side, which may know who is at the other end. */
export interface CreateServerChannelOptions<Local, Remote, Identity = undefined, Literal = never>
  extends Omit<ChannelOptions, 'use'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  side: 'server'
  /** What the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, ServerChannel<Local, Remote, Identity>, Literal>
  /** What surrounds calls in both directions, outermost first; `call.identity` has its type. */
  use?: Middleware<NoInfer<Identity>> | readonly Middleware<NoInfer<Identity>>[]
  /** Who is at the other end: `identity` in every handler and on the channel. */
  identity?: Identity
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
}

/** Says of a call whether it may run. */
export type Authorizer<Local, Ch> = (
  method: keyof Local & string,
  context: HandlerContext<Ch>,
) => boolean | Promise<boolean>
