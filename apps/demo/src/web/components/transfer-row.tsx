import { useRpcState } from '@flashrpc/react'
import type { DroppedFile } from '../../contract.js'
import type { Standing, Transfer } from '../hooks/use-transfers.js'
import { formatBytes, formatShare } from '../lib/format.js'
import { Icon } from './icon.js'

interface TransferRowProps {
  transfer: Transfer
  onAgain: () => void
  onFetch: (kept: DroppedFile) => void
  onCancel: () => void
  onRemove: () => void
}

/** A file that was dropped: how far it is, or what became of it, and what can be done with it. */
export function TransferRow({ transfer, onAgain, onFetch, onCancel, onRemove }: TransferRowProps) {
  const { file, standing } = transfer
  const button = (label: string, onClick: () => void) => (
    <button type="button" className="quiet" onClick={onClick} aria-label={`${label} ${file.name}`}>
      {label}
    </button>
  )
  return (
    <li className="transfer" data-status={standing.status} data-name={file.name}>
      <Icon name={standing.status === 'failed' ? 'alert' : 'file'} />
      <div className="transfer-text">
        <p className="transfer-name">
          <span className="transfer-file" title={file.name}>
            {file.name}
          </span>
          <span className="transfer-size">{formatBytes(file.size)}</span>
        </p>
        <TransferStanding standing={standing} file={file} />
      </div>
      <div className="transfer-buttons">
        {(standing.status === 'sending' || standing.status === 'fetching') &&
          button('Cancel', onCancel)}
        {standing.status === 'kept' && button('Download', () => onFetch(standing.kept))}
        {standing.status === 'failed' && standing.mayTryAgain && button('Try again', onAgain)}
        {(standing.status === 'kept' || standing.status === 'failed') && button('Hide', onRemove)}
      </div>
    </li>
  )
}

function TransferStanding({ standing, file }: { standing: Standing; file: File }) {
  const isConnected = useRpcState((state) => state.status === 'connected')
  if (standing.status === 'failed') {
    return (
      <p className="transfer-failed" role="alert">
        {standing.message}
      </p>
    )
  }
  if (standing.status === 'kept') {
    const { sha256 } = standing.kept
    return (
      <p className="transfer-kept" role="status">
        <code title={sha256} data-dropped-sha256={sha256}>
          SHA-256 {sha256.slice(0, 16)}…
        </code>
        {standing.note && <span className="transfer-failed">{standing.note}</span>}
      </p>
    )
  }
  const share = file.size === 0 ? 1 : standing.bytes / file.size
  const doing = standing.status === 'sending' ? 'Uploading' : 'Downloading'
  return (
    <div className="transfer-going">
      <progress value={share} aria-label={`${doing} ${file.name}`} />
      <span className="transfer-share">
        {isConnected ? formatShare(share) : 'Waiting for the connection'}
      </span>
    </div>
  )
}
