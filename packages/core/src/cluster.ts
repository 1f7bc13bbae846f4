export type { ClusterEngine, EngineEvents } from './cluster/engine.js'
