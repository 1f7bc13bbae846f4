/**
 * Ignores the rejection of a promise that came instead of a value. The promise itself is already reported as an error,
 * so its rejection must not end the process.
 */
export function disown(given: unknown): void {
  if (given instanceof Promise) given.catch(() => {})
}
