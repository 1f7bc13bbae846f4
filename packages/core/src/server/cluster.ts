/**
 * Whether a node takes part:
 *
 * - `joining`: it finds out who else is there.
 * - `up`: it does.
 * - `cut-off`: it has lost the engine, which connects again by itself. Meanwhile it reaches its own clients only.
 * - `left`: its endpoint was closed, or the engine could not be started.
 */
export type ClusterState = 'joining' | 'up' | 'cut-off' | 'left'

/** A node of a cluster. */
export interface NodeInfo {
  /** Its id: 16 hexadecimal digits, new in each process. */
  readonly node: string
  /** Its name for people (`createCluster({ name })`); empty as long as it has not said it. */
  readonly name: string
  /** Whether it is this node. */
  readonly isHere: boolean
  /** From 1. It counts up when the node comes back after the other nodes have counted it as lost. */
  readonly epoch: number
  /**
   * - `up`: it takes part.
   * - `missing`: it is not connected to the engine now. After `graceMs` it counts as lost; after an outage
   *   of the engine, it has more time.
   * - `leaving`: it is being closed, and answers what it has accepted.
   * - `foreign`: its version of flashrpc shares no version of the protocol between nodes with this one. Nothing can be
   *   sent to it.
   */
  readonly state: 'up' | 'missing' | 'leaving' | 'foreign'
}

/** Something in a cluster has changed. */
export type ClusterEvent =
  | {
      /** The state of this node has changed. */
      readonly type: 'state'
      /** The state from now on. */
      readonly state: ClusterState
      /** Why it has changed. */
      readonly why: string
    }
  | {
      /** A node has changed. */
      readonly type: 'node'
      /**
       * `joined`; `changed`: its state or its name; `left`: it was closed; `lost`: it died or was silent for too long;
       * `renewed`: it was lost, and goes on in a new epoch, which is announced by `joined`.
       */
      readonly change: 'joined' | 'changed' | 'left' | 'lost' | 'renewed'
      /** The node, as it is from now on. */
      readonly node: NodeInfo
    }

/** The option `cluster` of an endpoint: its place among the nodes of an application. */
export interface Cluster {
  /** The id of this node: 64 random bits, 16 hexadecimal digits. */
  readonly node: string
  /** Whether this node takes part. */
  readonly state: ClusterState
  /** The nodes that are known now, this one first. */
  readonly nodes: readonly NodeInfo[]
  /**
   * Resolves when this node takes part; from its endpoint's start that takes 1.5 s, in which it finds out who else is
   * there. Calls to other nodes wait for it.
   *
   * It rejects with the engine's error if that can't be started, and with `RpcConfigError` if no endpoint has this
   * cluster.
   */
  ready(): Promise<void>
  /**
   * Calls the listener for each change of the state or of a node.
   *
   * @returns a function that removes the listener.
   */
  subscribe(listener: (event: ClusterEvent) => void): () => void
}
