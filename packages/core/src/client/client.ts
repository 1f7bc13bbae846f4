/// <reference lib="esnext.disposable" preserve="true" />

import { formatMs } from '../base/duration.js'
import { ChannelCore } from '../calls/channel-core.js'
import { handlersOf } from '../calls/exposed-handlers.js'
import type { SomeHandlers } from '../calls/functions.js'
import { CHANNEL_HOOKS, type ChannelHooks, HookRunner } from '../calls/hooks.js'
import {
  CHANNEL_OPTIONS,
  type ChannelOptions,
  type ResolvedChannelOptions,
  resolveChannelOptions,
} from '../calls/options.js'
import { CorePeer, type Peer, type UntypedSide } from '../calls/peer.js'
import type { Contract, ContractSide } from '../contract/contract.js'
import { contractAndOptions } from '../contract/contract-and-options.js'
import { assertFunction, type OptionKinds } from '../errors/assert-options.js'
import { own } from '../errors/error-origin.js'
import { RpcDisconnectedError, RpcProxyError } from '../errors/errors.js'
import type { Keys } from '../features/keys/keyed-calls.js'
import type { Inspection, WireTap } from '../features/tap/wire-tap.js'
import type { HelloResult } from '../link/handshake.js'
import { hookContext, OF_CONNECTION } from '../logging/error-context.js'
import { type LoggerOption, log } from '../logging/logger.js'
import { CloseCode, describeClose } from '../transport/close-codes.js'
import { retryAfterMsOf } from '../transport/retry-after.js'
import type { CloseInfo } from '../transport/transport.js'
import type { ClientSocket } from './client-socket.js'
import type { RetryOptions } from './dial/backoff.js'
import { describeFailure, type Failure, remedyOf, type Verdict } from './dial/failure.js'
import type { Link, LinkEvents } from './dial/link.js'
import type { SocketSettings } from './dial/socket.js'
import type { Connect } from './dial/transport-dialer.js'
import { type UrlSource, withoutSecrets } from './dial/url.js'
import { linkFactory } from './link-factory.js'
import { Outage } from './outage.js'
import type { Share } from './share.js'
import { type ClientState, StateHolder } from './state.js'

/** A channel that outlives its connections. */
export interface Client<Local, Remote> extends Peer<Local, Remote>, AsyncDisposable {
  /** What it was made with; undefined without a contract. */
  readonly contract: Contract | undefined
  /** Where it stands now; a new object at each change. */
  readonly state: ClientState
  /**
   * Calls the listener once for each change of {@link state}. Changes of `inFlight` and `queued` alone are told later:
   * once for all changes of a turn and, if they go on changing, once in 100 ms. A listener that makes calls when it is
   * told of these counts is not told of them again until something else changes.
   *
   * @param listener what it throws, or rejects with, is told to `onError`.
   * @returns a function that takes the listener away.
   */
  subscribe(listener: (state: ClientState) => void): () => void
  /**
   * Begins to connect, if it has not yet or has stopped (`idle`, `failed`, `unauthorized`).
   *
   * @returns resolves when it is connected; rejects with `RpcDisconnectedError` when it has stopped.
   */
  connect(): Promise<void>
  /**
   * Attempts to connect at once, instead of at `state.retryAt`. If an attempt is under way, which may hang, it is
   * given up. Does nothing while connected.
   */
  reconnect(): void
  /**
   * For developer tools: has every frame of its connections pass through a tap, in place of an earlier one, and
   * tells what the state does not. (It is not called `inspect`: printers of values call what is called that.)
   */
  tap(tap: WireTap): Inspection
  /**
   * Ends it for good: open calls reject with `RpcDisconnectedError`. Resolves when its socket is
   * closed. Safe to call twice.
   */
  close(): Promise<void>
}

/** A client of which nothing is known: of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyClient = Client<any, any>

/** Options of a client that say how to reach the server: exactly one of them. */
export type ClientTarget =
  | {
      /** The server's address (`ws:` or `wss:`), or what says it; asked before every attempt. */
      url: UrlSource
      transport?: undefined
      socket?: undefined
    }
  | {
      url?: undefined
      /** Makes each connection, if it is not a WebSocket to an address. */
      transport: Connect
      socket?: undefined
    }
  | {
      url?: undefined
      transport?: undefined
      /** A socket of the application that connects again by itself: `fromReconnectingWebSocket(…)`. */
      socket: ClientSocket
    }

