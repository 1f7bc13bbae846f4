import { RpcConfigError } from '@flashrpc/core'
import type { NatsConnection } from '@nats-io/transport-node'

/** @throws {RpcConfigError} if it is not a connection, such as the promise of one. */
export function assertConnection(where: string, connection: unknown): void {
  const { publish, status } = Object(connection) as Partial<NatsConnection>
  if (typeof publish === 'function' && typeof status === 'function') return
  throw new RpcConfigError(
    `${where}: connection must be what connect() of @nats-io/transport-node has resolved to: await it`,
  )
}
