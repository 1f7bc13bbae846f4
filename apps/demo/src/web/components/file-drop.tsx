import { useRef } from 'react'
import { MAX_DROPPED_BYTES } from '../../contract.js'
import { useFileDrop } from '../hooks/use-file-drop.js'
import { useTransfers } from '../hooks/use-transfers.js'
import { formatBytes } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { Card } from './card.js'
import { Icon } from './icon.js'
import { TransferRow } from './transfer-row.js'

/** Takes files that are dropped anywhere on the page, or chosen, and shows how they go over. */
export function FileDrop() {
  const { host } = useSurface()
  const { transfers, send, sendAgain, fetch, cancel, remove } = useTransfers()
  const isOver = useFileDrop(send)
  const input = useRef<HTMLInputElement>(null)
  return (
    <Card
      title="Drop a file"
      icon="drop"
      code="await rpc.upload({ name, bytes }, { input })"
      className="dropper"
    >
      <div className="drop-zone" data-over={isOver}>
        <Icon name="drop" />
        <p>
          Drop files anywhere on this page, {formatBytes(MAX_DROPPED_BYTES)} each at the most:{' '}
          {host.within} keeps them in memory, the newest 20.
        </p>
        <button type="button" className="button" onClick={() => input.current?.click()}>
          Choose files
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          onChange={({ currentTarget }) => {
            send([...(currentTarget.files ?? [])])
            // The same file chosen again is another wish.
            currentTarget.value = ''
          }}
        />
      </div>
      {transfers.length > 0 && (
        <ul className="transfers" aria-label="Dropped files">
          {transfers.map((transfer) => (
            <TransferRow
              key={transfer.id}
              transfer={transfer}
              onAgain={() => sendAgain(transfer)}
              onFetch={(kept) => fetch(transfer, kept)}
              onCancel={() => cancel(transfer)}
              onRemove={() => remove(transfer)}
            />
          ))}
        </ul>
      )}
    </Card>
  )
}
