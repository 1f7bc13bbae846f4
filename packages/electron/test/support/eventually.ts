import { vi } from 'vitest'

/** Waits until what is asserted holds, also on a machine that is busy. */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: 15_000, interval: 20 })
}
