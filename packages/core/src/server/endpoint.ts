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
import type { UntypedSide } from '../calls/peer.js'
import { type Arrival, type ArrivalHost, arrive } from '../channels/arrival.js'
import { type Audience, createAudience } from '../channels/audience.js'
import { ChannelKind, type ChannelKindOptions } from '../channels/channel-kind.js'
import { assertGroup, Groups } from '../channels/groups.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import type { Contract } from '../contract/contract.js'
import { resolveDiscovery } from '../discovery/discovery-option.js'
import { assertDuration, assertMs } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf, listOf } from '../errors/options.js'
import { plain, quoted } from '../errors/quoted.js'
import { answering } from '../features/keys/answering.js'
import type { HelloParams, Keys, Resume } from '../link/hello.js'
import type { HelloDecision } from '../link/server-handshake.js'
import { describeWithStack } from '../logging/describe-failure.js'
import { hookContext, OF_CONNECTION } from '../logging/error-context.js'
import { log, logFailure } from '../logging/log.js'
import { CloseCode, withRetryAfter } from '../transport/close-codes.js'
import { wsTransport } from '../transport/node/fast-ws-transport.js'
import { LONGEST_CLOSE_MS } from '../transport/node/ws-transport.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { truncateReason } from '../transport/web-socket.js'
import { type Admission, admit, RejectUpgrade } from './authentication.js'
import { ClientAddresses } from './client-address.js'
import type { ClusterAudience } from './cluster-audience.js'
import { type ClusterSeat, seatOf } from './cluster-seat.js'
import { Connections, channelLimitsOf } from './connection-limits.js'
import { EarlyReader } from './early-reader.js'
import {
  ATTACH_OPTIONS,
  type AttachOptions,
  CLOSE_OPTIONS,
  type CloseOptions,
  type ClusterEndpoint,
  LISTEN_OPTIONS,
  type Listening,
  type ListenOptions,
  type UntypedOptions,
} from './endpoint-types.js'
import { type ExpiresAt, Expiry } from './expiry.js'
import { GivenHandlers, type ImplementArguments } from './given-handlers.js'
import { Idempotency, type IdempotencyOptions } from './idempotency.js'
import { Leaves } from './leaves.js'
import { listen } from './listen.js'
import { LocalGroups } from './local-groups.js'
import { Owners } from './owners.js'
import { type PresenceOptions, resolvePresence } from './presence-option.js'
import type { RemoteChannel } from './remote-channel.js'
import { type Found, type ResumeOptions, Sessions } from './sessions.js'
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
import { listenForUpgrades, type UpgradeListener } from './upgrade-listeners.js'

/** How long a socket may take over its closing handshake, in ms. */
const CLOSE_TIMEOUT_MS = 1_000
/** How often the server checks which requests take too long, in ms. Node's default is 30 s. */
const CHECK_INTERVAL_MS = 1_000

/** An audience of an endpoint: over all nodes if it is one of a cluster. */
type AnyAudience = Audience<UntypedSide, LiveChannel> | ClusterAudience<UntypedSide, LiveChannel>

