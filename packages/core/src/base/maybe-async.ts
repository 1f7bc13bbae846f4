/** A value, or a promise of it where that took more than a turn: what need not wait is not made to. */
export type MaybeAsync<T> = T | Promise<T>

/** Goes on with a value: at once, where it is there. */
export function after<T, R>(value: MaybeAsync<T>, go: (value: T) => MaybeAsync<R>): MaybeAsync<R> {
  return value instanceof Promise ? value.then(go) : go(value)
}

/**
 * What a function of the application's gave, as it is awaited.
 *
 * @throws whatever reading its `then` throws.
 */
export function settled<T>(given: T | PromiseLike<T>): MaybeAsync<T> {
  const isThenable =
    typeof given === 'object' &&
    given !== null &&
    typeof (given as { then?: unknown }).then === 'function'
  return isThenable ? Promise.resolve(given) : (given as T)
}
