/**
 * The seeds with which a property of a cluster is held against faults. FLASHRPC_CLUSTER_SEEDS says how many, FLASHRPC_SEED
 * names one.
 *
 * @param count how many there are without either.
 * @param first the first of them.
 */
export function clusterSeeds(count: number, first = 1): number[] {
  const { FLASHRPC_CLUSTER_SEEDS, FLASHRPC_SEED } = process.env
  if (FLASHRPC_SEED !== undefined) return [Number(FLASHRPC_SEED)]
  const begin = FLASHRPC_CLUSTER_SEEDS === undefined ? first : 1
  return Array.from({ length: Number(FLASHRPC_CLUSTER_SEEDS ?? count) }, (_, at) => begin + at)
}

/** Runs a property with each seed, and names the seed that breaks it. */
export async function forSeeds(
  seeds: readonly number[],
  run: (seed: number) => Promise<void>,
): Promise<void> {
  for (const seed of seeds) {
    try {
      await run(seed)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
}
