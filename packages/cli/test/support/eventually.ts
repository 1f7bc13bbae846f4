import { vi } from 'vitest'

/** Waits until nothing is thrown any more: a process may take its time to start. */
export function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 })
}
