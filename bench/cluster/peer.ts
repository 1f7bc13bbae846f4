/** What a library is asked for over several nodes. */
export interface ClusterPeer {
  /** In a process of its own for each node. @param address that of the messaging system. */
  serve(address: string): Promise<ClusterNode>
  /** In the process of all clients. @param port that of the node, looked up at each connection. */
  connect(port: () => number, group: string, page: ClusterPage): Promise<ClusterClient>
}

export interface ClusterNode {
  readonly port: number
  /** What has been handed to the messaging system for groups, and what came of it. Heartbeats do not count. */
  readonly traffic: Traffic
  /** Calls all clients in a group. */
  call(call: GroupCall): Promise<GroupOutcome>
  /** Tells all clients in a group. */
  note(group: string): Promise<void>
  /** Ends the newest connection, whose client comes back; undefined if it keeps no sessions. */
  cut?(): void
}

export interface Traffic {
  published: number
  received: number
}

export interface GroupCall {
  readonly group: string
  readonly method: 'double' | 'slow'
  readonly n: number
  readonly timeoutMs: number
  /** Only those of this node. Default false. */
  readonly isHere?: boolean
}

export interface GroupOutcome {
  /** The results that came. */
  readonly values: readonly number[]
  /** How many targets have an outcome that is an error and says whose it is. */
  readonly lost: number
}

/** What the clients do. */
export interface ClusterPage {
  double(n: number): number
  /** Answers after a while, with its number. Clients whose node is to be killed do not answer. */
  slow(): Promise<number>
  noted(): void
}

export interface ClusterClient {
  add(a: number, b: number): Promise<number>
  /** The port of the node of its session. */
  home(): Promise<number>
  close(): unknown
}
