import { useRpcState } from '@flashrpc/react'
import type { FileHash } from '../../contract.js'
import type { Hashing } from '../hooks/use-file-hash.js'
import { useNow } from '../hooks/use-now.js'
import { formatBytes, formatDuration } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { CopyButton } from './copy-button.js'
import { Icon } from './icon.js'

interface HashOutcomeProps {
  hashing: Hashing
  /** Whether the file has changed since it was hashed. */
  isStale: boolean
  onAgain: (path: string) => void
  onCancel: () => void
}

/** What became of the file that was to be hashed. */
export function HashOutcome({ hashing, isStale, onAgain, onCancel }: HashOutcomeProps) {
  const { host } = useSurface()
  return (
    <div className="outcome" data-status={hashing.status} aria-live="polite">
      {hashing.status === 'idle' && (
        <p className="outcome-idle">
          Pick a file: {host.within} reads it and answers with its SHA-256.
        </p>
      )}
      {hashing.status === 'pending' && <Pending {...hashing} onCancel={onCancel} />}
      {hashing.status === 'failed' && (
        <p className="outcome-failed" role="alert">
          <Icon name="alert" />
          <span>{hashing.message}</span>
        </p>
      )}
      {hashing.status === 'done' && (
        <Done hash={hashing.hash} isStale={isStale} onAgain={onAgain} />
      )}
    </div>
  )
}

function Pending({ path, since, onCancel }: { path: string; since: number; onCancel: () => void }) {
  const now = useNow(100)
  const isConnected = useRpcState((state) => state.status === 'connected')
  const waited = Math.max(0, now - since)
  return (
    <div className="outcome-pending">
      <p>
        <span title={path}>{isConnected ? `Hashing ${path}` : 'Waiting for the connection'}</span>
        {waited >= 1_000 && <span className="outcome-time">{formatDuration(waited)}</span>}
        <button type="button" className="quiet" onClick={onCancel}>
          Cancel
        </button>
      </p>
      <div className="outcome-bar" />
    </div>
  )
}

function Done({
  hash: { path, sha256, bytes, ms },
  isStale,
  onAgain,
}: {
  hash: FileHash
  isStale: boolean
  onAgain: (path: string) => void
}) {
  return (
    <div className="outcome-done">
      <p className="outcome-file">
        <strong title={path}>{path}</strong>
        <CopyButton text={sha256} what="the hash" />
      </p>
      <code className="outcome-hash" title={sha256} data-sha256={sha256}>
        {(sha256.match(/.{8}/g) ?? []).map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: eight parts, always in their places
          <span key={index}>{part}</span>
        ))}
      </code>
      <p className="outcome-facts">
        <span>{formatBytes(bytes)}</span>
        <span>{formatDuration(ms)}</span>
        {isStale && (
          <span className="outcome-stale">
            changed since
            <button type="button" className="quiet" onClick={() => onAgain(path)}>
              Hash again
            </button>
          </span>
        )}
      </p>
    </div>
  )
}
