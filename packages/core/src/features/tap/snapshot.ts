import type { TappableChannel } from '../../calls/feature.js'
import type { Snapshot } from '../../link/wire-tap.js'

/** The state of a channel, for developer tools. */
export function snapshotOf({ link, connection, running, queued }: TappableChannel): Snapshot {
  const most = connection?.isReady ? connection.peer.message : undefined
  const { session } = link ?? {}
  return {
    isExtended: connection ? connection.isExtended : null,
    session: session ? { ...session, received: link?.recv ?? 0 } : null,
    running,
    queued,
    bufferedBytes: connection?.bufferedBytes ?? null,
    peerMaxMessage: most !== undefined && Number.isFinite(most) ? most : null,
  }
}
