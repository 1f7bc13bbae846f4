/// <reference lib="esnext.disposable" preserve="true" />
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { WebSocketServer } from '#ws'
import { guarded } from '../base/guarded.js'
import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { Authorize } from '../calls/dispatcher.js'
import type { Feature } from '../calls/feature.js'
import { answering } from '../calls/feature-table.js'
import type { Handlers } from '../calls/functions.js'
import type { ChannelHooks, OneOrMore } from '../calls/hooks.js'
import type { Middleware } from '../calls/middleware-call.js'
import type { ChannelOptions } from '../calls/options.js'
import type { UntypedSide } from '../calls/peer.js'
import { type Audience, createAudience } from '../channels/audience.js'
import type { Authorizer, ServerChannel } from '../channels/channel.js'
import { assertGroup, Groups } from '../channels/groups.js'
import {
  ChannelKind,
  type ChannelKindOptions,
  type LiveChannel,
  type Visitor,
} from '../channels/live-channel.js'
import { SERVER_CHANNEL_OPTIONS } from '../channels/open-channel.js'
import type { Contract } from '../contract/contract.js'
import { type DiscoveryOption, resolveDiscovery } from '../discovery/discovery-option.js'
import { assertDuration, assertMs } from '../errors/assert-number.js'
import { assertOptions, kindOf, listOf, type OptionKinds } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { plain, quoted } from '../errors/quoted.js'
import type { Connection } from '../link/connection.js'
import type { HelloParams, Keys } from '../link/hello.js'
import type { ChannelLimits } from '../link/limits.js'
import type { Reception } from '../link/server-handshake.js'
import { hookContext, OF_CONNECTION } from '../logging/error-context.js'
import { logFailure } from '../logging/log-failure.js'
import { describeWithStack, log } from '../logging/logger.js'
import { CloseCode } from '../transport/close-codes.js'
import { wsTransport } from '../transport/node/fast-ws-transport.js'
import { LONGEST_GOODBYE_MS } from '../transport/node/ws-transport.js'
import { withRetryAfter } from '../transport/retry-after.js'
import type { CloseInfo } from '../transport/transport.js'
import { truncateReason } from '../transport/web-socket.js'
import { type Admission, type Authenticate, admit, RejectUpgrade } from './authentication.js'
import { ClientAddresses, type TrustProxy } from './client-address.js'
import { type ConnectionLimits, Connections, channelLimitsOf } from './connection-limits.js'
import { EarlyReader } from './early-reader.js'
import { type ExpiresAt, Expiry } from './expiry.js'
import { type Hearer, hearUpgrades } from './hear-upgrades.js'
import { Idempotency, type IdempotencyOptions } from './idempotency.js'
import { listen } from './listen.js'
import { Owners } from './owners.js'
import { type ResumeOptions, Sessions } from './sessions.js'
import type { Owner } from './shares.js'
import { Spread } from './spread.js'
import {
  assertPageRules,
  isPage,
  type PageRules,
  pathOf,
  refusalOfPage,
  refuseUpgrade,
} from './upgrade.js'

