import {
  type AnyClient,
  type ClientSettings,
  type ClientTarget,
  type Contract,
  createClient,
} from '@flashrpc/core'

/** What a provider makes a client of. */
export type ClientSource = ClientTarget & { contract?: Contract | undefined } & ClientSettings

/** A client that providers make, connect and close. */
export interface OwnedClient {
  readonly client: AnyClient
  /** A provider shows it. @returns the provider no longer does. */
  hold(): () => void
}

/**
 * Makes a client that connects while it is held and closes when nobody holds it any more.
 *
 * Both wait for the end of the turn: React's StrictMode, and fast refresh, let go and take hold
 * again at once, and that shall be one socket.
 */
export function createOwnedClient(source: ClientSource): OwnedClient {
  const { contract, ...options } = source
  const client: AnyClient = contract
    ? createClient(contract, { ...options, autoConnect: false })
    : createClient({ ...options, autoConnect: false })
  let holders = 0
  const settle = () => {
    if (holders > 0) void client.connect()
    else void client.close()
  }
  return {
    client,
    hold() {
      holders++
      queueMicrotask(settle)
      return () => {
        holders--
        queueMicrotask(settle)
      }
    },
  }
}
