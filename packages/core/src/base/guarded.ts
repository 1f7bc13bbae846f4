/**
 * Calls a function of the application without waiting for its result. If it throws, or rejects later, `error` is called
 * with the reason, and nothing else is affected.
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
