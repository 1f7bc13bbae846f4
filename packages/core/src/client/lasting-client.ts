import { formatMs } from '../base/duration.js'
import { sidesOf } from '../calls/channel-context.js'
import { ChannelCore } from '../calls/channel-core.js'
import { handlersOf } from '../calls/exposed-handlers.js'
import type { Feature, FeatureTable, KeptLink } from '../calls/feature.js'
import { firstOf, tableOf } from '../calls/feature-table.js'
import type { Other } from '../calls/functions.js'
import { type ChannelHooks, HookRunner } from '../calls/hooks.js'
import type { ResolvedChannelOptions } from '../calls/options.js'
import type { UntypedSide } from '../calls/peer.js'
import { resolveChannelOptions } from '../calls/resolve-options.js'
import { clientHandshake } from '../channels/client-hello.js'
import { CorePeer } from '../channels/core-peer.js'
import type { Contract } from '../contract/contract.js'
import { own } from '../errors/error-origin.js'
import { RpcConfigError, RpcDisconnectedError } from '../errors/errors.js'
import { assertFunction } from '../errors/options.js'
import type { HelloResult, Keys } from '../link/hello.js'
import type { Inspection, WireTap } from '../link/wire-tap.js'
import { hookContext, OF_CONNECTION } from '../logging/error-context.js'
import { CloseCode, describeClose, retryAfterMsOf } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import type { AnyClient, UntypedClientOptions } from './client.js'
import type { ClientSocket } from './client-socket.js'
import { connectorFactory } from './connector-factory.js'
import type { Connector, ConnectorEvents } from './dial/connector.js'
import { type Failure, failureText, remedyOf, type Verdict, withRemedy } from './dial/failure.js'
import { withoutSecrets } from './dial/url.js'
import { Outage } from './outage.js'
import { type ClientState, StateHolder } from './state.js'

/** A client without its types. */
export class LastingClient extends CorePeer implements AnyClient {
  readonly contract: Contract | undefined
  readonly other: Other<UntypedSide>
  readonly id: string
  protected readonly core: ChannelCore
  readonly #hooks: HookRunner<AnyClient>
  readonly #state: StateHolder
  readonly #createConnector: (events: ConnectorEvents) => Connector
  /** The socket of the application, if it was given one. */
  readonly #socket: ClientSocket | undefined
  /** The failure since the last attempt began, if it is noted already. */
  #noted: string | undefined
  readonly #outage: Outage
  readonly #features: FeatureTable
  readonly #keptLink: KeptLink | undefined
  /** The number of its connections so far. */
  #attempt = 0
  #connector: Connector | undefined
  #everConnected = false
  /** Whether the hooks were called for a connection, and not yet for its end. */
  #hooksCalled = false
  /** Counts the changes of the connection, so that late events can see that their own connection has gone. */
  #generation = 0
  #closing: Promise<void> | undefined

