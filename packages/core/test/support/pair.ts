import {
  type Channel,
  type ChannelHooks,
  type ChannelOptions,
  type Contract,
  type ContractSide,
  createChannel,
  memoryTransportPair,
  type SomeHandlers,
} from '@flashrpc/core'

interface End<Local, Remote> extends ChannelOptions, ChannelHooks<Channel<Local, Remote>> {
  methods?: SomeHandlers<Local, Channel<Local, Remote>>
}

/** Both ends of a channel in this process. */
export function pairOf<Server extends ContractSide, Client extends ContractSide>(
  contract: Contract<Server, Client>,
  ends: { server?: End<Server, Client>; client?: End<Client, Server> } = {},
): { server: Channel<Server, Client>; client: Channel<Client, Server> } {
  const [left, right] = memoryTransportPair()
  return {
    server: createChannel(contract, { side: 'server', transport: left, ...ends.server }),
    client: createChannel(contract, { side: 'client', transport: right, ...ends.client }),
  }
}

/** The same without a contract. */
export function plainPairOf<Server extends object, Client extends object = Record<never, never>>(
  ends: { server?: End<Server, Client>; client?: End<Client, Server> } = {},
): { server: Channel<Server, Client>; client: Channel<Client, Server> } {
  const [left, right] = memoryTransportPair()
  return {
    server: createChannel<Server, Client>({ side: 'server', transport: left, ...ends.server }),
    client: createChannel<Client, Server>({ side: 'client', transport: right, ...ends.client }),
  }
}
