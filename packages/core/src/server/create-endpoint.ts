import type { Contract, ContractSide } from '../contract/contract.js'
import { contractAndOptions } from '../contract/contract-and-options.js'
import { OF_ENDPOINTS } from '../presets/of-endpoints.js'
import { WebSocketEndpoint } from './endpoint.js'
import {
  type ClusterEndpoint,
  type ClusterOption,
  ENDPOINT_OPTIONS,
  type Endpoint,
  type EndpointOf,
  type EndpointOptions,
  type UntypedOptions,
} from './endpoint-types.js'

/**
 * Makes an endpoint; `attach` or `listen` lets connections in.
 *
 * @throws {RpcConfigError} if an option or a method's name is wrong.
 */
export function createEndpoint<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity,
  const Literal = never,
  Options extends ClusterOption = Record<never, never>,
>(
  contract: Contract<Server, Client>,
  options: EndpointOptions<Server, Client, Identity, Literal> & Options,
): EndpointOf<Options, Server, Client, Identity>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createEndpoint<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(
  options: EndpointOptions<Local, Remote, Identity, Literal> & Required<ClusterOption>,
): ClusterEndpoint<Local, Remote, Identity>
export function createEndpoint<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(options: EndpointOptions<Local, Remote, Identity, Literal>): Endpoint<Local, Remote, Identity>
export function createEndpoint(...args: [UntypedOptions] | [Contract, UntypedOptions]): unknown {
  return new WebSocketEndpoint(
    ...contractAndOptions<UntypedOptions>('createEndpoint', args, ENDPOINT_OPTIONS),
    OF_ENDPOINTS,
  )
}
