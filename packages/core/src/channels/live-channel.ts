import type { MethodsThere } from '../calls/channel-context.js'
import { sidesOf } from '../calls/channel-context.js'
import { ChannelCore } from '../calls/channel-core.js'
import type { ChannelCoreOptions } from '../calls/channel-core-options.js'
import type { Authorize } from '../calls/dispatcher.js'
import { handlersOf } from '../calls/exposed-handlers.js'
import type { Feature, FeatureTable, ResumableLink } from '../calls/feature.js'
import { tableOf } from '../calls/feature-table.js'
import type { Other } from '../calls/functions.js'
import type { HandlersByName } from '../calls/handler.js'
import { type ChannelHooks, HookRunner } from '../calls/hooks.js'
import type { OwnedOptions, ResolvedChannelOptions } from '../calls/options.js'
import type { UntypedSide } from '../calls/peer.js'
import { resolveChannelOptions } from '../calls/resolve-options.js'
import type { Contract, Side } from '../contract/contract.js'
import { assertDuration } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import { assertFunction, kindOf } from '../errors/options.js'
import type { Connection } from '../link/connection.js'
import { MOVED } from '../link/endings.js'
import type { Handshake } from '../link/handshake.js'
import type { HelloLimits, HelloParams } from '../link/hello.js'
import { type Reception, type Receptionist, ServerHandshake } from '../link/server-handshake.js'
import type { ErrorContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import type { AnyChannel } from './channel.js'
import { clientHandshake } from './client-hello.js'
import { CorePeer } from './core-peer.js'
import { assertGroup, type Groups, type JoinOptions, Membership } from './groups.js'

/** The common options of channels that are opened alike, without their types. */
export interface ChannelKindOptions {
  readonly contract: Contract | undefined
  readonly side: Side
  readonly options: OwnedOptions & ChannelHooks<LiveChannel> & { methods?: object }
  readonly authorize?: Authorize | undefined
  /** The features of the channels. */
  readonly features: readonly Feature[]
  /** Server: decides which channel takes the connection. Default: this channel. */
  readonly receive?: (hello: HelloParams, connection: Connection, channel: LiveChannel) => Reception
  /** Server: whether a client that says no hello in time is refused (4408), and not served as a plain peer. */
  readonly needsHello?: boolean
  /** Server: the window over which its clients spread after a loss, in ms. */
  readonly spreadMs?: (channel: LiveChannel) => number
  /** Makes the ids of the channels. */
  readonly newId?: (() => string) | undefined
  /** Finds channels by their groups. */
  readonly groups?: Groups<LiveChannel>
  readonly events?: LiveChannelEvents
}

/** The events of each channel, for the program part that opened it. They come before the channel's hooks. */
export interface LiveChannelEvents {
  open?(channel: LiveChannel): void
  /** Its connection ended; in a session, another may come. */
  down?(channel: LiveChannel): void
  /** It has ended; `recv` is the number of messages that its session has dispatched. */
  ended?(channel: LiveChannel, info: CloseInfo, recv: number | undefined): void
  /** The number of bytes that it holds for the other side may have changed. */
  change?(channel: LiveChannel): void
  /** It goes on, and has lost its connection, or has one again, or the other side has other methods than before. */
  readonly turned?: (channel: LiveChannel) => void
}

/** The other side of a channel: its identity and its owner. */
export interface Visitor {
  /** The identity that this side has found out. */
  readonly identity?: unknown
  /** Server: the owner of the connection, for limits that all clients share. */
  readonly owner?: string | undefined
  /**
   * Server: the number of the client's messages that were dispatched in the session that it wants to resume, if that
   * session has ended and was another server's.
   */
  readonly lastRecv?: number
  /** Server: how long it was waited for the client's first frame before the channel was opened, in ms. */
  readonly waitedMs?: number
}

/** The common settings of channels that are opened alike, such as a server's. */
export class ChannelKind {
  readonly settings: ResolvedChannelOptions
  readonly groups: Groups<LiveChannel> | undefined
  readonly features: FeatureTable
  readonly side: Side
  /** The limits that a server states in its answer to the hello. */
  readonly helloLimits: HelloLimits
  readonly receive: ChannelKindOptions['receive']
  readonly spreadMs: ChannelKindOptions['spreadMs']
  readonly needsHello: boolean
  readonly #core: ChannelCoreOptions<LiveChannel>
  readonly #handlers: HandlersByName

  /** @throws {RpcConfigError} if an option or a method's name is wrong. */
  constructor(kind: ChannelKindOptions) {
    const { contract, side, options, events, groups, features, authorize } = kind
    const settings = resolveChannelOptions(options, features)
    const tell = events?.turned
    const turned = tell && ((channel: LiveChannel) => channel.goesOn && tell(channel))
    const hooks = new HookRunner<LiveChannel>(options, settings.diagnostics)
    this.features = tableOf(features)
    this.side = side
    this.receive = kind.receive
    this.spreadMs = kind.spreadMs
    this.needsHello = kind.needsHello ?? false
    const { limits } = settings
    const { message: msg, batch, depth, unackedBytes: buf } = limits
    this.helloLimits = { msg, batch, depth, buf }
    this.settings = settings
    this.groups = groups
    this.#handlers = handlersOf(options.methods, { side, localSide: contract?.[side], settings })
    this.#core = {
      authorize,
      newId: kind.newId,
      side,
      ...sidesOf(contract, side),
      settings: this.settings,
      features: this.features,
      isLasting: false,
      events: {
        open: (channel) => {
          events?.open?.(channel)
          channel.wasTold = true
          if (turned) channel.onMethods(() => turned(channel))
          void hooks.connect(channel).then((well) => {
            if (!well) channel.end({ code: CloseCode.internal, reason: 'An onConnect hook failed' })
          })
        },
        down: (channel, info, isEndTold) => {
          if (!isEndTold) hooks.down(channel, info)
          events?.down?.(channel)
          turned?.(channel)
        },
        ...(turned && { resumed: turned }),
        ended: (channel, info, recv) => {
          channel.over()
          events?.ended?.(channel, info, recv)
          if (channel.wasTold) hooks.disconnect(channel, info)
        },
        error: (channel, error, context) => hooks.error(channel, error, context),
        change: (channel) => events?.change?.(channel),
      },
    }
  }

  /** Opens a channel. The public signatures add its types. */
  open(transport: Transport, visitor: Visitor): LiveChannel {
    const channel = new LiveChannel(this, this.#core, this.#handlers, visitor)
    channel.attach(transport)
    return channel
  }
}

const NO_GROUPS: ReadonlySet<string> = new Set()

/** A channel that begins with a connection and ends with it, or with its session. It has no types. */
export class LiveChannel extends CorePeer implements AnyChannel, Receptionist<Connection> {
  /** Whether its hooks were told that it is connected. */
  wasTold = false
  readonly #kind: ChannelKind
  protected readonly core: ChannelCore
  identity: unknown
  #visitor: Visitor
  readonly #handshake = new ServerHandshake<Connection>(this)
  #membership: Membership<LiveChannel> | undefined
  /** Made when it is first needed. */
  #isOver = false

  constructor(
    kind: ChannelKind,
    options: ChannelCoreOptions<LiveChannel>,
    handlers: HandlersByName,
    visitor: Visitor,
  ) {
    super()
    this.#kind = kind
    this.identity = visitor.identity
    this.#visitor = visitor
    this.core = new ChannelCore(options, this, handlers)
  }

  get owner(): string | undefined {
    return this.#visitor.owner
  }

  get other(): Other<UntypedSide> {
    return this.core.other as Other<UntypedSide>
  }

  get isConnected(): boolean {
    return this.core.isConnected
  }

  get running(): number {
    return this.core.running
  }

  has(method: string): boolean | undefined {
    return this.#presence?.has(method)
  }

  /** All methods of the other side that have a handler; undefined if it does not tell. */
  get mounted(): ReadonlySet<string> | undefined {
    return this.#presence?.all
  }

  onMethods(listener: (methods: ReadonlySet<string>) => void): () => void {
    assertFunction('onMethods', listener)
    return this.#presence?.listen(listener) ?? (() => {})
  }

  /** Undefined without the feature: then the other side tells no methods. */
  get #presence(): MethodsThere | undefined {
    return this.#kind.features.methodsThere?.(this.core)
  }

  /** Whether it has ended, with its session. */
  get hasEnded(): boolean {
    return this.#isOver
  }

  /** Whether it has not ended, and is not about to. */
  get goesOn(): boolean {
    return !this.#isOver && this.core.refusal === undefined
  }

  get groups(): ReadonlySet<string> {
    return this.#membership?.names ?? NO_GROUPS
  }

  join(group: string, options?: JoinOptions): void {
    assertGroup(group)
    // A handler that has waited before it joins may join after the end.
    if (this.#isOver) return
    const { groups, settings } = this.#kind
    this.#membership ??= new Membership<LiveChannel>(this, groups, settings.limits.groups)
    this.#membership.join(group, options)
  }

  leave(group: string): void {
    assertGroup(group)
    this.#membership?.leave(group)
  }

  async close(code: number = CloseCode.normal, reason = ''): Promise<void> {
    assertClose(code, reason)
    this.end({ code, reason })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ── For the opener of the channel ─────────────────────────────────────────────────────────────

  /** The other side of the channel. */
  get visitor(): Visitor {
    return this.#visitor
  }

  attach(transport: Transport): void {
    this.core.attach(transport, this.#handshakeOn(transport))
  }

  #handshakeOn(transport: Transport): Handshake {
    const { side, features, settings } = this.#kind
    if (side === 'server') return this.#handshake
    const { plain: isPlain, helloTimeoutMs: timeLeftMs } = settings
    return clientHandshake(this.core, features, transport, { attempt: 1, isPlain, timeLeftMs })
  }

  get isPlain(): boolean {
    return this.#kind.settings.plain
  }

  get needsHello(): boolean {
    return this.#kind.needsHello
  }

  get timeLeftMs(): number {
    return Math.max(0, this.#kind.settings.helloTimeoutMs - (this.#visitor.waitedMs ?? 0))
  }

  get limits(): HelloLimits {
    return this.#kind.helloLimits
  }

  receive(hello: HelloParams, connection: Connection): Reception {
    const welcome = { sid: this.id, resumed: false, spreadMs: 0 }
    return this.#kind.receive?.(hello, connection, this) ?? { welcome }
  }

  spreadMs(): number | undefined {
    return this.#kind.spreadMs?.(this)
  }

  unheard(): void {
    this.core.lose({ message: 'the client said late who it is' })
  }

  /** The channel has ended. */
  over(): void {
    this.#isOver = true
    this.#membership?.end()
    this.core.methodsThere?.end()
  }

  /** Reports an error that no answer tells the other side about. */
  error(thrown: unknown, context: ErrorContext): void {
    this.core.error(thrown, context)
  }

  /** The number of bytes that it holds for the other side. */
  get heldBytes(): number {
    return this.core.heldBytes
  }

  /** Whether nothing runs, is open, waits or is unacknowledged in either direction. */
  get isIdle(): boolean {
    return this.core.isIdle
  }

  get isServing(): boolean {
    return this.core.isServing
  }

  whenServed(): Promise<void> {
    return this.core.whenServed()
  }

  /** Begins a session. @param peerBytes how many bytes the client itself keeps; undefined if its hello does not say. */
  begin(peerBytes: number | undefined): void {
    const { features } = this.#kind
    const { core } = this
    const { connection } = core
    if (!connection) return
    for (const feature of features.all) {
      feature.beginLink?.(core, features, connection, this.id, peerBytes)
    }
  }

  /**
   * Goes on over a connection that was made for another channel.
   *
   * @returns the number of its client's messages that it has dispatched; undefined if `recv` is impossible.
   */
  resume(connection: Connection, recv: unknown, visitor: Visitor): number | undefined {
    const link = this.core.link as ResumableLink
    if (!link.resume(connection, recv, this.#handshake)) return undefined
    this.core.takeOver(connection)
    this.identity = visitor.identity
    this.#visitor = visitor
    return link.tell()
  }

  /** Another channel takes over its connection. This channel was used for a plain peer, or not at all. */
  abandon(): void {
    this.core.abandon(MOVED)
  }

  /** Tells the other side that this one leaves, and runs no call that comes afterwards. */
  retire(retryAfterMs?: number): void {
    if (retryAfterMs !== undefined) assertDuration('retire: retryAfterMs', retryAfterMs)
    for (const feature of this.#kind.features.all) feature.leave?.(this.core, retryAfterMs)
  }

  /** Ends it, with its connection and its session. */
  end(info: CloseInfo): void {
    this.core.end(info)
  }
}

/** @throws {RpcConfigError} if a program can't close a channel with this code and this reason. */
export function assertClose(code: number, reason: string): void {
  if (code !== CloseCode.normal && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
    throw new RpcConfigError(
      `A close code must be 1000 or from 3000 to 4999. It is ${String(code)}`,
    )
  }
  if (typeof reason !== 'string') {
    throw new RpcConfigError(`The reason of a close is a string, not ${kindOf(reason)}`)
  }
}
