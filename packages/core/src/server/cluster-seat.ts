import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'
import type { Contract } from '../contract/contract.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf } from '../errors/options.js'
import type { ChannelLimits } from '../link/limits.js'
import type { LoggerOption } from '../logging/logger.js'
import type { Format } from '../wire/format.js'

/** The key of a cluster's function that gives its seat to an endpoint. */
export const SEAT: unique symbol = Symbol('the seat of an endpoint in a cluster')

/** What an endpoint needs of its cluster. Without a cluster, an endpoint has none of it. */
export interface ClusterSeat {
  /** Makes the ids of the endpoint's channels, which name its node. */
  readonly newId: () => string
  /** Is told of the endpoint's groups. */
  readonly groups: GroupEvents<LiveChannel>
  /** The endpoint is made: its node begins to take part. */
  start(host: SeatHost): void
  /** Resolves when the node takes part. @throws the engine's error if it can't be started. */
  ready(): Promise<void>
  opened(channel: LiveChannel): void
  ended(channel: LiveChannel): void
  /** The endpoint is being closed: its node accepts no new calls of others. */
  retire(): void
  /** The endpoint is closed. */
  stop(): Promise<void>
}

/** What a cluster needs of its endpoint. */
export interface SeatHost {
  readonly contract: Contract | undefined
  readonly format: Format
  readonly limits: ChannelLimits
  readonly logger: LoggerOption | undefined
  readonly channels: ReadonlySet<LiveChannel>
  membersOf(group: string): Iterable<LiveChannel>
}

/**
 * @param cluster the option of an endpoint.
 * @returns the seat of the endpoint in its cluster; undefined without a cluster.
 * @throws {RpcConfigError} if it is none, or another endpoint has its seat.
 */
export function seatOf(cluster: unknown): ClusterSeat | undefined {
  if (cluster === undefined) return undefined
  const seat = (Object(cluster) as { [SEAT]?: () => ClusterSeat })[SEAT]?.()
  if (seat) return seat
  throw new RpcConfigError(
    `cluster must be made by createCluster of "@flashrpc/core/cluster"; it is ${kindOf(cluster)}`,
  )
}
