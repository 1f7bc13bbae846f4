import type { MethodsThere } from '../calls/channel-context.js'
import { ChannelCore } from '../calls/channel-core.js'
import type { ChannelCoreOptions } from '../calls/channel-core-options.js'
import type { ResumableLink } from '../calls/feature.js'
import type { Other } from '../calls/functions.js'
import type { HandlersByName } from '../calls/handler.js'
import type { UntypedSide } from '../calls/peer.js'
import { assertDuration } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import { assertFunction, kindOf } from '../errors/options.js'
import type { Connection } from '../link/connection.js'
import type { ErrorContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import type { AnyChannel } from './channel.js'
import { CorePeer } from './core-peer.js'
import { assertGroup, type Groups, type JoinOptions, Membership } from './groups.js'

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
  /** Whether it is refused (4408) if its hello does not come, and not served as a plain peer. Default false. */
  readonly needsHello?: boolean
}

const NO_GROUPS: ReadonlySet<string> = new Set()

/** A channel that begins with a connection and ends with it, or with its session. It has no types. */
export class LiveChannel extends CorePeer implements AnyChannel {
  /** Whether `onConnect` was called. */
  hooksCalled = false
  readonly core: ChannelCore
  identity: unknown
  #visitor: Visitor
  readonly #groups: Groups<LiveChannel> | undefined
  /** Made when it is first needed. */
  #membership: Membership<LiveChannel> | undefined
  #isOver = false

  /** @param groups finds channels by their groups. */
  constructor(
    options: ChannelCoreOptions<LiveChannel>,
    handlers: HandlersByName,
    groups: Groups<LiveChannel> | undefined,
    visitor: Visitor,
  ) {
    super()
    this.#groups = groups
    this.identity = visitor.identity
    this.#visitor = visitor
    this.core = new ChannelCore(options, this, handlers)
  }

  get id(): string {
    return this.core.id
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
    return this.core.kind.features.methodsThere?.(this.core)
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
    const { limits } = this.core.kind.settings
    this.#membership ??= new Membership<LiveChannel>(this, this.#groups, limits.groups)
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

  /** Server: the client has ignored all messages that were sent so far. */
  messagesIgnored(): void {
    this.core.lose({ message: "the client's hello came late, and it ignores what was sent before" })
  }

  /** The channel has ended. */
  markEnded(): void {
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
    const { core } = this
    const { features } = core.kind
    const { connection } = core
    if (!connection) return
    for (const feature of features.all) {
      feature.beginLink?.(core, features, connection, this.id, peerBytes)
    }
  }

  /**
   * Goes on over another connection.
   *
   * @returns the number of its client's messages that it has dispatched; undefined if `recv` is impossible.
   */
  resume(connection: Connection, recv: unknown, visitor: Visitor): number | undefined {
    const link = this.core.link as ResumableLink
    if (!link.resume(connection, recv)) return undefined
    this.core.takeOver(connection)
    this.identity = visitor.identity
    this.#visitor = visitor
    return link.reportRecv()
  }

  /** Tells the other side that this one leaves, and runs no call that comes afterwards. */
  retire(retryAfterMs?: number): void {
    if (retryAfterMs !== undefined) assertDuration('retire: retryAfterMs', retryAfterMs)
    for (const feature of this.core.kind.features.all) feature.leave?.(this.core, retryAfterMs)
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
