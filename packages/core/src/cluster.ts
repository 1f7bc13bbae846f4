export type { ClusterEngine, EngineEvents } from './cluster/engine.js'
export { type MemoryEnginesOptions, memoryEngines } from './cluster/memory-engines.js'
