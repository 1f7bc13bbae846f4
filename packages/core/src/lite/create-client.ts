import {
  type AnyClient,
  CLIENT_OPTIONS,
  type Client,
  type ClientOptions,
  type UntypedClientOptions,
} from '../client/client.js'
import { LastingClient } from '../client/lasting-client.js'
import type { Contract, ContractSide } from '../contract/contract.js'
import { type FeatureOptions, liteArguments } from './lite-arguments.js'

/**
 * Makes a client that has the features it is given: see `createClient` of `@flashrpc/core`, which has all.
 *
 * @throws {RpcConfigError} if an option, the address or the name of a method is wrong, or the contract or an option needs
 *   a feature that is missing.
 */
export function createClient<
  Server extends ContractSide,
  ClientSide extends ContractSide,
  const Literal = never,
>(
  contract: Contract<Server, ClientSide>,
  options: ClientOptions<ClientSide, Server, Literal> & FeatureOptions,
): Client<ClientSide, Server>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createClient<
  Server extends object,
  ClientSide extends object = Record<never, never>,
  const Literal = never,
>(options: ClientOptions<ClientSide, Server, Literal> & FeatureOptions): Client<ClientSide, Server>
export function createClient(
  ...args: [UntypedClientOptions] | [Contract, UntypedClientOptions]
): AnyClient {
  return new LastingClient(
    ...liteArguments<UntypedClientOptions>('createClient', args, CLIENT_OPTIONS),
  )
}
