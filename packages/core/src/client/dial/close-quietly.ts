import type { Transport } from '../../transport/transport.js'

/** Closes a transport that nobody needs any more, or ends it without a goodbye; what it throws does not matter. */
export function closeQuietly(transport: Transport | undefined, isDropped?: boolean): void {
  try {
    if (isDropped && transport?.terminate) transport.terminate()
    else transport?.close()
  } catch {
    // A transport that fails to close is dropped all the same.
  }
}
