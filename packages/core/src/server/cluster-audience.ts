import type { MethodName, RemoteFunction, ResultOf } from '../calls/functions.js'
import type { AnyPeer } from '../calls/peer.js'
import type { Audience, Target, TargetOutcome } from '../channels/audience.js'
import type { At, Name } from '../contract/path.js'
import type { RpcDisconnectedError } from '../errors/errors.js'
import type { RemoteChannel } from './remote-channel.js'

/** A client of another node, of any contract. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every contract, and only `any` does
export type AnyRemoteChannel = RemoteChannel<any>

/** A channel of any node: the channel itself, or its id. */
export type AnyRef = Pick<AnyPeer, 'id'> | string

/** The result of a call at one of its targets in a cluster. */
export type ClusterOutcome<Value, Ch extends Target = Target> =
  | (TargetOutcome<Value, Ch | AnyRemoteChannel> & {
      /** The node that the channel belongs to. */
      readonly node: string
    })
  | Unreached

/** A node that could not be asked, or was lost before it said whom it called. It may have had targets. */
export interface Unreached {
  /** Tells it from the outcome of a channel. */
  readonly status: 'unreached'
  /** The id of the node. If this node has not found out yet which others there are, its own id stands for them. */
  readonly node: string
  /** `outcome` says whether its targets may have run the call. */
  readonly error: RpcDisconnectedError
}

/** A channel that is in a group, at any node. */
export interface Member {
  /** The channel's `id`. */
  readonly channelId: string
  /** The id of the node that the channel belongs to. */
  readonly node: string
  /** Whether its client had a connection when its node told of it; without one, its session waits. */
  readonly isConnected: boolean
  /** The `info` of its `channel.join(group, { info })`. */
  readonly info: unknown
  /** Its methods that had a handler then, such as those of mounted components; undefined if it does not tell them. */
  readonly methods: readonly string[] | undefined
}

/** An event of a group that is watched. */
export type PresenceEvent =
  | {
      /** Who is in it: when the watch begins, and again when other nodes than before could not be asked. */
      readonly type: 'state'
      /** The members that were found. */
      readonly members: readonly Member[]
      /**
       * The nodes that could not be asked. They may have further members, and their members that are listed may be out of
       * date. They are asked again, and another event follows when one has answered, or counts as lost.
       */
      readonly unreached: readonly Unreached[]
    }
  | {
      /** `change`: it has lost its connection or has one again, or has another `info`, or other `methods`. */
      readonly type: 'join' | 'change' | 'leave'
      /** The member that joins, is not as it was, or leaves. */
      readonly member: Member
      /** `left` it; `ended`: its channel has; `node-lost`: its node has died, was closed, or was silent for too long. */
      readonly why: 'joined' | 'changed' | 'left' | 'ended' | 'node-lost'
    }

/**
 * The channels of a set at all nodes of a cluster, which are called together. Each call goes to the channels that are in
 * the set when their node gets it.
 */
export interface ClusterAudience<Remote, Ch extends Target = Target> {
  /** Those of this node, with their number and their iteration. */
  readonly here: Audience<Remote, Ch>
  /** @returns the audience without some channels of any node, given as channels or as ids. */
  except(channels: AnyRef | Iterable<AnyRef>): ClusterAudience<Remote, Ch>
  /**
   * Sends a notification to each channel. It is published once for all other nodes, at most once each: it is lost to
   * nodes that are without the engine, or read too slowly. If each must have it, call.
   *
   * @returns the number of channels of this node that it was sent to, or is kept for; and whether it was published for
   *   the others. `not-sent`: the engine is down, or too much waits to be sent to it.
   */
  notify<K extends Name<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<{
    /** The number of channels of this node that it was sent to, or is kept for. */
    here: number
    /** Whether it was handed to the engine for the other nodes. */
    elsewhere: 'published' | 'not-sent'
  }>
  /**
   * Calls all channels at once, and waits for all. A target that fails, times out or ends does not reject the promise:
   * it has an outcome like the others. A node that can't be asked, or dies before it has said whom it called, is one
   * outcome `unreached`.
   *
   * @returns each target's outcome, exactly once: this node's first, then by node, each in the order of its node.
   */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): Promise<ClusterOutcome<ResultOf<At<Remote, K>>, Ch>[]>
  /**
   * Calls all channels at once when the iteration begins, and yields each target's outcome as it comes, exactly once.
   * If the iteration is left, the calls that are still open are cancelled.
   */
  each<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<At<Remote, K>>>
  ): AsyncGenerator<ClusterOutcome<ResultOf<At<Remote, K>>, Ch>, void, undefined>
  /**
   * Finds out who is in it now, at all nodes, this node's first.
   *
   * @returns the members, and the nodes that could not be asked: they may have members, too.
   */
  members(): Promise<{
    /** The members that were found. */
    members: Member[]
    /** The nodes that could not be asked. */
    unreached: Unreached[]
  }>
  /** Finds out how many are in it now, at all nodes, and which nodes could not be asked. */
  count(): Promise<{
    /** The number of channels that were found. */
    count: number
    /** The nodes that could not be asked. */
    unreached: Unreached[]
  }>
  /**
   * Watches who is in it, at all nodes: first `state`, then each change. Other nodes tell of their changes only while
   * somebody watches, and within 100 ms. Leave the iteration, or abort the signal, to end it.
   */
  watch(options?: { signal?: AbortSignal }): AsyncGenerator<PresenceEvent, void, undefined>
}
