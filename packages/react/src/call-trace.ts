import type { AnyClient, CallOptions } from '@flashrpc/core'

/** The member of a client that tells where a call is being made, and of a call's options that says where it was. */
const TRACE = Symbol.for('flashrpc.trace')

/**
 * Options of calls that are made later, by nobody's code but this package's: if the client shows callers, the stacks of
 * their errors show who has called this function for them, such as a hook.
 */
export function tracedTo(client: AnyClient, entry: (...args: never[]) => unknown): CallOptions {
  const { [TRACE]: trace } = client as { [TRACE]?: (entry: unknown) => unknown }
  const made = trace?.call(client, entry)
  return made === undefined ? {} : ({ [TRACE]: made } as CallOptions)
}
