/**
 * A messaging system that carries bytes between the nodes of a cluster, such as NATS or Redis. It knows nothing of
 * calls, groups or sessions. `memoryEngines()` makes engines for nodes in one process, `@flashrpc/nats` and
 * `@flashrpc/redis` make those for nodes anywhere.
 *
 * A subject is text of `a-z`, `0-9`, `-` and `.`. It has no wildcards. One node has one engine, and one engine is used by
 * one node.
 *
 * An engine is down until `start` has connected it, and while its connection is lost. Between `events.up()` and
 * `events.down()` it is up.
 */
export interface ClusterEngine {
  /** The name of the messaging system, for errors and the log: `memory`, `nats`, `redis`. */
  readonly name: string
  /**
   * The largest payload, in bytes. The cluster cuts larger things. It is known once `start` has resolved, and may be
   * another one at each `events.up()`. A cluster needs 8,192 at the least.
   */
  readonly maxPayload: number
  /**
   * Connects, and tells `events.up()` before it resolves. From then on the engine connects again by itself, for as long
   * as it takes, until `stop`. It is called once.
   *
   * @throws an error that says why the messaging system can't be reached, or can't be used.
   */
  start(events: EngineEvents): Promise<void>
  /**
   * Hands over a message to all other nodes that are subscribed to the subject. It never comes back to this node. It
   * arrives at most once, and the messages of one node arrive at another in the order in which they were published,
   * across all subjects, for as long as neither loses its connection. The payload must not be changed afterwards.
   *
   * @throws {RpcDisconnectedError} with the outcome `not-sent` while the engine is down: nothing is kept for later.
   * @throws {RpcConfigError} if the payload is larger than `maxPayload`.
   */
  publish(subject: string, payload: Uint8Array): void
  /**
   * Subscribes to a subject, also while the engine is down: all subscriptions stand again at `events.up()`. It takes
   * effect in the order of this node's calls of `publish` and `subscribe`: a node that gets a later message of this
   * node knows that the subscription stands. If a subject is subscribed to several times, each message is emitted once.
   *
   * @returns a function that ends the subscription, in the same order; to call it twice is harmless. Once it was called,
   *   no further message of this subject is emitted, unless another subscription to it stands.
   */
  subscribe(subject: string): () => void
  /**
   * Resolves when all messages for this node that the messaging system had taken before this node's latest publish have
   * been told here.
   *
   * @throws {RpcDisconnectedError} if the engine is down, or goes down before that.
   */
  barrier(): Promise<void>
  /**
   * Finds out whether any other node is subscribed to a subject now. Nothing is told to that node. It never rejects.
   *
   * @param ms the most time that it takes.
   * @returns `unknown` if there was no answer in that time, or the engine is down.
   */
  reach(subject: string, ms: number): Promise<Reach>
  /** Bytes that were published, and of which it is not known yet that they have left this process. */
  readonly bufferedBytes: number
  /**
   * Stops for good: waits a moment until what was published has left, and closes the connection, unless it was given by
   * the application. After that, nothing is told. To call it twice is harmless.
   */
  stop(): Promise<void>
}

/** Whether anybody is subscribed to a subject; `unknown` if nobody could say. */
export type Reach = 'yes' | 'no' | 'unknown'

/**
 * The events of an engine, for its cluster. These functions do not throw. The engine does not call them while one of its
 * own functions runs.
 */
export interface EngineEvents {
  /** A message for this node. The payload belongs to the receiver, which must not change it. */
  message(subject: string, payload: Uint8Array): void
  /** The engine is connected (again), and all subscriptions stand. */
  up(): void
  /**
   * The connection is lost. What was published and not followed by a barrier may be lost, and so may be messages for this
   * node, until the next `up`.
   *
   * @param why the reason, in words.
   */
  down(why: string): void
}
