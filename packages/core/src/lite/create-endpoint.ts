import type { Feature } from '../calls/feature.js'
import type { Contract, ContractSide } from '../contract/contract.js'
import { keepalive } from '../features/keepalive/keepalive.js'
import { WebSocketEndpoint } from '../server/endpoint.js'
import {
  type ClusterEndpoint,
  type ClusterOption,
  ENDPOINT_OPTIONS,
  type Endpoint,
  type EndpointOf,
  type EndpointOptions,
  type UntypedOptions,
} from '../server/endpoint-types.js'
import { type FeatureOptions, liteArguments } from './lite-arguments.js'

/**
 * Makes an endpoint whose channels have the features they are given: see `createEndpoint` of `@flashrpc/core/server`,
 * which has all.
 *
 * @throws {RpcConfigError} if an option or the name of a method is wrong, or the contract or an option needs a feature
 *   that is missing.
 */
export function createEndpoint<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity,
  const Literal = never,
  Options extends ClusterOption = Record<never, never>,
>(
  contract: Contract<Server, Client>,
  options: EndpointOptions<Server, Client, Identity, Literal> & Options & FeatureOptions,
): EndpointOf<Options, Server, Client, Identity>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createEndpoint<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(
  options: EndpointOptions<Local, Remote, Identity, Literal> &
    Required<ClusterOption> &
    FeatureOptions,
): ClusterEndpoint<Local, Remote, Identity>
export function createEndpoint<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(
  options: EndpointOptions<Local, Remote, Identity, Literal> & FeatureOptions,
): Endpoint<Local, Remote, Identity>
export function createEndpoint(...args: [UntypedOptions] | [Contract, UntypedOptions]): unknown {
  return new WebSocketEndpoint(
    ...liteArguments<UntypedOptions>('createEndpoint', args, ENDPOINT_OPTIONS, ALWAYS),
  )
}

/** Anybody may connect to an endpoint: it notices clients that are dead, and slows down those that send too much. */
const ALWAYS: readonly Feature[] = [keepalive()]