/** What an endpoint is made with. */
export interface EndpointOptions<Local, Remote, Identity = unknown, Literal = never>
  extends Omit<ChannelOptions, 'discover' | 'use'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /**
   * Finds out who asks for a connection, before there is one. What it returns is `identity` in every
   * handler and on the channel. Throw {@link RejectUpgrade} to refuse; anything else that is thrown
   * refuses with HTTP 500, and `onReject` learns why. Without it, everybody may connect.
   *
   * `identity` has its type everywhere. TypeScript reads from top to bottom: write it before the
   * handlers, or give its param a type.
   */
  authenticate?: Authenticate<Identity>
  /** How long `authenticate` may take, in ms; then the client is told 503. Default 10,000. */
  authenticateTimeoutMs?: number
  /**
   * When the credentials of an identity end, in ms since the epoch or as a date, such as
   * `({ exp }) => exp * 1000` of a JSON Web Token; `undefined` for never. Asked once for each connection. Within a second of
   * that time the connection is closed with 4401, and its session ends; the client asks for credentials anew. A client
   * that connects with such credentials later is refused with 401. Default: they never end.
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
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
  /**
   * Tell callers that ask (`rpc.discover`) what they may call, as an OpenRPC document of the contract; its
   * title, version and description may be given, or what answers instead. Default: false. A client may ask 20
   * times at once, and then once a second.
   */
  discover?: DiscoveryOption
  /** What surrounds calls in both directions, outermost first; `call.identity` has its type. */
  use?: Middleware<Identity> | readonly Middleware<Identity>[]
  /**
   * Told of each connection that was refused: by `authenticate`, for its origin or host, or by a limit; and of each
   * upgrade that somebody else has answered or ended meanwhile, as one with status 500.
   */
  onReject?: OneOrMore<(request: IncomingMessage, rejection: RejectUpgrade) => unknown>
  /**
   * Keeps sessions: calls, both ways, that a lost connection cut off go on over the next one, each of
   * them exactly once and in order, while both processes live. Default: none are kept.
   */
  resume?: ResumeOptions<Identity>
  /**
   * Over how long a time, in ms, clients come back that lose the server together; or a function of their number that
   * returns it. Clients are told it as they connect, and with each pong. A client waits no longer than half of its
   * session's window, and no longer than its own `retry.maxDelayMs`. Default: 300 clients a second, in 30 s at the
   * most.
   */
  spreadMs?: number | ((clients: number) => number)
  /**
   * Keeps the answers of calls with an `idempotencyKey`, so that each runs once, however often it is sent.
   * Default: none are kept, and such calls are refused.
   */
  idempotency?: IdempotencyOptions<Identity>
  /** Bounds of each channel, and of how many there are; what is left out keeps its default. */
  limits?: Partial<ChannelLimits> & ConnectionLimits
  /** What clients can call. */
  methods: Handlers<Local, ServerChannel<Local, Remote, Identity>, Literal>
  /**
   * The pages that may connect, besides those of the server's own origin: exact origins such as
   * `https://app.example.com`, or `'*'` for all. Programs that are no pages always may.
   */
  allowedOrigins?: readonly string[] | '*'
  /**
   * The names the server goes by, without ports, such as `app.example.com`; `'*'` for any. A page
   * that came by another name is not of the server's own origin: DNS rebinding makes such. Default:
   * if the endpoint's own server listens on a loopback address, `localhost`, `*.localhost`,
   * `127.0.0.1` and `[::1]`; otherwise any.
   */
  allowedHosts?: readonly string[] | '*'
  /**
   * Whether frames are read and written in fewer steps than the package `ws` takes. False leaves all of them to `ws`,
   * which costs a small call some 15 % more CPU: set it to find out whether a fault lies there. It is false by itself
   * with a version of `ws` whose private members are not as expected. Default true.
   */
  fastPath?: boolean
}

/** Where an endpoint serves on a server that is there. */
export interface AttachOptions {
  /** The path of the WebSocket. Default `/`. */
  path?: string
}

/** Where an endpoint listens on a server of its own. */
export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1: this machine only. */
  host?: string
  /** The path of the WebSocket. Default `/`. */
  path?: string
}

/** Where an endpoint listens. */
export interface Listening {
  readonly port: number
  readonly host: string
  /** The address for clients, such as `ws://127.0.0.1:8000/ws`. */
  readonly url: string
}

