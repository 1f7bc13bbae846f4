import type { Contract, ContractSide } from '../contract/contract.js'
import { contractAndOptions } from '../contract/contract-and-options.js'
import { OF_CHANNELS } from '../presets/of-channels.js'
import type {
  AnyChannel,
  Channel,
  CreateChannelOptions,
  CreateServerChannelOptions,
  ServerChannel,
} from './channel.js'
import {
  type ChannelArguments,
  CREATE_CHANNEL_OPTIONS,
  openChannel,
  type UntypedChannelOptions,
} from './open-channel.js'

/**
 * Opens a channel over a connection that exists already, such as one to a worker, a frame or a process.
 *
 * @throws {RpcConfigError} if an option or a method's name is wrong.
 */
export function createChannel<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = undefined,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: CreateServerChannelOptions<Server, Client, Identity, Literal>,
): ServerChannel<Server, Client, Identity>
export function createChannel<
  Server extends ContractSide,
  Client extends ContractSide,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: CreateChannelOptions<Client, Server, Literal> & { side: 'client' },
): Channel<Client, Server>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createChannel<Local extends object, Remote extends object, const Literal = never>(
  options: CreateChannelOptions<Local, Remote, Literal>,
): Channel<Local, Remote>
export function createChannel(...args: ChannelArguments): AnyChannel {
  const [contract, options] = contractAndOptions<UntypedChannelOptions>(
    'createChannel',
    args,
    CREATE_CHANNEL_OPTIONS,
  )
  return openChannel(contract, options, OF_CHANNELS)
}
