import type { Discovery } from '../calls/discovery.js'
import type { Authorize } from '../calls/dispatcher.js'
import type { ChannelHooks } from '../calls/hooks.js'
import type { ChannelOptions } from '../calls/options.js'
import type { Authorizer, ServerChannel } from '../channels/channel.js'
import { ChannelKind, type ChannelKindOptions } from '../channels/channel-kind.js'
import { Groups } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { openOn } from '../channels/open-channel.js'
import type { Contract } from '../contract/contract.js'
import type { RpcConfigError } from '../errors/errors.js'
import { OF_HOSTS } from '../presets/of-hosts.js'
import { memoryTransportPair } from '../transport/memory.js'
import type { Transport } from '../transport/transport.js'
import { GivenHandlers, type ImplementArguments, type ServerWords } from './given-handlers.js'
import { Leaves } from './leaves.js'
import { LocalGroups } from './local-groups.js'
import { type PresenceOptions, resolvePresence } from './presence-option.js'

/** A channel of a server, whose contract and identity are not known. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyServerChannel = ServerChannel<any, any, any>

/** The options of a host's channels, without their types. Their names and kinds were already checked. */
export interface ServedOptions
  extends Omit<ChannelOptions, 'discover'>,
    ChannelHooks<AnyServerChannel> {
  discover?: Discovery | undefined
  methods?: object | undefined
  // biome-ignore lint/suspicious/noExplicitAny: the names and contexts of every contract's
  authorize?: Authorizer<any, any>
  presence?: PresenceOptions<AnyServerChannel>
}

/**
 * The channels of a host that takes its connections by itself, such as Electron's main: each is opened over a transport
 * of its own, and ends with it. They have the groups, the presence and the handlers that an endpoint's channels have.
 */
export class ServedChannels {
  readonly #kind: ChannelKind
  readonly #groups: Groups<LiveChannel>
  readonly #handlers: GivenHandlers

  /** @throws {RpcConfigError} if an option or a method's name is wrong. */
  constructor(contract: Contract | undefined, options: ServedOptions, words: ServerWords) {
    const { presence, authorize, ...others } = options
    const watched =
      presence &&
      new LocalGroups(() => ({
        format: this.#kind.settings.format,
        membersOf: (group) => this.#groups.membersOf(group),
      }))
    const watch: LocalGroups['watch'] = (group, listener) =>
      (watched as LocalGroups).watch(group, listener)
    const leaves = new Leaves()
    this.#groups = new Groups(watched && leaves.heard(watched.events))
    this.#kind = new ChannelKind({
      contract,
      side: 'server',
      options: {
        ...others,
        members: resolvePresence(presence as PresenceOptions | undefined, watch, leaves.on),
      } as ChannelKindOptions['options'],
      authorize: authorize as Authorize | undefined,
      features: OF_HOSTS,
      groups: this.#groups,
      ...(watched && {
        events: {
          // It may have joined groups before its handshake.
          open: (channel) => watched.changed(channel),
          presenceChanged: (channel) => watched.changed(channel),
        },
      }),
    })
    const mayBeNone = options.methods !== undefined || options.fallback !== undefined
    this.#handlers = new GivenHandlers(this.#kind, mayBeNone, words)
  }

  /** Why no channel should be opened yet: methods have no handler. */
  get lack(): RpcConfigError | undefined {
    return this.#handlers.lack
  }

  /** @throws {RpcConfigError} if a channel was opened already, or a handler is wrong. */
  implement(...args: ImplementArguments): void {
    this.#handlers.implement(...args)
  }

  /** Opens a channel over a connection. */
  open(transport: Transport, identity: unknown): AnyServerChannel {
    this.#handlers.begin()
    return openOn(this.#kind, transport, { identity })
  }

  /** A channel that is closed from the start: its calls reject, and say why. */
  closed(code: number, why: string): AnyServerChannel {
    const [transport] = memoryTransportPair()
    const channel = openOn(this.#kind, transport, {})
    void channel.close(code, why)
    return channel
  }
}