/** Options of a client besides its target, its methods and its hooks. */
export interface ClientSettings extends Omit<ChannelOptions, 'helloTimeoutMs'>, SocketSettings {
  /**
   * Has it share another program's connection to its `url`: `betweenTabs(…)` of `@flashrpc/core/tabs`. Default: it
   * has its own.
   */
  share?: Share
  /** When to try again; what is left out keeps its default. */
  retry?: Partial<RetryOptions>
  /** How long one attempt to connect may take, in ms, until the server has answered the hello. Default 10,000. */
  connectTimeoutMs?: number
  /**
   * Go on with calls after a lost connection, if the server keeps sessions (its option `resume`).
   * Default true; where false, calls that were sent end with their connection.
   */
  resume?: boolean
  /** Connect as soon as it is made. Default true; where false, `connect()` begins. */
  autoConnect?: boolean
}

export type ClientOptions<Local, Remote, Literal = never> = ClientTarget &
  ClientSettings &
  ChannelHooks<Client<Local, Remote>> & {
    /** What the server can call. More can be added with `expose`. */
    methods?: SomeHandlers<Local, Client<Local, Remote>, Literal>
  }

/**
 * Makes a client, which connects and stays connected.
 *
 * Calls made while there is no connection wait for one, until their timeout, as many as the limits
 * `queuedMessages` and `queuedBytes` allow. Calls that a disconnect cuts off reject with
 * `RpcDisconnectedError`; its `outcome` says whether they may have run.
 *
 * @throws {RpcConfigError} if an option, the address or a method's name is wrong.
 */
export function createClient<
  Server extends ContractSide,
  ClientSide extends ContractSide,
  const Literal = never,
>(
  contract: Contract<Server, ClientSide>,
  options: ClientOptions<ClientSide, Server, Literal>,
): Client<ClientSide, Server>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createClient<
  Server extends object,
  ClientSide extends object = Record<never, never>,
  const Literal = never,
>(options: ClientOptions<ClientSide, Server, Literal>): Client<ClientSide, Server>
export function createClient(
  ...args: [UntypedClientOptions] | [Contract, UntypedClientOptions]
): AnyClient {
  return new LastingClient(
    ...contractAndOptions<UntypedClientOptions>('createClient', args, CLIENT_OPTIONS),
  )
}

type UntypedClientOptions = ClientOptions<UntypedSide, UntypedSide>

/** What says how a client reaches its server, and how it behaves. */
export const CLIENT_SETTINGS = {
  ...CHANNEL_OPTIONS,
  helloTimeoutMs: undefined,
  url: 'elsewhere',
  transport: 'elsewhere',
  socket: 'elsewhere',
  headers: 'elsewhere',
  proxy: 'elsewhere',
  tls: 'elsewhere',
  fastPath: 'elsewhere',
  share: 'elsewhere',
  retry: 'elsewhere',
  connectTimeoutMs: 'elsewhere',
  resume: 'boolean',
  autoConnect: 'boolean',
} as const satisfies OptionKinds<ClientTarget & ClientSettings, 'helloTimeoutMs'>

const CLIENT_OPTIONS = {
  ...CLIENT_SETTINGS,
  ...CHANNEL_HOOKS,
  methods: 'object',
} as const satisfies OptionKinds<UntypedClientOptions, 'helloTimeoutMs'>

/** A client; its types are gone. */
export class LastingClient extends CorePeer implements AnyClient {
  readonly contract: Contract | undefined
  protected readonly core: ChannelCore
  readonly #hooks: HookRunner<AnyClient>
  readonly #state: StateHolder
  readonly #createLink: (events: LinkEvents) => Link
  readonly #logger: LoggerOption | undefined
  /** What failed since the last attempt began, as it is noted already. */
  #noted: string | undefined
  readonly #outage: Outage
  #link: Link | undefined
  #everConnected = false
  /** Whether the hooks were told of a connection, and not yet of its end. */
  #wasTold = false
  /** Counts what becomes of connections, so that what comes late knows that its own has gone. */
  #turn = 0
  #closing: Promise<void> | undefined

