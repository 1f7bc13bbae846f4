export { type ClusterOptions, createCluster } from './cluster/create-cluster.js'
export type { ClusterEngine, EngineEvents, Reach } from './cluster/engine.js'
export type { IdentityOptions, RelayOptions } from './cluster/lanes.js'
export { type MemoryEnginesOptions, memoryEngines } from './cluster/memory-engines.js'
export type { Cluster, ClusterEvent, ClusterState, NodeInfo } from './server/cluster.js'
export type {
  AnyRef,
  AnyRemoteChannel,
  ClusterAudience,
  ClusterOutcome,
  Member,
  PresenceEvent,
  Unreached,
} from './server/cluster-audience.js'
export type { ClusterEndpoint } from './server/endpoint-types.js'
export type { RemoteChannel } from './server/remote-channel.js'
