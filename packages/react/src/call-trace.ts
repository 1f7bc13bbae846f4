import type { AnyClient, CallOptions } from '@flashrpc/core'

/** The member of a client that takes a trace of the caller, and the member of a call's options that carries it. */
const TRACE = Symbol.for('flashrpc.trace')

/**
 * Makes options for calls that this package itself makes later. If the client shows callers (`traceCalls`), the stack of
 * such a call's error shows where the application called `entry`, such as a hook.
 */
export function tracedTo(client: AnyClient, entry: (...args: never[]) => unknown): CallOptions {
  const { [TRACE]: trace } = client as { [TRACE]?: (entry: unknown) => unknown }
  const made = trace?.call(client, entry)
  return made === undefined ? {} : ({ [TRACE]: made } as CallOptions)
}
