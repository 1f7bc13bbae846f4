/// <reference lib="esnext.disposable" preserve="true" />
import type { IncomingMessage, Server } from 'node:http'
import type { Handlers } from '../calls/functions.js'
import type { ChannelHooks, OneOrMore } from '../calls/hooks.js'
import type { Implementable } from '../calls/implementable.js'
import type { Middleware } from '../calls/middleware-call.js'
import type { ChannelOptions } from '../calls/options.js'
import type { UntypedSide } from '../calls/peer.js'
import type { Audience } from '../channels/audience.js'
import type { Authorizer, ServerChannel } from '../channels/channel.js'
import { SERVER_CHANNEL_OPTIONS } from '../channels/open-channel.js'
import type { DiscoveryOption } from '../discovery/discovery-option.js'
import type { OptionKinds } from '../errors/options.js'
import type { ChannelLimits } from '../link/limits.js'
import type { Authenticate, RejectUpgrade } from './authentication.js'
import type { TrustProxy } from './client-address.js'
import type { Cluster } from './cluster.js'
import type { ClusterAudience } from './cluster-audience.js'
import type { ConnectionLimits } from './connection-limits.js'
import type { ExpiresAt } from './expiry.js'
import type { IdempotencyOptions } from './idempotency.js'
import type { PresenceOptions } from './presence-option.js'
import type { RemoteChannel } from './remote-channel.js'
import type { ResumeOptions } from './sessions.js'

/** The option that makes an endpoint part of a cluster. */
export interface ClusterOption {
  /**
   * Makes the endpoint one node of a cluster: `createCluster({ engine, app })` of `@flashrpc/core/cluster`. Then its
   * channels' ids are 48 hexadecimal digits, and begin with the id of the node. Default: no cluster.
   */
  cluster?: Cluster
}