  /** @param features the features of the client. */
  constructor(
    contract: Contract | undefined,
    options: UntypedClientOptions,
    features: readonly Feature[],
  ) {
    super()
    this.contract = contract
    const nearest = firstOf(features, 'diagnostics')?.nearest
    this.#createConnector = connectorFactory(options, nearest)
    const { url, socket } = options
    this.#socket = socket
    this.#outage = new Outage(typeof url === 'string' ? withoutSecrets(url) : undefined)
    const settings = resolveSettings(contract, options, features)
    this.#features = tableOf(features)
    this.#hooks = new HookRunner<AnyClient>(
      options as ChannelHooks<AnyClient>,
      settings.diagnostics,
    )
    const side = 'client'
    this.core = new ChannelCore(
      {
        settings,
        ...sidesOf(contract, side),
        side,
        features: this.#features,
        outlivesLinks: true,
        keptLink: () => this.#keptLink,
        absence: () => this.#outage.describe(this.#state.current),
        events: {
          open: (_, hello) => this.#opened(hello as HelloResult | undefined),
          resumed: (_, hello) => this.#resumed(hello as HelloResult | undefined),
          down: (_, info, __, retryAfterMs) => this.#down(info, retryAfterMs),
          ended: (_, info) => this.#ended(info),
          latency: (_, latencyMs) => this.#state.set({ latencyMs }),
          spread: (_, spreadMs) => this.#connector?.spread(spreadMs),
          change: () => this.#state.recount(),
          error: (_, thrown, context) => this.#hooks.error(this, thrown, context),
        },
      },
      this,
      handlersOf(options.methods, { ...sidesOf(contract, side), side, settings }),
    )
    this.id = this.core.id
    if (options.resume ?? true) {
      const keepLink = firstOf(features, 'keepLink')
      this.#keptLink = keepLink?.(this.core, this.#features)
    }
    this.other = this.core.other as Other<UntypedSide>
    this.#state = new StateHolder(this.core, (thrown) =>
      this.#hooks.error(this, thrown, hookContext('subscribe')),
    )
    if (options.autoConnect !== false) void this.connect()
  }

  /** The results that the server keeps by key, by its answer to the hello. */
  get keys(): Keys | undefined {
    return this.core.peer.keys
  }

  get state(): ClientState {
    return this.#state.current
  }

  subscribe(listener: (state: ClientState) => void): () => void {
    assertFunction('subscribe', listener)
    return this.#state.subscribe(listener)
  }

  connect(): Promise<void> {
    const { status } = this.#state.current
    if (status === 'idle' || status === 'failed' || status === 'unauthorized') {
      this.core.allow()
      this.#state.set({ status: 'connecting', attempt: 0, retryAt: null })
      this.#startConnector()
    }
    const connected = this.#whenConnected()
    // The caller need not wait for the promise: the state reports the same.
    connected.catch(() => {})
    return connected
  }

  reconnect(): void {
    if (!this.#connector) return void this.connect()
    if (this.#state.current.status === 'connected') return
    this.core.leaveAttempt()
    this.#connector.hurry()
  }

  tap(tap: WireTap): Inspection {
    assertFunction('tap: connected', tap?.connected)
    const tapChannel = firstOf(this.#features.all, 'tap')
    if (!tapChannel) throw new RpcConfigError('tap needs a feature: add tap() to features')
    return tapChannel(this.core, this.#features, tap)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const connector = this.#connector
    this.#connector = undefined
    this.core.refuse({ message: 'the client was closed. Create another to call again' })
    this.core.end({ code: CloseCode.normal, reason: 'The client was closed' })
    this.#state.set({ status: 'closed', retryAt: null })
    await (connector?.stop() ?? this.#socket?.close?.())
  }

  /** The events of a connector count only while it is the current one. */
  #startConnector(): void {
    const connector: Connector = this.#createConnector({
      connecting: (attempt) => {
        if (this.#connector !== connector) return
        this.#noted = undefined
        const first = attempt === 1 && !this.#everConnected
        this.#state.set({ status: first ? 'connecting' : statusBetween(), attempt, retryAt: null })
      },
      waiting: (retryAt, failure) => {
        if (this.#connector !== connector) return
        const lastError = disconnected(failure)
        this.#note(retryAt, failure, lastError)
        this.#state.set({ status: statusBetween(), retryAt, lastError })
      },
      open: (transport, timeLeftMs) => {
        if (this.#connector !== connector) return transport.close()
        this.#noted = undefined
        // The plain server is behind the shared worker, and the worker itself understands the hello.
        const isPlain = this.core.kind.settings.plain && !connector.isShared
        const keptLink = this.#keptLink
        const hello = { attempt: ++this.#attempt, keptLink, isPlain, timeLeftMs }
        this.core.attach(transport, clientHandshake(this.core, this.#features, transport, hello))
      },
      latency: (latencyMs) => {
        if (this.#connector === connector) this.#state.set({ latencyMs })
      },
      stopped: (verdict, failure) => {
        if (this.#connector === connector) this.#stopped(verdict, failure)
      },
    })
    this.#connector = connector
  }

  /**
   * Logs and keeps a failure, once: the time of the next attempt may be reported again. The end of a connection and the
   * first failed attempt are logged as warnings, and further failed attempts at the level `debug`.
   */
  #note(retryAt: number | null, failure: Failure, { message }: RpcDisconnectedError): void {
    if (this.#noted === failure.message) return
    this.#noted = failure.message
    const line = (): string => {
      if (retryAt === null) return `${message} (its socket connects again by itself)`
      const leftMs = Math.max(0, Math.round(retryAt - Date.now()))
      return `${message} (the next attempt is in ${formatMs(leftMs)})`
    }
    const { status, attempt } = this.#state.current
    this.#hooks.log(attempt > 1 ? 'debug' : 'warn', line, OF_CONNECTION)
    this.#outage.failed(failure, status === 'connected')
  }

  #opened(hello: HelloResult | undefined): void {
    const generation = ++this.#generation
    this.#connected(hello)
    // A listener may have closed it.
    if (!this.core.isConnected) return
    this.#hooksCalled = true
    void this.#hooks.connect(this).then((well) => {
      if (well || generation !== this.#generation) return
      this.core.end({ code: CloseCode.hookFailed, reason: 'An onConnect hook failed' })
    })
  }

  #ended(info: CloseInfo): void {
    // If a connection ends before it is ready, no hook was called for it.
    if (!this.#hooksCalled) return
    this.#hooksCalled = false
    this.#hooks.disconnect(this, info)
  }

  #resumed(hello: HelloResult | undefined): void {
    if (this.#connector?.session?.isSame !== false) return this.#connected(hello)
    // The program in between has kept this client's calls, but the server does not have them any more.
    this.#ended({ code: 1006, reason: 'The server does not have the session any more' })
    this.#opened(hello)
  }

  #connected(hello: HelloResult | undefined): void {
    const { id, isSame } = this.#connector?.session ?? { id: hello?.sid ?? null, isSame: true }
    this.#everConnected = true
    this.#outage.connected()
    this.#connector?.accepted(hello?.spreadMs ?? 0, hello?.windowMs ?? Number.POSITIVE_INFINITY)
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
    const isLost = this.#state.current.status === 'connected'
    const what = isLost ? 'the connection was lost' : 'the attempt failed'
    const message = `${what} (${describeClose(info)})`
    this.#connector?.lost({ message, closeCode: info.code, retryAfterMs })
  }

  #stopped(status: Exclude<Verdict, 'retry'>, failure: Failure): void {
    this.#connector = undefined
    const lastError = disconnected(failure)
    this.#hooks.log(
      'error',
      `${lastError.message}; the client has stopped (${status})`,
      OF_CONNECTION,
    )
    this.core.refuse({
      message: `the client has stopped (${status}): ${asSentence(lastError.message)} connect() tries again`,
      closeCode: failure.closeCode,
      cause: lastError,
    })
    this.#outage.failed(failure, this.#state.current.status === 'connected')
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

/** @returns the status between two connections. `onLine` is false only if a browser knows that there is no network. */
function statusBetween(): 'reconnecting' | 'offline' {
  return globalThis.navigator?.onLine === false ? 'offline' : 'reconnecting'
}

/** @returns the error for a failure, which says what the user can do about it. */
function disconnected(failure: Failure): RpcDisconnectedError {
  const { closeCode, httpStatus, cause, createError } = failure
  const message = withRemedy(failureText(failure), remedyOf(failure))
  return own(
    createError?.(message, cause) ??
      new RpcDisconnectedError(message, 'not-sent', { closeCode, httpStatus, cause }),
  )
}

function asSentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`
}

function closedError(): RpcDisconnectedError {
  return own(new RpcDisconnectedError('The client was closed. Create another one', 'not-sent'))
}

function resolveSettings(
  contract: Contract | undefined,
  options: UntypedClientOptions,
  features: readonly Feature[],
): ResolvedChannelOptions {
  const { connectTimeoutMs } = options
  return resolveChannelOptions(
    {
      ...options,
      ...(connectTimeoutMs !== undefined && { helloTimeoutMs: connectTimeoutMs }),
    },
    features,
    contract,
  )
}