/** An endpoint without its types. */
export class WebSocketEndpoint
  implements Omit<ClusterEndpoint<UntypedSide, UntypedSide>, 'all' | 'group'>
{
  readonly channels: ReadonlySet<LiveChannel>
  readonly all: AnyAudience
  readonly #channels = new Set<LiveChannel>()
  readonly #groups: Groups<LiveChannel>
  /** Watches its groups for clients, if it is in no cluster. */
  readonly #watched: LocalGroups | undefined
  readonly #leaves = new Leaves()
  /** Its place in a cluster. */
  readonly #seat: ClusterSeat | undefined
  /** Connections whose handshake is not over yet. */
  readonly #opening = new Set<Arrival>()
  readonly #sessions: Sessions | undefined
  readonly #idempotency: Idempotency | undefined
  readonly #addresses: ClientAddresses
  readonly #owners: Owners
  readonly #connections: Connections
  readonly #spread: Spread
  readonly #options: UntypedOptions
  readonly #kind: ChannelKind
  readonly #handlers: GivenHandlers
  readonly #host: ArrivalHost
  readonly #sockets: WebSocketServer
  readonly #detach = new Set<() => void>()
  readonly #ownServers = new Set<Server>()
  readonly #expiry: Expiry | undefined
  readonly #authenticateTimeoutMs: number
  readonly #handshakeTimeoutMs: number
  /** Ends each authentication that is under way. */
  readonly #authenticating = new Set<AbortController>()
  #closing: Promise<void> | undefined

  /** @param features the features of its channels. */
  constructor(
    contract: Contract | undefined,
    options: UntypedOptions,
    features: readonly Feature[],
  ) {
    this.#options = options
    this.channels = this.#channels
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
      options.expiresAt && new Expiry(options.expiresAt as ExpiresAt<unknown>, this.#channels)
    this.#spread = new Spread(options.spreadMs)
    this.#seat = seatOf(options.cluster)
    this.#sessions =
      options.resume === undefined
        ? undefined
        : new Sessions(
            options.resume as ResumeOptions,
            this.#connections.share,
            this.#seat?.asTransferred,
          )
    this.all = this.#audience(undefined, () => this.#channels)
    // In a cluster, the seat watches groups.
    this.#watched =
      this.#seat || options.presence === undefined
        ? undefined
        : new LocalGroups(() => ({
            format: this.#kind.settings.format,
            membersOf: (group) => this.#groups.membersOf(group),
          }))
    const events = this.#seat?.groups ?? this.#watched?.events
    this.#groups = new Groups(events && this.#leaves.heard(events))
    this.#kind = this.#kindOf(contract, options, [...features, ...(this.#seat?.features ?? [])])
    const mayBeNone = options.methods !== undefined || options.fallback !== undefined
    this.#handlers = new GivenHandlers(this.#kind, mayBeNone, {
      made: 'endpoint',
      before: 'listen and attach',
    })
    this.#host = {
      kind: this.#kind,
      receive: (hello, arrival) => this.#receive(hello, arrival),
      spreadMs: (arrival) => this.#spreadMs(arrival),
      settled: (arrival) => this.#opening.delete(arrival),
    }
    const { limits, format } = this.#kind.settings
    const { idempotency, authenticate } = options
    this.#idempotency =
      idempotency === undefined
        ? undefined
        : new Idempotency(
            idempotency as IdempotencyOptions,
            authenticate !== undefined,
            format,
            this.#seat?.runs,
          )
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: limits.message,
      // Compression costs far more than it saves on small messages, and allows decompression bombs.
      perMessageDeflate: false,
      // An option that the types of `ws` do not have yet. Our transport itself ends the connection of a client that
      // reads nothing, and does so earlier.
      ...({ closeTimeout: LONGEST_CLOSE_MS } as object),
    })
    this.#seat?.start({
      contract,
      format,
      limits,
      timeout: this.#kind.settings.timeout,
      windowMs: this.#sessions?.windowMs,
      findSession: (resume, visitor) => this.#findSession(resume, visitor),
      accept: (transport, visitor) => this.#open(transport, visitor),
      waitForRun: async (key, signal) =>
        (await this.#idempotency?.waitElsewhere(key, signal)) ?? false,
      logger: options.logger,
      channels: this.#channels,
      membersOf: (group) => this.#groups.membersOf(group),
    })
  }

  group(name: string): AnyAudience {
    assertGroup(name)
    return this.#audience(name, () => this.#groups.membersOf(name))
  }

  #audience(group: string | undefined, members: () => Iterable<LiveChannel>): AnyAudience {
    const here = createAudience<UntypedSide, LiveChannel>(members)
    return this.#seat ? this.#seat.audience(group, here) : here
  }

  channel(id: string): RemoteChannel<UntypedSide> {
    if (this.#seat) return this.#seat.channel(id)
    throw new RpcConfigError(
      'endpoint.channel(id) finds a client of a cluster, and this endpoint has no cluster. Give it one: createEndpoint({ cluster: createCluster({ engine, app }) })',
    )
  }

  implement(...args: ImplementArguments): void {
    this.#handlers.implement(...args)
  }

  /** @throws {RpcConfigError} if there are no `methods`, and `implement` was not given the handlers of all methods. */
  #assertImplemented(): void {
    const { lack } = this.#handlers
    if (lack) throw lack
  }

  attach(server: Server, options: AttachOptions = {}): () => void {
    assertOptions('attach', options, ATTACH_OPTIONS)
    assertServer(server)
    return this.#attach(server, options.path, true)
  }

  #attach(server: Server, path = '/', isShared: boolean): () => void {
    assertPath(path)
    if (this.#closing) throw new RpcConfigError('The endpoint was closed. Create another one')
    this.#assertImplemented()
    this.#handlers.begin()
    const listener: UpgradeListener = {
      isLeaving: () => this.#closing !== undefined,
      upgrade: (request, socket, head) => {
        const boundTo = this.#ownServers.has(server) ? boundAddress(server) : undefined
        void this.#upgrade(request, socket, head, boundTo)
      },
      notFound: (request, paths) => this.#notFound(request, paths),
    }
    const stop = listenForUpgrades(server, path, listener, isShared)
    const detach = (): void => {
      stop()
      this.#detach.delete(detach)
    }
    this.#detach.add(detach)
    return detach
  }

  /** No listener serves the path of an upgrade: the client has a wrong path, or the other listener is missing. */
  #notFound(request: IncomingMessage, paths: string): void {
    log(
      this.#options.logger,
      'warn',
      () =>
        `refused a connection from ${this.#addresses.of(request)}: 404 no listener serves the path ${quoted(pathOf(request))} on this server. Connect to ${paths}, or attach an endpoint with that path`,
      OF_CONNECTION,
    )
  }

  async listen(options: ListenOptions = {}): Promise<Listening> {
    assertOptions('listen', options, LISTEN_OPTIONS)
    const { port = 0, host = '127.0.0.1', path = '/' } = options
    assertPath(path)
    this.#assertImplemented()
    await this.#seat?.ready()
    const server = createServer(
      { connectionsCheckingInterval: CHECK_INTERVAL_MS },
      (_, response) => {
        response.writeHead(426, { 'Content-Type': 'text/plain', Upgrade: 'websocket' })
        response.end(`This is a WebSocket server; connect to ${path} with a flashrpc client.\n`)
      },
    )
    server.headersTimeout = this.#handshakeTimeoutMs
    server.requestTimeout = this.#handshakeTimeoutMs
    const detach = this.#attach(server, path, false)
    try {
      const address = await listen(server, port, host)
      if (this.#closing) {
        await new Promise((resolve) => server.close(resolve))
        throw new RpcConfigError(
          'The endpoint was closed while it began to listen. Create another one',
        )
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
    // If a socket has no listener for errors during its upgrade, a reset ends the process.
    socket.on('error', () => {})
    const why = refusalOfPage(request, this.#options as PageRules, boundTo)
    // A foreign page never gets a WebSocket, not even to be told why.
    if (why !== undefined) return this.#refuse(request, socket, new RejectUpgrade(403, why))
    if (this.#closing) return this.#refuse(request, socket, closing())
    const address = this.#addresses.of(request)
    const written = bytesWritten(socket)
    const { admission, owner, read } = await this.#admit(request, socket, head, address)
    if (hasLeft(socket)) return
    // The next reader needs a flowing socket.
    socket.resume()
    // Something else was written to the socket, so the client could not understand an answer.
    if (!socket.writable || bytesWritten(socket) !== written) {
      return this.#rejected(request, new RejectUpgrade(500, ALREADY_ANSWERED))
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

  /** Decides, within all limits, whether a client is let in, and finds the owner of its connection. */
  async #admit(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    address: string | undefined,
  ): Promise<{ admission: Admission; owner: Owner; read: Buffer }> {
    const owner = this.#owners.ofAddress(address)
    const tooMany = this.#connections.refusal(owner)
    if (tooMany) return { admission: { rejection: tooMany }, owner, read: head }
    // The connection counts from here on, also while it is being authenticated.
    const counted = this.#connections.begin(owner)
    // Not `once`, which makes three objects more for each connection: a socket closes once.
    socket.on('close', () => counted.end())
    const { admission, read } = await this.#authenticate(request, socket, head, owner)
    if ('rejection' in admission) return { admission, owner, read }
    const known = this.#owners.of(admission.identity, address)
    const rejection = counted.claim(known)
    return { admission: rejection ? { rejection } : admission, owner: known, read }
  }

  /** @returns the identity or the refusal, and the bytes that the client has sent by then. */
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

  /** Lets a visitor in, or refuses it if its credentials have ended. */
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
    // A refused client gets the reason, unless something has failed on this side.
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

  /** A function of the application has failed that does not belong to one channel. */
  #hookFailed(name: string, thrown: unknown): void {
    logFailure(this.#options.logger, thrown, hookContext(name))
  }

  #accept(socket: WebSocket, wire: Duplex, visitor: Visitor): void {
    const { fastPath = true } = this.#options
    const transport = wsTransport(socket, wire, true, fastPath)
    const router = this.#seat?.sessionRouter
    if (router) router.route(transport, visitor)
    else this.#open(transport, visitor)
  }

  #open(transport: Transport, visitor: Visitor): void {
    this.#opening.add(arrive(this.#host, transport, visitor))
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
        members: resolvePresence(
          options.presence as PresenceOptions | undefined,
          (group, listener) =>
            (this.#seat ?? (this.#watched as LocalGroups)).watch(group, listener),
          this.#leaves.on,
        ),
      } as ChannelKindOptions['options'],
      authorize: options.authorize as Authorize | undefined,
      features: options.idempotency
        ? answering(features, (call) => (this.#idempotency as Idempotency).answer(call))
        : features,
      newId: this.#seat?.newId,
      groups: this.#groups,
      events: {
        open: (channel) => {
          this.#channels.add(channel)
          this.#seat?.opened(channel)
        },
        down: (channel) => this.#sessions?.down(channel),
        ended: (channel, info, recv) => {
          this.#channels.delete(channel)
          this.#seat?.ended(channel)
          this.#sessions?.ended(channel, info, recv)
        },
        // Only watches of groups need this event.
        ...((this.#seat || this.#watched) && {
          presenceChanged: (channel: LiveChannel) => {
            this.#seat?.changed(channel)
            this.#watched?.changed(channel)
          },
        }),
        // Only sessions need this event.
        ...(options.resume && { change: (channel) => this.#sessions?.changed(channel) }),
      },
    })
  }

  #receive(hello: HelloParams, arrival: Arrival): HelloDecision {
    if (this.#closing) return { refuse: CLOSING }
    const keys = this.#keysOf(arrival)
    if (keys === 'failed') return { refuse: SCOPE_FAILED }
    const told = { spreadMs: this.#spreadMs(arrival), ...(keys && { keys }) }
    if (this.#sessions) return this.#sessions.receive(hello, arrival, told)
    return { accept: { sid: arrival.channel.id, resumed: false, ...told } }
  }

  /** Finds the session that a client of another node wants to resume. */
  #findSession(resume: Pick<Resume, 'sid' | 'token'>, visitor: Visitor): Found | 'later' {
    if (!this.#sessions) return 'unknown'
    if (this.#closing) return 'later'
    const failed = (thrown: unknown) => this.#hookFailed('resume.sameIdentity', thrown)
    const found = this.#sessions.find(resume, visitor, failed)
    // Its credentials are known here from now on, and may have ended on the way.
    return found === 'kept' && this.#expiry?.begin(visitor) ? 'unknown' : found
  }

  #keysOf(arrival: Arrival): Keys | undefined | 'failed' {
    try {
      return this.#idempotency?.keysOf(arrival.visitor.identity)
    } catch (thrown) {
      arrival.error(thrown, hookContext('idempotency.scope'))
      return 'failed'
    }
  }

  #spreadMs(arrival: Arrival): number {
    return this.#spread.ms(this.#channels.size, (thrown) =>
      arrival.error(thrown, hookContext('spreadMs')),
    )
  }

  async #close({ drain = 0, retryAfterMs }: CloseOptions): Promise<void> {
    this.#seat?.retire()
    this.#expiry?.stop()
    for (const giveUp of this.#authenticating) giveUp.abort(closing())
    const servers = [...this.#ownServers].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    const sockets = [...this.#sockets.clients]
    this.#sessions?.close(CLOSING)
    for (const { connection } of this.#opening) connection.end(CLOSING.code, CLOSING.reason)
    this.#seat?.sessionRouter?.close(CLOSING)
    const deadline = performance.now() + drain
    const seat = this.#seat
    await Promise.all(
      [...this.#channels].map((channel) => leave(channel, deadline, retryAfterMs, seat)),
    )
    await this.#idempotency?.close(deadline)
    await this.#seat?.stop()
    await Promise.all(sockets.map(closed))
    // Detached only now: until here, new clients are asked to come back, and do not get a 404.
    for (const detach of [...this.#detach]) detach()
    for (const server of this.#ownServers) server.closeAllConnections()
    await Promise.all(servers)
  }
}

const TOO_EARLY =
  'A client waits for the answer to its upgrade before it sends more (RFC 6455, section 4.1)'
const ALREADY_ANSWERED =
  'This upgrade was answered or ended by another listener of the HTTP server, or by authenticate. Remove that listener, or have it ignore the path of the endpoint'
const CLOSING: CloseInfo = { code: CloseCode.goingAway, reason: 'The server is closing' }
const SCOPE_FAILED: CloseInfo = { code: CloseCode.internal, reason: 'idempotency.scope failed' }

/**
 * Lets a channel finish its running calls until the deadline, and those of other nodes to its client. Then it ends the
 * channel, with its streams.
 */
async function leave(
  channel: LiveChannel,
  deadline: number,
  retryAfterMs: number | undefined,
  seat: ClusterSeat | undefined,
): Promise<void> {
  channel.retire(retryAfterMs)
  const leftMs = Math.min(deadline - performance.now(), MAX_TIMER_MS)
  if (leftMs > 0) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, leftMs)
    })
    const served = [channel.whenServed(), seat?.whenServed(channel)]
    await Promise.race([Promise.all(served), isLate])
    clearTimeout(timer)
  }
  channel.end(CLOSING)
}

/** @throws {RpcConfigError} if it is not a server of node:http. */
function assertServer(server: unknown): void {
  const { on, off, emit } = (server ?? {}) as Partial<Server>
  const areFunctions = [on, off, emit].every((member) => typeof member === 'function')
  if (typeof server === 'object' && areFunctions) return
  const remedy =
    typeof server === 'function'
      ? 'An application of Express is not a server: give attach what app.listen(…) returns'
      : 'The server of Fastify is fastify.server'
  throw new RpcConfigError(
    `attach takes a server of node:http. It is ${kindOf(server)}. Make one with http.createServer(). ${remedy}`,
  )
}

/** @throws {RpcConfigError} if it can't be the path of a URL. */
function assertPath(path: unknown): void {
  if (typeof path === 'string' && path.startsWith('/')) return
  throw new RpcConfigError(`path must begin with "/". It is ${JSON.stringify(path)}`)
}

function closing(): RejectUpgrade {
  return new RejectUpgrade(503, 'The server is closing')
}

/** @returns how many bytes were written to a socket, which may have carried other requests before. */
function bytesWritten(socket: Duplex): number {
  return (socket as Partial<Socket>).bytesWritten ?? 0
}

/** Whether the client, or the network, has ended a connection. */
function hasLeft(socket: Duplex): boolean {
  return socket.destroyed && (socket.readableEnded || socket.errored !== null)
}

/** The address that an endpoint's own server is bound to. The server's names are known only for such a server. */
function boundAddress(server: Server): string | undefined {
  const address = server.address()
  return typeof address === 'object' ? address?.address : undefined
}

/** Resolves when a socket is closed. A socket whose closing handshake takes too long is terminated. */
function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
