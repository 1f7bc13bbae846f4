import { assertCount } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import type { OptionKinds } from '../errors/options.js'
import type { ClusterEngine } from './engine.js'
import { MemoryBus } from './memory-bus.js'
import { MemoryEngine } from './memory-engine.js'

/** The options of engines in memory. */
export interface MemoryEnginesOptions {
  /** The largest payload in bytes. Default 1 MiB, as that of NATS. */
  maxPayload?: number
}

const ENGINES_OPTIONS = {
  maxPayload: 'elsewhere',
} as const satisfies OptionKinds<MemoryEnginesOptions>

/**
 * Makes engines for the nodes of a cluster that are all in this process, such as in a test of an application. All
 * engines of one call share a bus; those of another call know nothing of them. They never lose their connections.
 *
 * @returns a function that makes the engine of one more node.
 * @throws {RpcConfigError} naming the option that is wrong.
 * @example
 * const engine = memoryEngines()
 * const one = createCluster({ engine: engine(), app: 'chat' })
 * const other = createCluster({ engine: engine(), app: 'chat' })
 */
export function memoryEngines(options: MemoryEnginesOptions = {}): () => ClusterEngine {
  assertOptions('memoryEngines', options, ENGINES_OPTIONS)
  const { maxPayload = 1024 * 1024 } = options
  assertCount('memoryEngines: maxPayload', maxPayload)
  const bus = new MemoryBus(({ arrive }) => queueMicrotask(arrive))
  return () => new MemoryEngine(bus, maxPayload)
}