/** The options of an endpoint. */
export interface EndpointOptions<Local, Remote, Identity = unknown, Literal = never>
  extends Omit<ChannelOptions, 'discover' | 'use'>,
    ClusterOption,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /**
   * Finds out the identity of a client before its connection is made. The result is `identity` in every handler and on
   * the channel. Throw {@link RejectUpgrade} to refuse. Any other error refuses with HTTP 500, and `onReject` gets its
   * reason. Default: every client may connect.
   *
   * `identity` has its type everywhere. TypeScript reads from top to bottom: write it before the handlers, or give its
   * param a type.
   */
  authenticate?: Authenticate<Identity>
  /** How long `authenticate` may take, in ms. After that, the client is refused with 503. Default 10,000. */
  authenticateTimeoutMs?: number
  /**
   * When the credentials of an identity end, in ms since the epoch or as a date, such as `({ exp }) => exp * 1000` of a
   * JSON Web Token; `undefined` for never. It is called once for each connection. Within a second of that time the
   * connection is closed with 4401, and its session ends; the client asks for credentials anew. A client that connects
   * with such credentials later is refused with 401. Default: they never end.
   */
  expiresAt?: ExpiresAt<Identity>
  /**
   * How long a request may take to arrive, its body included, in ms, on a server that `listen` makes. Then it is
   * dropped, within a second. Node's own limits, 60 s for headers and 300 s for bodies, help slow attackers. Default
   * 9,000.
   */
  handshakeTimeoutMs?: number
  /**
   * Which proxies in front of the server are trusted to name the client's address (`X-Forwarded-For`), in the form of
   * Express's setting `trust proxy`. Default false: none, so that all clients behind a proxy have its address.
   */
  trustProxy?: TrustProxy
  /**
   * Names the owner of a connection, for the limits that all clients share (`limits.share`). If it returns undefined,
   * the owner is the address. Default: the identity with all its members, as JSON; if there is no identity, or it has
   * no members, the address. Set it if several users have equal identities, or if a user's identity changes from one
   * connection to the next: `(identity) => identity.userId`.
   */
  owner?: (identity: Identity) => string | undefined
  /** Decides whether a call may run. If not, it is answered −32002. Default: all calls may run. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
  /**
   * Whether the request `rpc.discover` is answered with an OpenRPC document of the methods that the caller may call.
   * The title, the version and the description of the document may be given, or a function that answers instead.
   * Default: false. A client may send 20 such requests at once, and then one a second.
   */
  discover?: DiscoveryOption
  /**
   * Lets clients see who is in a group, live. `allow` decides who may see which group. Default: nobody may.
   */
  presence?: PresenceOptions<ServerChannel<Local, Remote, Identity>>
  /** The middleware of calls in both directions, outermost first; `call.identity` has its type. */
  use?: Middleware<Identity> | readonly Middleware<Identity>[]
  /**
   * Called for each connection that was refused: by `authenticate`, because of its origin or host, or by a limit. It is
   * also called, with status 500, for each upgrade that another listener has answered or ended meanwhile.
   */
  onReject?: OneOrMore<(request: IncomingMessage, rejection: RejectUpgrade) => unknown>
  /**
   * Keeps sessions. When a connection is lost, calls in both directions go on over the next one, each of them exactly
   * once and in order, while both processes live. Default: no sessions are kept.
   */
  resume?: ResumeOptions<Identity>
  /**
   * The window, in ms, over which clients reconnect that lose the server together; or a function of their number that
   * returns it. Clients get it when they connect, and with each pong. A client waits no longer than half of its
   * session's window, and no longer than its own `retry.maxDelayMs`. Default: 300 clients a second, in 30 s at the
   * most.
   */
  spreadMs?: number | ((clients: number) => number)
  /**
   * Keeps the answers of calls with an `idempotencyKey`, so that each runs once, however often it is sent. Default: no
   * answers are kept, and such calls are refused.
   */
  idempotency?: IdempotencyOptions<Identity>
  /** The limits of each channel, and of the number of connections. A limit that is left out keeps its default. */
  limits?: Partial<ChannelLimits> & ConnectionLimits
  /** The methods that clients can call. Default: those that `implement` is given. */
  methods?: Handlers<Local, ServerChannel<Local, Remote, Identity>, Literal> | undefined
  /**
   * The pages that may connect, besides those of the server's own origin: exact origins such as
   * `https://app.example.com`, or `'*'` for all. Programs that are not pages may always connect.
   */
  allowedOrigins?: readonly string[] | '*'
  /**
   * The names of the server, without ports, such as `app.example.com`; `'*'` for any. A page that was loaded by another
   * name does not count as the server's own: DNS rebinding makes such pages. Default: if the endpoint's own server
   * listens on a loopback address, `localhost`, `*.localhost`, `127.0.0.1` and `[::1]`; otherwise any.
   */
  allowedHosts?: readonly string[] | '*'
  /**
   * Whether frames are read and written in fewer steps than the package `ws` takes. False leaves all of them to `ws`,
   * which costs a small call some 15 % more CPU: set it to find out whether a fault lies there. If the private members
   * of the installed version of `ws` are not as expected, it is false by itself. Default true.
   */
  fastPath?: boolean
}

/** Where an endpoint serves on an existing server. */
export interface AttachOptions {
  /** The path of the WebSocket. Default `/`. */
  path?: string
}

/** Where an endpoint listens on a server of its own. */
export interface ListenOptions {
  /** The port. Default 0: any free port. */
  port?: number
  /** The address to listen on. Default 127.0.0.1: this machine only. */
  host?: string
  /** The path of the WebSocket. Default `/`. */
  path?: string
}

/** Where an endpoint listens. */
export interface Listening {
  /** The port. */
  readonly port: number
  /** The host, as it was given to `listen`. */
  readonly host: string
  /** The address for clients, such as `ws://127.0.0.1:8000/ws`. */
  readonly url: string
}

