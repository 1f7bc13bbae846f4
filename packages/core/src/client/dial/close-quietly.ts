import type { Transport } from '../../transport/transport.js'

/** Closes a transport that is not needed any more, or ends it without a closing handshake. Its errors are ignored. */
export function closeQuietly(transport: Transport | undefined, isDropped?: boolean): void {
  try {
    if (isDropped && transport?.terminate) transport.terminate()
    else transport?.close()
  } catch {
    // If closing fails, the transport is dropped all the same.
  }
}