/** The serving side: it accepts connections and makes a channel for each. */
export interface Endpoint<Local, Remote, Identity = unknown> extends AsyncDisposable {
  /** The channels that are open now; with sessions, those that wait for their client, too. */
  readonly channels: ReadonlySet<ServerChannel<Local, Remote, Identity>>
  /** All of them, to be called together. */
  readonly all: Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * The channels that have joined a group (`channel.join`), to be called together: those that are in it when a
   * call is made. A group that no channel has joined is empty.
   *
   * @throws {RpcConfigError} if the name is not a text, or is empty.
   */
  group(name: string): Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * Serves a path of an HTTP server: node:http, and so Express, Fastify, Koa, Nest, Vite. Nobody else hears of the
   * upgrades to it. Upgrades to other paths are left to other listeners; if there is none, they wait 3 s for
   * one, and are then answered 404.
   *
   * @returns stops accepting there; open channels stay.
   * @throws {RpcConfigError} if the path is not one, or is served already, or the server is not one of node:http.
   */
  attach(server: Server, options?: AttachOptions): () => void
  /**
   * Listens on a server of its own.
   *
   * @throws {RpcListenError} if the port is taken or forbidden.
   */
  listen(options?: ListenOptions): Promise<Listening>
  /**
   * Accepts no more, tells its clients that it leaves (`rpc.bye`), and closes every channel (1001), each
   * once its calls that run have been answered; streams, which may have no end, go on as long, and end with it. What
   * clients call meanwhile goes to the server they connect to next. Safe to call twice.
   */
  close(options?: CloseOptions): Promise<void>
}

/** How an endpoint closes. */
export interface CloseOptions {
  /** How long calls that run may take to finish, in ms. Nothing waits for streams. Default 0. */
  drain?: number
  /** How long clients shall wait before they connect again, in ms. Default 0. */
  retryAfterMs?: number
}

/** Of every contract, its types gone. */
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
  allowedOrigins: 'elsewhere',
  allowedHosts: 'elsewhere',
  fastPath: 'boolean',
} as const satisfies OptionKinds<UntypedOptions>

const ATTACH_OPTIONS = { path: 'elsewhere' } as const satisfies OptionKinds<AttachOptions>
const LISTEN_OPTIONS = {
  port: 'elsewhere',
  host: 'string',
  path: 'elsewhere',
} as const satisfies OptionKinds<ListenOptions>
const CLOSE_OPTIONS = {
  drain: 'elsewhere',
  retryAfterMs: 'elsewhere',
} as const satisfies OptionKinds<CloseOptions>

/** How long a socket may take over its closing handshake, in ms. */
const GOODBYE_MS = 1_000
/** How often it is looked at whose request takes too long, in ms; Node's default is 30 s. */
const CHECK_MS = 1_000

/** An endpoint; its types are gone. */
export class WebSocketEndpoint implements Endpoint<UntypedSide, UntypedSide> {
  readonly channels: ReadonlySet<LiveChannel>
  readonly all: Audience<UntypedSide, LiveChannel>
  readonly #channels = new Set<LiveChannel>()
  readonly #groups = new Groups<LiveChannel>()
  /** Those whose client has not said yet who it is. */
  readonly #opening = new Set<LiveChannel>()
  readonly #sessions: Sessions | undefined
  readonly #idempotency: Idempotency | undefined
  readonly #addresses: ClientAddresses
  readonly #owners: Owners
  readonly #connections: Connections
  readonly #spread: Spread
  readonly #options: UntypedOptions
  readonly #kind: ChannelKind
  readonly #sockets: WebSocketServer
  readonly #detach = new Set<() => void>()
  readonly #ownServers = new Set<Server>()
  readonly #expiry: Expiry | undefined
  readonly #authenticateTimeoutMs: number
  readonly #handshakeTimeoutMs: number
  /** What ends each authentication that is under way. */
  readonly #authenticating = new Set<AbortController>()
  #closing: Promise<void> | undefined

