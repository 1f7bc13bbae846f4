export type { ClusterEngine, EngineEvents, Reach } from './cluster/engine.js'
export { type MemoryEnginesOptions, memoryEngines } from './cluster/memory-engines.js'