  constructor(contract: Contract | undefined, options: UntypedClientOptions) {
    super()
    this.contract = contract
    this.#createLink = linkFactory(options)
    this.#logger = options.logger
    const { url } = options
    this.#outage = new Outage(typeof url === 'string' ? withoutSecrets(url) : undefined)
    const settings = resolveSettings(options)
    this.#hooks = new HookRunner<AnyClient>(options as ChannelHooks<AnyClient>)
    const side = 'client'
    this.core = new ChannelCore(
      {
        settings,
        contract,
        side,
        lasting: true,
        offersSession: options.resume ?? true,
        absence: () => this.#outage.describe(this.#state.current),
        events: {
          open: (_, hello) => this.#opened(hello),
          resumed: (_, hello) => this.#resumed(hello),
          down: (_, info, retryAfterMs) => this.#down(info, retryAfterMs),
          ended: (_, info) => this.#ended(info),
          latency: (_, latencyMs) => this.#state.set({ latencyMs }),
          spread: (_, spreadMs) => this.#link?.spread(spreadMs),
          change: () => this.#state.recount(),
          error: (_, thrown, context) => this.#hooks.error(this, thrown, context),
        },
      },
      this,
      handlersOf(options.methods, { side, localSide: contract?.[side] }),
    )
    this.#state = new StateHolder(this.core, (thrown) =>
      this.#hooks.error(this, thrown, hookContext('subscribe')),
    )
    if (options.autoConnect !== false) void this.connect()
  }

  /** The results that the server keeps by key, as it said. */
  get keys(): Keys | undefined {
    return this.core.keys
  }

  get state(): ClientState {
    return this.#state.current
  }

  subscribe(listener: (state: ClientState) => void): () => void {
    assertFunction('subscribe', listener)
    return this.#state.subscribe(listener)
  }

  connect(): Promise<void> {
    const { status } = this.state
    if (status === 'idle' || status === 'failed' || status === 'unauthorized') {
      this.core.allow()
      this.#state.set({ status: 'connecting', attempt: 0, retryAt: null })
      this.#startLink()
    }
    const connected = this.#whenConnected()
    // Nobody need wait: the state tells the same.
    connected.catch(() => {})
    return connected
  }

  reconnect(): void {
    if (!this.#link) return void this.connect()
    if (this.state.status === 'connected') return
    this.core.leaveAttempt()
    this.#link.hurry()
  }

  tap(tap: WireTap): Inspection {
    assertFunction('tap: connected', tap?.connected)
    return this.core.tap(tap)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const link = this.#link
    this.#link = undefined
    this.core.refuse({ message: 'the client was closed. Create another to call again' })
    this.core.end({ code: CloseCode.normal, reason: 'The client was closed' })
    this.#state.set({ status: 'closed', retryAt: null })
    await link?.stop()
  }

  /** Each link's events are heard only while it is the current one. */
  #startLink(): void {
    const link: Link = this.#createLink({
      connecting: (attempt) => {
        if (this.#link !== link) return
        this.#noted = undefined
        const first = attempt === 1 && !this.#everConnected
        this.#state.set({ status: first ? 'connecting' : between(), attempt, retryAt: null })
      },
      waiting: (retryAt, failure) => {
        if (this.#link !== link) return
        this.#note(retryAt, failure)
        this.#state.set({ status: between(), retryAt, lastError: disconnected(failure) })
      },
      open: (transport, timeLeftMs) => {
        if (this.#link !== link) return transport.close()
        this.#noted = undefined
        // The plain server is behind the shared worker, and the worker itself understands the hello.
        const isSaid = link.isShared || !this.core.settings.plain
        this.core.attach(transport, { isSaid, timeLeftMs })
      },
      latency: (latencyMs) => {
        if (this.#link === link) this.#state.set({ latencyMs })
      },
      stopped: (verdict, failure) => {
        if (this.#link === link) this.#stopped(verdict, failure)
      },
    })
    this.#link = link
  }

  /** Logs and keeps a failure, once: the time of the next attempt may be told again. */
  #note(retryAt: number | null, failure: Failure): void {
    if (this.#noted === failure.message) return
    this.#noted = failure.message
    this.#logWait(retryAt, failure)
    this.#noteFailure(failure)
  }

  #noteFailure(failure: Failure): void {
    if (this.state.status === 'connected') this.#outage.lost(failure)
    else this.#outage.failed(failure)
  }

  /** Warns of the end of a connection, and of the first attempt that fails; those after it are of no news. */
  #logWait(retryAt: number | null, failure: Failure): void {
    const next =
      retryAt === null
        ? 'its socket connects again by itself'
        : `the next attempt is in ${formatMs(Math.max(0, Math.round(retryAt - Date.now())))}`
    const remedy = remedyOf(failure)
    const what = `${describeFailure(failure)}${remedy === undefined ? '' : `. ${remedy}`}`
    const level = this.state.attempt > 1 ? 'debug' : 'warn'
    log(this.#logger, level, `${what} (${next})`, OF_CONNECTION)
  }

  #opened(hello: HelloResult | undefined): void {
    const turn = ++this.#turn
    this.#connected(hello)
    // A listener may have closed it.
    if (!this.core.isConnected) return
    this.#wasTold = true
    void this.#hooks.connect(this).then((well) => {
      if (well || turn !== this.#turn) return
      this.core.end({ code: CloseCode.hookFailed, reason: 'An onConnect hook failed' })
    })
  }

  #ended(info: CloseInfo): void {
    // A connection that went before it was ready was told to nobody.
    if (!this.#wasTold) return
    this.#wasTold = false
    this.#hooks.disconnect(this, info)
  }

  #resumed(hello: HelloResult | undefined): void {
    if (this.#link?.session?.isSame !== false) return this.#connected(hello)
    // What is in between has kept this client's calls; the server knows nothing of them any more.
    this.#ended({ code: 1006, reason: 'The server does not have the session any more' })
    this.#opened(hello)
  }

  #connected(hello: HelloResult | undefined): void {
    const { id, isSame } = this.#link?.session ?? { id: hello?.sid ?? null, isSame: true }
    this.#everConnected = true
    this.#outage.connected()
    this.#link?.accepted(hello?.spreadMs ?? 0, hello?.windowMs ?? Number.POSITIVE_INFINITY)
    this.#state.set({
      status: 'connected',
      attempt: 0,
      retryAt: null,
      lastError: null,
      sessionId: id,
      resumed: (hello?.resumed ?? false) && isSame,
    })
  }

  #down(info: CloseInfo, retryAfterMs = retryAfterMsOf(info)): void {
    const what =
      this.state.status === 'connected' ? 'the connection was lost' : 'the attempt failed'
    const message = `${what} (${describeClose(info)})`
    this.#link?.lost({ message, closeCode: info.code, retryAfterMs })
  }

  #stopped(status: Exclude<Verdict, 'retry'>, failure: Failure): void {
    this.#link = undefined
    const lastError = disconnected(failure)
    log(
      this.#logger,
      'error',
      `${lastError.message}; the client has stopped (${status})`,
      OF_CONNECTION,
    )
    this.core.refuse({
      message: `the client has stopped (${status}): ${sentence(lastError.message)} connect() tries again`,
      closeCode: failure.closeCode,
      cause: lastError,
    })
    this.#noteFailure(failure)
    this.#state.set({ status, retryAt: null, lastError })
  }

  #whenConnected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = ({ status, lastError }: ClientState) => {
        const stopped = status === 'failed' || status === 'unauthorized' || status === 'closed'
        if (!stopped && status !== 'connected') return
        unsubscribe()
        if (!stopped) resolve()
        else if (status === 'closed' || !lastError) reject(closedError())
        else reject(lastError)
      }
      const unsubscribe = this.subscribe(look)
      look(this.state)
    })
  }
}

/** The state between two connections. `onLine` is false only where a browser knows it. */
function between(): 'reconnecting' | 'offline' {
  return globalThis.navigator?.onLine === false ? 'offline' : 'reconnecting'
}

function disconnected(failure: Failure): RpcDisconnectedError {
  const { closeCode, httpStatus, proxy, cause } = failure
  const remedy = remedyOf(failure)
  const what = describeFailure(failure)
  const message = remedy === undefined ? what : `${what}. ${remedy}`
  return own(
    proxy === undefined
      ? new RpcDisconnectedError(message, 'not-sent', { closeCode, httpStatus, cause })
      : new RpcProxyError(message, proxy, { httpStatus, cause }),
  )
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`
}

function closedError(): RpcDisconnectedError {
  return own(new RpcDisconnectedError('The client was closed; create another', 'not-sent'))
}

function resolveSettings(options: UntypedClientOptions): ResolvedChannelOptions {
  const { connectTimeoutMs } = options
  return resolveChannelOptions({
    ...options,
    ...(connectTimeoutMs !== undefined && { helloTimeoutMs: connectTimeoutMs }),
  })
}