/** The serving side: it accepts connections and makes a channel for each. */
export interface Endpoint<Local, Remote, Identity = unknown>
  extends AsyncDisposable,
    Implementable<Local, ServerChannel<Local, Remote, Identity>> {
  /** The channels that are open now, and those of sessions that wait for their client. */
  readonly channels: ReadonlySet<ServerChannel<Local, Remote, Identity>>
  /** All channels, to be called together. */
  readonly all: Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * The channels that have joined a group (`channel.join`), to be called together. Each call goes to the channels that
   * are in the group when it is made. A group that no channel has joined is empty.
   *
   * @throws {RpcConfigError} if the name is not text, or is empty.
   */
  group(name: string): Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * Serves a path of an HTTP server of node:http, as Express, Fastify, Koa, Nest and Vite have one. Other listeners do
   * not get the upgrades to this path. Upgrades to other paths are left to other listeners. If there is none, they wait
   * 3 s for one, and are then answered 404.
   *
   * @returns a function that stops accepting on that path. Open channels stay open.
   * @throws {RpcConfigError} if the path is not valid, or is served already, the server is not one of node:http, or the
   *   endpoint was made without `methods` and methods of the contract have no handler yet.
   */
  attach(server: Server, options?: AttachOptions): () => void
  /**
   * Listens on a server of its own.
   *
   * @throws {RpcListenError} if the port is taken or forbidden.
   * @throws {RpcConfigError} if the endpoint was made without `methods` and methods of the contract have no handler yet.
   */
  listen(options?: ListenOptions): Promise<Listening>
  /**
   * Accepts no more connections, tells the clients that the server leaves (`rpc.bye`), and closes every channel (1001)
   * after its running calls have been answered, or when `drain` is over; in a cluster, also after its client has answered
   * the calls of other nodes that run. Streams may have no end, so nothing waits for
   * them: they go on until their channel is closed. Calls that clients make meanwhile go to the server that they
   * connect to next. Safe to call twice.
   */
  close(options?: CloseOptions): Promise<void>
}

/** An endpoint that is a node of a cluster. */
export interface ClusterEndpoint<Local, Remote, Identity = unknown>
  extends Omit<Endpoint<Local, Remote, Identity>, 'all' | 'group'> {
  /** All channels of all nodes, to be called together; `all.here` has those of this node. */
  readonly all: ClusterAudience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * The channels of all nodes that have joined a group (`channel.join`), to be called together; `here` of it has those of
   * this node. Each call goes to the channels that are in the group when their node gets it. A group that no channel has
   * joined is empty.
   *
   * @throws {RpcConfigError} if the name is not text, or is empty.
   */
  group(name: string): ClusterAudience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * One client, by the id of its channel: of this node, or of another one. Whether there is one is known when it is
   * called.
   *
   * @throws {RpcConfigError} if it is not the id of a channel in a cluster: 48 hexadecimal digits.
   */
  channel(id: string): RemoteChannel<Remote>
}

/**
 * The type of an endpoint, by whether its options have a `cluster`. It is one type and not two overloads, so that an error
 * in a handler is told at its line.
 */
export type EndpointOf<Options, Local, Remote, Identity> =
  Options extends Required<ClusterOption>
    ? ClusterEndpoint<Local, Remote, Identity>
    : Endpoint<Local, Remote, Identity>

/** How an endpoint closes. */
export interface CloseOptions {
  /** How long running calls may take to finish, in ms. Streams are not waited for. Default 0. */
  drain?: number
  /** How long clients should wait before they connect again, in ms. Default 0. */
  retryAfterMs?: number
}

/** The options of any contract, without their types. */
export type UntypedOptions = EndpointOptions<UntypedSide, UntypedSide>

export const ENDPOINT_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  authenticate: 'function',
  authenticateTimeoutMs: 'elsewhere',
  expiresAt: 'function',
  handshakeTimeoutMs: 'elsewhere',
  trustProxy: 'elsewhere',
  owner: 'function',
  onReject: 'functions',
  resume: 'elsewhere',
  spreadMs: 'elsewhere',
  idempotency: 'elsewhere',
  cluster: 'elsewhere',
  presence: 'elsewhere',
  allowedOrigins: 'elsewhere',
  allowedHosts: 'elsewhere',
  fastPath: 'boolean',
} as const satisfies OptionKinds<UntypedOptions>

export const ATTACH_OPTIONS = { path: 'elsewhere' } as const satisfies OptionKinds<AttachOptions>
export const LISTEN_OPTIONS = {
  port: 'elsewhere',
  host: 'string',
  path: 'elsewhere',
} as const satisfies OptionKinds<ListenOptions>
export const CLOSE_OPTIONS = {
  drain: 'elsewhere',
  retryAfterMs: 'elsewhere',
} as const satisfies OptionKinds<CloseOptions>
