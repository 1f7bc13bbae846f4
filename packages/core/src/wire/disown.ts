/**
 * A promise where a value was expected is already reported as an error. If it rejects later, that must not end the
 * process.
 */
export function disown(given: unknown): void {
  if (given instanceof Promise) given.catch(() => {})
}
