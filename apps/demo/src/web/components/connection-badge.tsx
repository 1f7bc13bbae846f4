import { useRpcClient, useRpcState } from '@flashrpc/react'
import { formatDuration } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { Countdown } from './countdown.js'

const LABELS = {
  idle: 'Starting',
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  unauthorized: 'Not signed in',
  failed: 'Stopped',
  closed: 'Closed',
} as const

/** The connection's state: as it is now, when it is tried again, and a way not to wait for that. */
export function ConnectionBadge() {
  const client = useRpcClient()
  const { host } = useSurface()
  const { status, attempt, retryAt, lastError, latencyMs } = useRpcState()
  const isBetween = status === 'reconnecting' || status === 'offline'
  const canRetry = isBetween ? retryAt !== null : status === 'failed' || status === 'unauthorized'
  return (
    <div className={`badge is-${status}`} data-status={status} title={lastError?.message}>
      <span className="badge-dot" aria-hidden="true" />
      <span className="badge-label" role="status">
        {LABELS[status]}
      </span>
      {status === 'connected' && latencyMs !== null && (
        <span className="badge-detail" title={`How long ${host.within} took to answer`}>
          {formatDuration(latencyMs)}
        </span>
      )}
      {isBetween && (
        <span className="badge-detail">
          {retryAt === null ? (
            `attempt ${attempt} …`
          ) : (
            <>
              attempt {attempt + 1} in <Countdown key={retryAt} to={retryAt} />
            </>
          )}
        </span>
      )}
      {canRetry && (
        <button type="button" className="badge-retry" onClick={() => client.reconnect()}>
          Retry<span> now</span>
        </button>
      )}
    </div>
  )
}
