/** A promise in the place of a value is an error of its own: what it rejects with is none more, and ends no process. */
export function disown(given: unknown): void {
  if (given instanceof Promise) given.catch(() => {})
}
