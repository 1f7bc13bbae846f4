import type { Connection } from '../../link/connection.js'
import type { Session } from '../sessions/session.js'
import type { Snapshot } from './wire-tap.js'

/** Where a channel stands, for developer tools. */
export function snapshotOf(
  { running, queued }: Pick<Snapshot, 'running' | 'queued'>,
  connection: Connection | undefined,
  session: Session | undefined,
): Snapshot {
  const most = connection?.peerLimits.message
  return {
    isExtended: connection?.isExtended ?? null,
    session: session
      ? {
          id: session.sid,
          sent: session.acknowledged + session.held.messages,
          acknowledged: session.acknowledged,
          keptBytes: session.held.bytes,
          received: session.recv,
        }
      : null,
    running,
    queued,
    bufferedBytes: connection?.bufferedBytes ?? null,
    peerMaxMessage: most !== undefined && Number.isFinite(most) ? most : null,
  }
}
