import { sidesOf } from '../calls/channel-context.js'
import type { ChannelCoreOptions } from '../calls/channel-core-options.js'
import type { Authorize } from '../calls/dispatcher.js'
import { addHandlers, handlersOf } from '../calls/exposed-handlers.js'
import type { Feature, FeatureTable } from '../calls/feature.js'
import { tableOf } from '../calls/feature-table.js'
import type { HandlersByName } from '../calls/handler.js'
import { type ChannelHooks, HookRunner } from '../calls/hooks.js'
import type { OwnedOptions, ResolvedChannelOptions } from '../calls/options.js'
import { resolveChannelOptions } from '../calls/resolve-options.js'
import type { Contract, Side } from '../contract/contract.js'
import type { HelloLimits } from '../link/hello.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Groups } from './groups.js'
import { LiveChannel, type Visitor } from './live-channel.js'

/** The common options of channels that are opened alike, without their types. */
export interface ChannelKindOptions {
  readonly contract: Contract | undefined
  readonly side: Side
  readonly options: OwnedOptions & ChannelHooks<LiveChannel> & { methods?: object }
  readonly authorize?: Authorize | undefined
  /** The features of the channels. */
  readonly features: readonly Feature[]
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
  /** It has not ended, and has lost its connection, or has one again, or the other side has other methods than before. */
  readonly presenceChanged?: (channel: LiveChannel) => void
}

/** The common settings of channels that are opened alike, such as a server's. */
export class ChannelKind {
  readonly settings: ResolvedChannelOptions
  readonly features: FeatureTable
  /** The limits that a server states in its answer to the hello. */
  readonly helloLimits: HelloLimits
  readonly #core: ChannelCoreOptions<LiveChannel>
  #handlers: HandlersByName
  readonly #groups: Groups<LiveChannel> | undefined

  /** @throws {RpcConfigError} if an option or a method's name is wrong. */
  constructor(kind: ChannelKindOptions) {
    const { contract, side, options, events, groups, features, authorize } = kind
    const settings = resolveChannelOptions(options, features, contract)
    const report = events?.presenceChanged
    const presenceChanged = report && ((channel: LiveChannel) => channel.goesOn && report(channel))
    const hooks = new HookRunner<LiveChannel>(options, settings.diagnostics)
    this.features = tableOf(features)
    const { limits } = settings
    const { message: msg, batch, depth, unackedBytes: buf } = limits
    this.helloLimits = { msg, batch, depth, buf }
    this.settings = settings
    this.#groups = groups
    this.#core = {
      authorize,
      newId: kind.newId,
      side,
      ...sidesOf(contract, side),
      settings: this.settings,
      features: this.features,
      outlivesLinks: false,
      events: {
        open: (channel) => {
          events?.open?.(channel)
          channel.hooksCalled = true
          if (presenceChanged) channel.onMethods(() => presenceChanged(channel))
          void hooks.connect(channel).then((well) => {
            if (!well) channel.end({ code: CloseCode.internal, reason: 'An onConnect hook failed' })
          })
        },
        down: (channel, info, isEndReported) => {
          if (!isEndReported) hooks.down(channel, info)
          events?.down?.(channel)
          presenceChanged?.(channel)
        },
        ...(presenceChanged && { resumed: presenceChanged }),
        ended: (channel, info, recv) => {
          channel.markEnded()
          events?.ended?.(channel, info, recv)
          if (channel.hooksCalled) hooks.disconnect(channel, info)
        },
        error: (channel, error, context) => hooks.error(channel, error, context),
        change: (channel) => events?.change?.(channel),
      },
    }
    this.#handlers = handlersOf(options.methods, this.#core)
  }

  /** Adds handlers for the channels that are opened from now on. @throws {RpcConfigError} as `handlersOf` does. */
  implement(methods: object): void {
    const handlers = new Map(this.#handlers)
    addHandlers(handlers, methods, this.#core, '')
    this.#handlers = handlers
  }

  /** The methods of the contract that have no handler; without a contract, undefined if there is no handler at all. */
  get missing(): readonly string[] | undefined {
    const { localSide } = this.#core
    if (!localSide) return this.#handlers.size > 0 ? [] : undefined
    return Object.keys(localSide).filter((name) => !this.#handlers.has(name))
  }

  /** Makes a channel, which has no connection yet. */
  createChannel(visitor: Visitor): LiveChannel {
    return new LiveChannel(this.#core, this.#handlers, this.#groups, visitor)
  }
}
