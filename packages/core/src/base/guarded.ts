import { settled } from './maybe-async.js'

/**
 * Calls a function of the application without waiting for its result. If it throws, or rejects later, `error` is called
 * with the reason, and nothing else is affected.
 */
export function guarded(call: () => unknown, error: (thrown: unknown) => void): void {
  try {
    const given = settled(call())
    if (given instanceof Promise) given.catch(error)
  } catch (thrown) {
    error(thrown)
  }
}
