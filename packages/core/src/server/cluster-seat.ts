import type { TimeLimits } from '../calls/call-timer.js'
import type { Feature } from '../calls/feature.js'
import type { UntypedSide } from '../calls/peer.js'
import type { Audience } from '../channels/audience.js'
import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import type { Contract } from '../contract/contract.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf } from '../errors/options.js'
import type { Resume } from '../link/hello.js'
import type { ChannelLimits } from '../link/limits.js'
import type { LoggerOption } from '../logging/logger.js'
import type { BuiltInTransport } from '../transport/built-in.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import type { ClusterAudience } from './cluster-audience.js'
import type { WatchGroup } from './group-events.js'
import type { RemoteChannel } from './remote-channel.js'
import type { Found } from './sessions.js'
import type { NodeRuns } from './wait-elsewhere.js'

/** The key of the function by which an endpoint takes its seat in a cluster. */
export const SEAT: unique symbol = Symbol('the seat of an endpoint in a cluster')

/** An endpoint's seat in its cluster: the functions of the cluster that the endpoint uses. */
export interface ClusterSeat {
  /** Makes the ids of the endpoint's channels, which name its node. */
  readonly newId: () => string
  /** Is told of the endpoint's groups. */
  readonly groups: GroupEvents<LiveChannel>
  /** The features of the endpoint's channels, besides those of all channels. */
  readonly features: readonly Feature[]
  /** Takes the connections of clients; undefined if sessions of other nodes are not relayed. */
  readonly sessionRouter: SessionRouter | undefined
  /** Converts an identity to the value that it has after it was sent to another node. */
  readonly asTransferred: (identity: unknown) => unknown
  /** The runs of keys at other nodes. */
  readonly runs: NodeRuns
  /** The client with this id, at any node. @throws {RpcConfigError} if it is not the id of a channel. */
  channel(id: string): RemoteChannel<UntypedSide>
  /**
   * The audience of a group at all nodes.
   *
   * @param group undefined for all channels.
   * @param here the same at this node.
   */
  audience(
    group: string | undefined,
    here: Audience<UntypedSide, LiveChannel>,
  ): ClusterAudience<UntypedSide, LiveChannel>
  /** The endpoint is made: its node begins to take part. */
  start(host: SeatHost): void
  /** Resolves when the node takes part. @throws the engine's error if it can't be started. */
  ready(): Promise<void>
  opened(channel: LiveChannel): void
  /** A channel has lost its connection, or has one again, or its client has other methods. */
  changed(channel: LiveChannel): void
  /** Watches a group at all nodes. */
  readonly watch: WatchGroup
  ended(channel: LiveChannel): void
  /** The endpoint is being closed: its node accepts no new calls of others. */
  retire(): void
  /** Resolves when no call of another node runs at a channel. */
  whenServed(channel: LiveChannel): Promise<void>
  /** The endpoint is closed. */
  stop(): Promise<void>
}

/** Connects each client to a channel of this node, or to its session at another node. */
export interface SessionRouter {
  route(transport: SocketTransport, visitor: Visitor): void
  /** The endpoint is being closed: the sessions of other nodes go on without it. */
  close(info: CloseInfo): void
}

/** A transport that is handed on: `start` may be called again, and then the events go to the next receiver. */
export interface SocketTransport extends BuiltInTransport {
  /** Gives a frame to the receiver, as if it came now. */
  read(frame: Frame): void
  pause(isPaused: boolean): void
}

/** The functions of the endpoint that its cluster uses. */
export interface SeatHost {
  readonly contract: Contract | undefined
  readonly format: Format
  readonly limits: ChannelLimits
  readonly timeout: TimeLimits
  readonly logger: LoggerOption | undefined
  readonly channels: ReadonlySet<LiveChannel>
  membersOf(group: string): Iterable<LiveChannel>
  /** How long a session outlives its connection, in ms; undefined if there are no sessions. */
  readonly windowMs: number | undefined
  /** Finds the session that a client of another node wants to resume; `later` if the endpoint is being closed. */
  findSession(resume: Pick<Resume, 'sid' | 'token'>, visitor: Visitor): Found | 'later'
  /** Opens a channel for a client of another node. */
  accept(transport: Transport, visitor: Visitor): void
  /**
   * Waits for the run of a key for the callers of another node, so that it goes on, until the signal aborts.
   *
   * @returns whether there was a run.
   */
  waitForRun(key: string, signal: AbortSignal): Promise<boolean>
}

/**
 * @param cluster the option of an endpoint.
 * @returns the seat of the endpoint in its cluster; undefined without a cluster.
 * @throws {RpcConfigError} if it was not made by `createCluster`, or another endpoint has its seat.
 */
export function seatOf(cluster: unknown): ClusterSeat | undefined {
  if (cluster === undefined) return undefined
  const seat = (Object(cluster) as { [SEAT]?: () => ClusterSeat })[SEAT]?.()
  if (seat) return seat
  throw new RpcConfigError(
    `cluster must be made by createCluster of "@flashrpc/core/cluster". It is ${kindOf(cluster)}`,
  )
}
