import type {
  AnyChannel,
  Channel,
  CreateChannelOptions,
  CreateServerChannelOptions,
  ServerChannel,
} from '../channels/channel.js'
import {
  type ChannelArguments,
  CREATE_CHANNEL_OPTIONS,
  openChannel,
  type UntypedChannelOptions,
} from '../channels/open-channel.js'
import type { Contract, ContractSide } from '../contract/contract.js'
import { type FeatureOptions, liteArguments } from './lite-arguments.js'

/**
 * Opens a channel that has the features it is given: see `createChannel` of `@flashrpc/core`, which has all.
 *
 * @throws {RpcConfigError} if an option or the name of a method is wrong, or the contract or an option needs a feature
 *   that is missing.
 */
export function createChannel<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = undefined,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: CreateServerChannelOptions<Server, Client, Identity, Literal> & FeatureOptions,
): ServerChannel<Server, Client, Identity>
export function createChannel<
  Server extends ContractSide,
  Client extends ContractSide,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: CreateChannelOptions<Client, Server, Literal> & { side: 'client' } & FeatureOptions,
): Channel<Client, Server>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createChannel<Local extends object, Remote extends object, const Literal = never>(
  options: CreateChannelOptions<Local, Remote, Literal> & FeatureOptions,
): Channel<Local, Remote>
export function createChannel(...args: ChannelArguments): AnyChannel {
  return openChannel(
    ...liteArguments<UntypedChannelOptions>('createChannel', args, CREATE_CHANNEL_OPTIONS),
  )
}
