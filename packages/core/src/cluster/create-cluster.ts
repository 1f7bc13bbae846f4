import type { Middleware } from '../calls/middleware-call.js'
import { assertDuration } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { assertFunction, kindOf, type OptionKinds } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import type { Cluster, ClusterEvent, ClusterState, NodeInfo } from '../server/cluster.js'
import { type ClusterSeat, SEAT } from '../server/cluster-seat.js'
import { ClusterNode } from './cluster-node.js'
import type { ClusterEngine } from './engine.js'
import {
  assertIdentityOptions,
  type IdentityOptions,
  type RelayOptions,
  resolveRelay,
} from './lanes.js'
import { Seat, type SeatOptions } from './seat.js'

/** The options of a cluster. */
export interface ClusterOptions {
  /**
   * The messaging system between the nodes: `natsEngine()` of `@flashrpc/nats`, `redisEngine()` of `@flashrpc/redis`, or
   * an engine of `memoryEngines()` for nodes in one process.
   */
  engine: ClusterEngine
  /**
   * The name of the nodes' application: 1 to 32 of `a-z`, `0-9`, `-`. Nodes with the same name on the same engine
   * are one cluster, and trust each other as one program does: give each kind of endpoint, and each deployment, its own.
   */
  app: string
  /** The name of this node for people, in logs and in {@link Cluster.nodes}; at most 128 characters. Default ''. */
  name?: string
  /**
   * How long nobody must be found at a node's place before the node counts as dead, in ms. A node that loses the engine
   * may come back in this time. Then calls that it owes end with the outcome `maybe-executed`. Default 1,000; 0 for at
   * once. If this node had lost the engine, too, the others have more time: as long as nothing had been heard of them when
   * the engine came back, at most `outageMs`.
   */
  graceMs?: number
  /**
   * How long this node may be without the engine before all that other nodes owe ends with the outcome
   * `maybe-executed`, in ms. Default 5,000.
   */
  outageMs?: number
  /**
   * How sessions are relayed: a client that connects to another node than before goes on in its session there, and this
   * node carries its frames to the session's node. False: it begins a new session. Sessions need the endpoint's option
   * `resume`.
   */
  relay?: RelayOptions | false
  /**
   * How the identity of a client travels to the node of its session. Default: the endpoint's codec carries it; if that
   * can't carry all of it, the client gets a new session, and the log says why.
   */
  identity?: IdentityOptions
  /**
   * The middleware of calls to clients of other nodes, at the node that makes them: it may add to `call.meta`. Its
   * `call.identity` is undefined. It surrounds a call to many once for all other nodes: `next()` resolves to the outcomes of
   * their clients, and `call.channel` stands for all of them, so that nothing can be called over it. At the client's node,
   * the calls go through the endpoint's own `use`, as all calls do.
   */
  use?: Middleware | readonly Middleware[]
}

const CLUSTER_OPTIONS = {
  engine: 'elsewhere',
  app: 'elsewhere',
  name: 'string',
  graceMs: 'elsewhere',
  outageMs: 'elsewhere',
  relay: 'elsewhere',
  identity: 'elsewhere',
  use: 'functions',
} as const satisfies OptionKinds<ClusterOptions>

/**
 * Makes what an endpoint needs to take part in a cluster: `createEndpoint(contract, { cluster })`. Each endpoint needs
 * one of its own, with an engine of its own. It starts with the endpoint, and ends when that is closed.
 *
 * @throws {RpcConfigError} if an option is wrong.
 */
export function createCluster(options: ClusterOptions): Cluster {
  assertOptions('createCluster', options, CLUSTER_OPTIONS)
  const { engine, app, name = '', graceMs = 1_000, outageMs = 5_000 } = options
  const { relay = {}, identity, use = [] } = options
  assertEngine(engine)
  if (typeof app !== 'string' || !/^[a-z0-9-]{1,32}$/.test(app)) {
    const what = typeof app === 'string' ? quoted(app) : kindOf(app)
    throw new RpcConfigError(
      `createCluster: app must be 1 to 32 characters of a-z, 0-9 and "-". It is ${what}`,
    )
  }
  if (name.length > 128) {
    throw new RpcConfigError(
      `createCluster: name has ${name.length} characters. At most 128 are allowed`,
    )
  }
  assertDuration('createCluster: graceMs', graceMs)
  assertDuration('createCluster: outageMs', outageMs)
  if (identity !== undefined) assertIdentityOptions(identity)
  const resolved = resolveRelay(relay)
  if (takenEngines.has(engine)) {
    throw new RpcConfigError(
      `createCluster: another cluster has this engine. Make one for each node, with a call of its own, such as natsEngine({ … })`,
    )
  }
  takenEngines.add(engine)
  const node = new ClusterNode({ engine, app, name, graceMs, outageMs })
  return new NodeCluster(node, { relay: resolved, identity, use })
}

/** The engines of all clusters: each has the subscriptions and the events of one node. */
const takenEngines = new WeakSet<ClusterEngine>()

const ENGINE_FUNCTIONS = ['start', 'publish', 'subscribe', 'barrier', 'reach', 'stop'] as const

/** @throws {RpcConfigError} if it is not an engine. */
function assertEngine(engine: ClusterEngine | undefined): void {
  const missing = ENGINE_FUNCTIONS.filter((name) => typeof engine?.[name] !== 'function')
  if (missing.length === 0) return
  const isPart = missing.length < ENGINE_FUNCTIONS.length
  const isMaker = typeof engine === 'function'
  const what = isPart ? `It has no ${missing[0]}()` : `It is ${kindOf(engine)}`
  const remedy = isMaker ? ': call it. memoryEngines() returns a function that makes engines' : ''
  throw new RpcConfigError(
    `createCluster: engine must be an engine, such as natsEngine(). ${what}${remedy}`,
  )
}

class NodeCluster implements Cluster {
  readonly #node: ClusterNode
  readonly #options: SeatOptions
  #isTaken = false

  constructor(node: ClusterNode, options: SeatOptions) {
    this.#node = node
    this.#options = options
  }

  get node(): string {
    return this.#node.id
  }

  get state(): ClusterState {
    return this.#node.state
  }

  get nodes(): readonly NodeInfo[] {
    return this.#node.nodes
  }

  ready(): Promise<void> {
    if (this.#isTaken) return this.#node.ready()
    const why =
      'No endpoint has this cluster. Give it to one: createEndpoint(contract, { cluster })'
    return Promise.reject(new RpcConfigError(why))
  }

  subscribe(listener: (event: ClusterEvent) => void): () => void {
    assertFunction('cluster.subscribe', listener)
    return this.#node.subscribe(listener)
  }

  [SEAT](): ClusterSeat {
    if (this.#isTaken) {
      throw new RpcConfigError(
        'Another endpoint has this cluster. Make one for each endpoint: createCluster(…)',
      )
    }
    this.#isTaken = true
    return new Seat(this.#node, this.#options)
  }
}
