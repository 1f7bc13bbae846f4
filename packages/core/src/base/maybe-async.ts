/** A value, or a promise of it if it is not there in the same turn. So code need not wait for a value that is there. */
export type MaybeAsync<T> = T | Promise<T>

/** Goes on with a value: at once if it is there. */
export function after<T, R>(value: MaybeAsync<T>, go: (value: T) => MaybeAsync<R>): MaybeAsync<R> {
  return value instanceof Promise ? value.then(go) : go(value)
}

/**
 * @returns the result of a function of the application, in the form in which it can be awaited.
 *
 * @throws the error of reading its `then`, if that throws.
 */
export function settled<T>(given: T | PromiseLike<T>): MaybeAsync<T> {
  const isThenable =
    typeof given === 'object' &&
    given !== null &&
    typeof (given as { then?: unknown }).then === 'function'
  return isThenable ? Promise.resolve(given) : (given as T)
}
