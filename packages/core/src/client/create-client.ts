import type { Contract, ContractSide } from '../contract/contract.js'
import { contractAndOptions } from '../contract/contract-and-options.js'
import { OF_CLIENTS } from '../presets/of-clients.js'
import {
  type AnyClient,
  CLIENT_OPTIONS,
  type Client,
  type ClientOptions,
  type UntypedClientOptions,
} from './client.js'
import { LastingClient } from './lasting-client.js'

/**
 * Makes a client, which connects, and connects again after a loss.
 *
 * Calls that are made without a connection wait for one, until their timeout and within the limits `queuedMessages` and
 * `queuedBytes`. Calls that are cut off by a disconnect reject with `RpcDisconnectedError`; its `outcome` says whether
 * they may have run.
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
  const [contract, options] = contractAndOptions<UntypedClientOptions>(
    'createClient',
    args,
    CLIENT_OPTIONS,
  )
  return new LastingClient(contract, options, OF_CLIENTS)
}
