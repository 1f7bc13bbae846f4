const { FLASHRPC_SEED, FLASHRPC_FAULT_SEEDS } = process.env

/**
 * The seeds that a test goes through: FLASHRPC_FAULT_SEEDS says how many (default 5), FLASHRPC_SEED names the
 * one that failed.
 */
export const SEEDS: readonly number[] =
  FLASHRPC_SEED === undefined
    ? Array.from({ length: Number(FLASHRPC_FAULT_SEEDS ?? 5) }, (_, n) => 1_000 + n)
    : [Number(FLASHRPC_SEED)]
