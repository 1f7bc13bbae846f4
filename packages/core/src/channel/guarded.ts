/**
 * Calls a function of the application's that nobody waits for: what it throws, and what it rejects with later, is told,
 * and harms nothing else.
 */
export function guarded(call: () => unknown, error: (thrown: unknown) => void): void {
  try {
    const given = call()
    if (isThenable(given)) Promise.resolve(given).catch(error)
  } catch (thrown) {
    error(thrown)
  }
}

function isThenable(given: unknown): given is PromiseLike<unknown> {
  return (
    typeof given === 'object' &&
    given !== null &&
    typeof (given as { then?: unknown }).then === 'function'
  )
}
