import {
  type ChannelHooks,
  type Contract,
  createChannel,
  memoryTransportPair,
  type ServerChannel,
  type Transport,
} from '@flashrpc/core'

/** A channel of main's, of which nothing is known. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyServerChannel = ServerChannel<any, any, any>

/** Options of a channel, their types gone. */
export interface UntypedChannelOptions extends ChannelHooks<AnyServerChannel> {
  readonly transport: Transport
  readonly identity?: unknown
  readonly methods?: object
}

/**
 * Opens main's end, with a contract or without.
 *
 * @throws {RpcConfigError} if an option or a method's name is wrong.
 */
export function openServerChannel(
  contract: Contract | undefined,
  options: UntypedChannelOptions,
): AnyServerChannel {
  // The types were checked where the host was made.
  const create = createChannel as (...args: unknown[]) => AnyServerChannel
  const all = { ...options, side: 'server' }
  return contract ? create(contract, all) : create(all)
}

/**
 * A channel that is closed from the start: its calls reject, saying why.
 *
 * @throws {RpcConfigError} if an option or a method's name is wrong.
 */
export function closedChannel(
  contract: Contract | undefined,
  options: object,
  why: string,
): AnyServerChannel {
  const [transport] = memoryTransportPair()
  const channel = openServerChannel(contract, { ...options, transport })
  void channel.close(4404, why)
  return channel
}
