/// <reference lib="esnext.disposable" preserve="true" />

import type { Feature } from '../calls/feature.js'
import { CHANNEL_HOOKS, type ChannelHooks } from '../calls/hooks.js'
import { CHANNEL_OPTIONS, type ChannelOptions } from '../calls/options.js'
import type { Contract, Side } from '../contract/contract.js'
import { RpcConfigError } from '../errors/errors.js'
import type { OptionKinds } from '../errors/options.js'
import { ServerHandshake } from '../link/server-handshake.js'
import { assertTransport } from '../transport/assert-transport.js'
import type { Transport } from '../transport/transport.js'
import type { AnyChannel, Authorizer } from './channel.js'
import { ChannelKind } from './channel-kind.js'
import { clientHandshake } from './client-hello.js'
import type { LiveChannel, Visitor } from './live-channel.js'

/** Opens a channel without its types. The names and kinds of its options were already checked. */
export function openChannel(
  contract: Contract | undefined,
  options: UntypedChannelOptions,
  features: readonly Feature[],
): AnyChannel {
  const { side, transport } = options
  if (side !== 'server' && side !== 'client') {
    throw new RpcConfigError(`side must be "server" or "client". It is ${String(side)}`)
  }
  assertTransport(transport, 'be')
  const { identity, authorize } = options
  const kind = new ChannelKind({ contract, side, options, authorize, features })
  return openOn(kind, transport, { identity })
}

/** Opens a channel over a transport that is its own. */
export function openOn(kind: ChannelKind, transport: Transport, visitor: Visitor): LiveChannel {
  const channel = kind.createChannel(visitor)
  const { features, settings, helloLimits: limits } = kind
  const { plain: isPlain, helloTimeoutMs: timeLeftMs } = settings
  const { core, id } = channel
  const handshake =
    core.kind.side === 'client'
      ? clientHandshake(core, features, transport, { attempt: 1, isPlain, timeLeftMs })
      : new ServerHandshake({
          isPlain,
          timeLeftMs,
          limits,
          receive: () => ({ accept: { sid: id, resumed: false, spreadMs: 0 } }),
          messagesIgnored: () => channel.messagesIgnored(),
          spreadMs: () => undefined,
        })
  core.attach(transport, handshake)
  return channel
}

/** Options, with or without a contract before them. */
export type ChannelArguments = [UntypedChannelOptions] | [Contract, UntypedChannelOptions]

/** The options of every channel that serves. */
export const SERVER_CHANNEL_OPTIONS = {
  ...CHANNEL_OPTIONS,
  ...CHANNEL_HOOKS,
  methods: 'object',
  authorize: 'function',
} as const satisfies OptionKinds<Omit<UntypedChannelOptions, 'transport' | 'side' | 'identity'>>

export const CREATE_CHANNEL_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  transport: 'elsewhere',
  side: 'elsewhere',
  identity: 'elsewhere',
} as const satisfies OptionKinds<UntypedChannelOptions>

/** The options of both sides, without their types. */
export interface UntypedChannelOptions extends ChannelOptions, ChannelHooks<LiveChannel> {
  transport: Transport
  side: Side
  methods?: object
  identity?: unknown
  // biome-ignore lint/suspicious/noExplicitAny: the names and contexts of every contract's
  authorize?: Authorizer<any, any>
}
