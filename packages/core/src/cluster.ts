export { type ClusterOptions, createCluster } from './cluster/create-cluster.js'
export type { ClusterEngine, EngineEvents, Reach } from './cluster/engine.js'
export { type MemoryEnginesOptions, memoryEngines } from './cluster/memory-engines.js'
export type { Cluster, ClusterEvent, ClusterState, NodeInfo } from './server/cluster.js'
