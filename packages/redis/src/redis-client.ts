import { RpcConfigError } from '@flashrpc/core'
import { type IoredisLike, ioredisConnection, isIoredis } from './ioredis-connection.js'
import { isNodeRedis, type NodeRedisLike, nodeRedisConnection } from './node-redis-connection.js'
import type { RedisConnection } from './redis-connection.js'

/** A client of `ioredis` (5 or later), or of `redis` (5 or later), for one server. */
export type RedisClient = IoredisLike | NodeRedisLike

/**
 * The connection of a client of either library.
 *
 * @param name of the option, for errors.
 * @throws {RpcConfigError} if it is not a client, or one of a Redis Cluster, of a replica, or of Sentinel by "redis".
 */
export function redisConnection(name: string, client: RedisClient): RedisConnection {
  if (isCluster(client)) {
    throw new RpcConfigError(
      `${name} is a client of a Redis Cluster, which hands each message to all of its servers and can't say who is subscribed. Use one primary, with Sentinel if need be`,
    )
  }
  if (isSentinel(client)) {
    throw new RpcConfigError(
      `${name} is made with createSentinel() of "redis", which does not tell when it has lost the primary. Use ioredis: new Redis({ sentinels, name })`,
    )
  }
  if (isIoredis(client)) {
    if (client.options?.keyPrefix) {
      throw new RpcConfigError(
        `${name} has the option keyPrefix, which ioredis puts before the names of some commands only. Make it without`,
      )
    }
    if (client.options?.role === 'slave') {
      throw new RpcConfigError(
        `${name} has the option role: 'slave', and what a replica is told does not reach the primary. Make it without, so that it follows the primary`,
      )
    }
    return ioredisConnection(client)
  }
  if (isNodeRedis(client)) return nodeRedisConnection(client)
  throw new RpcConfigError(
    `${name} must be a client of "ioredis", new Redis(…), or of "redis", createClient(…)`,
  )
}

function isCluster(client: unknown): boolean {
  if (typeof client !== 'object' || client === null) return false
  const { isCluster, masters, slots } = client as Record<string, unknown>
  return isCluster === true || (Array.isArray(masters) && slots !== undefined)
}

/** Whether it is a client of `redis` that asks Sentinel for the primary. */
function isSentinel(client: unknown): boolean {
  if (typeof client !== 'object' || client === null) return false
  return typeof (client as Record<string, unknown>).getSentinelNode === 'function'
}
