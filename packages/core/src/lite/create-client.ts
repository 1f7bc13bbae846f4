import { assertFeatures } from '../calls/assert-features.js'
import type { Feature } from '../calls/feature.js'
import {
  type AnyClient,
  CLIENT_OPTIONS,
  type Client,
  type ClientOptions,
  LastingClient,
  type UntypedClientOptions,
} from '../client/client.js'
import type { Contract, ContractSide } from '../contract/contract.js'
import { contractAndOptions } from '../contract/contract-and-options.js'

/** What a client, a channel or an endpoint can do besides calling and answering. */
export interface FeatureOptions {
  /** Made by the functions of `@flashrpc/core/features`, such as `[streams(), sessions()]`. Default: none. */
  features?: readonly Feature[]
}

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
  const known = { ...CLIENT_OPTIONS, features: 'elsewhere' }
  const [contract, options] = contractAndOptions<UntypedClientOptions & FeatureOptions>(
    'createClient',
    args,
    known,
  )
  const { features = [] } = options
  assertFeatures(contract, options, features)
  return new LastingClient(contract, options, features)
}