  /** @param features what its channels can do. */
  constructor(
    contract: Contract | undefined,
    options: UntypedOptions,
    features: readonly Feature[],
  ) {
    this.#options = options
    this.channels = this.#channels
    this.all = createAudience(() => this.#channels)
    if (options.methods === undefined) {
      throw new RpcConfigError('methods is missing: it must be an object of functions')
    }
    assertPageRules(options as PageRules)
    const { authenticateTimeoutMs = 10_000, handshakeTimeoutMs = 9_000 } = options
    this.#authenticateTimeoutMs = assertMs('authenticateTimeoutMs', authenticateTimeoutMs)
    this.#handshakeTimeoutMs = assertMs('handshakeTimeoutMs', handshakeTimeoutMs)
    this.#connections = new Connections(options.limits)
    this.#addresses = new ClientAddresses(options.trustProxy)
    this.#owners = new Owners(options.owner, this.#addresses.areForwarded, (thrown) =>
      this.#hookFailed('owner', thrown),
    )
    this.#expiry =
      options.expiresAt &&
      new Expiry(options.expiresAt as ExpiresAt<unknown>, () => [
        ...this.#opening,
        ...this.#channels,
      ])
    this.#spread = new Spread(options.spreadMs)
    this.#sessions =
      options.resume === undefined
        ? undefined
        : new Sessions(options.resume as ResumeOptions, this.#connections.share)
    this.#kind = this.#kindOf(contract, options, features)
    const { limits, format } = this.#kind.settings
    const { idempotency, authenticate } = options
    this.#idempotency =
      idempotency === undefined
        ? undefined
        : new Idempotency(
            idempotency as IdempotencyOptions,
            authenticate !== undefined,
            format.codec,
          )
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: limits.message,
      // Costs far more than it saves on small messages, and invites bombs.
      perMessageDeflate: false,
      // An option that the types of `ws` do not have yet. Our transport itself ends the connection of a client that
      // takes nothing, and sooner.
      ...({ closeTimeout: LONGEST_GOODBYE_MS } as object),
    })
  }

  group(name: string): Audience<UntypedSide, LiveChannel> {
    assertGroup(name)
    return createAudience(() => this.#groups.membersOf(name))
  }

  attach(server: Server, options: AttachOptions = {}): () => void {
    assertOptions('attach', options, ATTACH_OPTIONS)
    assertServer(server)
    return this.#attach(server, options.path, true)
  }

  #attach(server: Server, path = '/', isShared: boolean): () => void {
    assertPath(path)
    if (this.#closing) throw new RpcConfigError('The endpoint was closed; create another')
    const hearer: Hearer = {
      isLeaving: () => this.#closing !== undefined,
      upgrade: (request, socket, head) => {
        const boundTo = this.#ownServers.has(server) ? boundAddress(server) : undefined
        void this.#upgrade(request, socket, head, boundTo)
      },
      unheard: (request, paths) => this.#unheard(request, paths),
    }
    const stop = hearUpgrades(server, path, hearer, isShared)
    const detach = (): void => {
      stop()
      this.#detach.delete(detach)
    }
    this.#detach.add(detach)
    return detach
  }

  /** Nobody serves the path of an upgrade: its client has a wrong path, or the other server is missing. */
  #unheard(request: IncomingMessage, paths: string): void {
    log(
      this.#options.logger,
      'warn',
      () =>
        `refused a connection from ${this.#addresses.of(request)}: 404 nobody serves the path ${quoted(pathOf(request))} on this server. Connect to ${paths}, or attach an endpoint with that path`,
      OF_CONNECTION,
    )
  }

  async listen(options: ListenOptions = {}): Promise<Listening> {
    assertOptions('listen', options, LISTEN_OPTIONS)
    const { port = 0, host = '127.0.0.1', path = '/' } = options
    assertPath(path)
    const server = createServer({ connectionsCheckingInterval: CHECK_MS }, (_, response) => {
      response.writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' })
      response.end(`This is a WebSocket server; connect to ${path} with a flashrpc client.\n`)
    })
    server.headersTimeout = this.#handshakeTimeoutMs
    server.requestTimeout = this.#handshakeTimeoutMs
    const detach = this.#attach(server, path, false)
    try {
      const address = await listen(server, port, host)
      if (this.#closing) {
        await new Promise((resolve) => server.close(resolve))
        throw new RpcConfigError('The endpoint was closed while it began to listen; create another')
      }
      this.#ownServers.add(server)
      const name = host.includes(':') ? `[${host}]` : host
      return { port: address.port, host, url: `ws://${name}:${address.port}${path}` }
    } catch (error) {
      detach()
      throw error
    }
  }

  close(options: CloseOptions = {}): Promise<void> {
    try {
      assertOptions('close', options, CLOSE_OPTIONS)
      for (const [name, ms = 0] of Object.entries(options)) assertDuration(`close: ${name}`, ms)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    boundTo: string | undefined,
  ): Promise<void> {
    // An upgrading socket without a listener ends the process with its first reset.
    socket.on('error', () => {})
    const why = refusalOfPage(request, this.#options as PageRules, boundTo)
    // Never let in, not even to be told: a foreign page gets no WebSocket.
    if (why !== undefined) return this.#refuse(request, socket, new RejectUpgrade(403, why))
    if (this.#closing) return this.#refuse(request, socket, closing())
    const address = this.#addresses.of(request)
    const written = bytesWritten(socket)
    const { admission, owner, read } = await this.#admit(request, socket, head, address)
    if (hasLeft(socket)) return
    // Whatever comes next reads the socket again.
    socket.resume()
    // The client could not understand anything that is sent on it now.
    if (!socket.writable || bytesWritten(socket) !== written) {
      return this.#rejected(request, new RejectUpgrade(500, ANSWERED))
    }
    if (this.#closing) return this.#refuse(request, socket, closing())
    const letIn = this.#letIn(admission, owner)
    if ('visitor' in letIn) {
      this.#sockets.handleUpgrade(request, socket, read, (webSocket) =>
        this.#accept(webSocket, socket, letIn.visitor),
      )
    } else if (isPage(request)) {
      const { rejection } = letIn
      this.#rejected(request, rejection)
      this.#sockets.handleUpgrade(request, socket, read, (webSocket) => {
        webSocket.on('error', () => {})
        const reason = withRetryAfter(rejection.message, rejection.retryAfterSeconds)
        webSocket.close(rejection.closeCode, truncateReason(reason))
        void closed(webSocket)
      })
    } else this.#refuse(request, socket, letIn.rejection)
  }

  /** Finds out whether somebody is let in, within all bounds, and whose the connection is. */
  async #admit(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    address: string | undefined,
  ): Promise<{ admission: Admission; owner: Owner; read: Buffer }> {
    const owner = this.#owners.ofAddress(address)
    const tooMany = this.#connections.refusal(owner)
    if (tooMany) return { admission: { rejection: tooMany }, owner, read: head }
    // The connection counts from here on: it takes a place while it is being authenticated.
    const place = this.#connections.begin(owner)
    socket.once('close', () => place.end())
    const { admission, read } = await this.#authenticate(request, socket, head, owner)
    if ('rejection' in admission) return { admission, owner, read }
    const known = this.#owners.of(admission.identity, address)
    const rejection = place.claim(known)
    return { admission: rejection ? { rejection } : admission, owner: known, read }
  }

  /** @returns who it is, or why nobody is let in, and what the client has sent by then. */
  async #authenticate(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    owner: Owner,
  ): Promise<{ admission: Admission; read: Buffer }> {
    const { authenticate } = this.#options
    if (!authenticate) return { admission: { identity: undefined }, read: head }
    const { authentications } = this.#connections
    const rejection = authentications.refusal(owner)
    if (rejection) return { admission: { rejection }, read: head }
    const giveUp = new AbortController()
    this.#authenticating.add(giveUp)
    const reader = new EarlyReader(socket, head, {
      gone: () => {
        giveUp.abort(new Error('The client is gone'))
        socket.destroy()
      },
      tooMuch: () => giveUp.abort(new RejectUpgrade(400, TOO_EARLY)),
    })
    let leave = () => {}
    const timeoutMs = this.#authenticateTimeoutMs
    const admission = await admit(authenticate, request, timeoutMs, giveUp, (run) => {
      leave = authentications.begin(owner, run)
    })
    leave()
    this.#authenticating.delete(giveUp)
    return { admission, read: reader.end() }
  }

  /** Refuses a visitor whose credentials have ended. */
  #letIn(
    admission: Admission,
    owner: Owner,
  ): { readonly visitor: Visitor } | { readonly rejection: RejectUpgrade } {
    if ('rejection' in admission) return admission
    const visitor = { identity: admission.identity, owner }
    const rejection = this.#expiry?.begin(visitor)
    return rejection ? { rejection } : { visitor }
  }

  #refuse(request: IncomingMessage, socket: Duplex, rejection: RejectUpgrade): void {
    const { status, message, retryAfterSeconds } = rejection
    this.#rejected(request, rejection)
    refuseUpgrade(socket, status, `${message}\n`, {
      // RFC 9110, section 11.6.1: a 401 names a scheme.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      ...(retryAfterSeconds !== undefined && { 'Retry-After': retryAfterSeconds }),
    })
  }

  #rejected(request: IncomingMessage, rejection: RejectUpgrade): void {
    const { status, message, cause } = rejection
    // A client that is refused is told why, unless something has failed here.
    const hasFailed = status >= 500 && cause !== undefined
    log(
      this.#options.logger,
      hasFailed ? 'error' : 'warn',
      () => {
        const why = hasFailed ? `\n${describeWithStack(cause)}` : ''
        return `refused a connection from ${this.#addresses.of(request)}: ${status} ${plain(message, 1_000)}${why}`
      },
      OF_CONNECTION,
    )
    for (const hook of listOf(this.#options.onReject)) {
      guarded(
        () => hook(request, rejection),
        (thrown) => this.#hookFailed('onReject', thrown),
      )
    }
  }

  /** A function of the application failed that is no one channel's. */
  #hookFailed(name: string, thrown: unknown): void {
    logFailure(this.#options.logger, thrown, hookContext(name))
  }

  #accept(socket: WebSocket, wire: Duplex, visitor: Visitor): void {
    const { fastPath = true } = this.#options
    const transport = wsTransport(socket, wire, true, fastPath)
    this.#opening.add(this.#kind.open(transport, visitor))
  }

  #kindOf(
    contract: Contract | undefined,
    options: UntypedOptions,
    features: readonly Feature[],
  ): ChannelKind {
    const discover = resolveDiscovery(options.discover)
    return new ChannelKind({
      contract,
      side: 'server',
      options: {
        ...options,
        limits: channelLimitsOf(options.limits),
        discover,
      } as ChannelKindOptions['options'],
      authorize: options.authorize as Authorize | undefined,
      features: options.idempotency
        ? answering(features, (call) => (this.#idempotency as Idempotency).answer(call))
        : features,
      receive: (hello, connection, channel) => this.#receive(channel, hello, connection),
      spreadMs: (channel) => this.#spreadMs(channel),
      groups: this.#groups,
      events: {
        open: (channel) => {
          this.#opening.delete(channel)
          this.#channels.add(channel)
        },
        down: (channel) => this.#sessions?.down(channel),
        ended: (channel, info, recv) => {
          this.#opening.delete(channel)
          this.#channels.delete(channel)
          this.#sessions?.ended(channel, info, recv)
        },
        // Sessions alone want to know.
        ...(options.resume && { change: (channel) => this.#sessions?.changed(channel) }),
      },
    })
  }

  #receive(channel: LiveChannel, hello: HelloParams, connection: Connection): Reception {
    if (this.#closing) return { refuse: CLOSING }
    const { visitor } = channel
    const keys = this.#keysOf(channel, visitor)
    if (keys === 'failed') return { refuse: SCOPE_FAILED }
    const welcome = {
      sid: channel.id,
      resumed: false,
      spreadMs: this.#spreadMs(channel),
      ...(keys && { keys }),
    }
    return this.#sessions?.receive(channel, hello, connection, welcome) ?? { welcome }
  }

  #keysOf(channel: LiveChannel, { identity }: Visitor): Keys | undefined | 'failed' {
    try {
      return this.#idempotency?.keysOf(identity)
    } catch (thrown) {
      channel.error(thrown, hookContext('idempotency.scope'))
      return 'failed'
    }
  }

  #spreadMs(channel: LiveChannel): number {
    return this.#spread.ms(this.#channels.size, (thrown) =>
      channel.error(thrown, hookContext('spreadMs')),
    )
  }

  async #close({ drain = 0, retryAfterMs }: CloseOptions): Promise<void> {
    this.#expiry?.stop()
    for (const giveUp of this.#authenticating) giveUp.abort(closing())
    const servers = [...this.#ownServers].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    const sockets = [...this.#sockets.clients]
    this.#sessions?.close(CLOSING)
    for (const channel of this.#opening) channel.end(CLOSING)
    const deadline = performance.now() + drain
    await Promise.all([...this.#channels].map((channel) => leave(channel, deadline, retryAfterMs)))
    await this.#idempotency?.close(deadline)
    await Promise.all(sockets.map(closed))
    // Until here, who still asks is told to come back, and not that nobody knows of this path.
    for (const detach of [...this.#detach]) detach()
    for (const server of this.#ownServers) server.closeAllConnections()
    await Promise.all(servers)
  }
}

const TOO_EARLY =
  'A client waits for the answer to its upgrade before it sends more (RFC 6455, section 4.1)'
const ANSWERED =
  'This upgrade was answered or ended by somebody else: by another listener of the HTTP server, or by authenticate'
const CLOSING: CloseInfo = { code: CloseCode.goingAway, reason: 'The server is closing' }
const SCOPE_FAILED: CloseInfo = { code: CloseCode.internal, reason: 'idempotency.scope failed' }
/** Lets a channel finish the calls that it runs, until the deadline, and ends it, with its streams. */
async function leave(
  channel: LiveChannel,
  deadline: number,
  retryAfterMs: number | undefined,
): Promise<void> {
  channel.retire(retryAfterMs)
  const leftMs = Math.min(deadline - performance.now(), MAX_TIMER_MS)
  if (leftMs > 0) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, leftMs)
    })
    await Promise.race([channel.whenServed(), isLate])
    clearTimeout(timer)
  }
  channel.end(CLOSING)
}

/** @throws {RpcConfigError} if it is no server of node:http. */
function assertServer(server: unknown): void {
  const { on, off, emit } = (server ?? {}) as Partial<Server>
  const areFunctions = [on, off, emit].every((member) => typeof member === 'function')
  if (typeof server === 'object' && areFunctions) return
  const remedy =
    typeof server === 'function'
      ? 'an application of Express is none: give it what app.listen(…) returns'
      : 'of Fastify, that is fastify.server'
  throw new RpcConfigError(
    `attach takes a server of node:http; it is ${kindOf(server)}. Make one with http.createServer(); ${remedy}`,
  )
}

/** @throws {RpcConfigError} if it can't be the path of a URL. */
function assertPath(path: unknown): void {
  if (typeof path === 'string' && path.startsWith('/')) return
  throw new RpcConfigError(`path must begin with "/"; it is ${JSON.stringify(path)}`)
}

function closing(): RejectUpgrade {
  return new RejectUpgrade(503, 'The server is closing')
}

/** How many bytes were written to a socket, which may have carried other requests before. */
function bytesWritten(socket: Duplex): number {
  return (socket as Partial<Socket>).bytesWritten ?? 0
}

/** Whether the client, or the network, has ended a connection. */
function hasLeft(socket: Duplex): boolean {
  return socket.destroyed && (socket.readableEnded || socket.errored !== null)
}

/** The address that a server of the endpoint's own is bound to: only there are its names known. */
function boundAddress(server: Server): string | undefined {
  const address = server.address()
  return typeof address === 'object' ? address?.address : undefined
}

/** Resolves when a socket is closed; ends one that takes too long over it. */
function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
