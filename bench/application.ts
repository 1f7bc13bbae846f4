/**
 * What there is beside a peer in each isolate: what V8 makes of large values depends on it, and on how long it has run.
 * Some megabytes of objects, as an application has.
 */
const application = Array.from({ length: 200_000 }, (_, id) => ({ id, name: `item ${id}` }))

/** One whole collection, as what has run for a while has had: before it, V8 is more generous. */
export function settle(): number {
  globalThis.gc?.()
  return application.length
}
