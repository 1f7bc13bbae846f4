/** A person watches: no reason to wait half a minute between attempts. */
export const RETRY = { minDelayMs: 1_000, maxDelayMs: 8_000 }
