import { expect, vi } from 'vitest'

/** Far more than anything here takes, also on a machine that is busy with other things. */
const patience = { timeout: 15_000, interval: 5 }

/** Repeats an assertion until it holds. */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, patience)
}

/** Holds a value against a matcher again and again, until it matches. */
export function polled<T>(read: () => T) {
  return expect.poll(read, patience)
}
