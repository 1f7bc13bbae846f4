import { useLayoutEffect, useRef } from 'react'
import { MAX_DROPPED_BYTES } from '../../contract.js'
import { useFileDrop } from '../hooks/use-file-drop.js'
import { useTransfers } from '../hooks/use-transfers.js'
import { formatBytes } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { Card } from './card.js'
import { TransferRow } from './transfer-row.js'

/** Takes files that are dropped anywhere on the page, or chosen, and shows how they go over. */
export function FileDrop() {
  const { host } = useSurface()
  const { transfers, send, sendAgain, fetch, cancel, remove } = useTransfers()
  const isOver = useFileDrop(send)
  const input = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const newest = transfers[0]?.id ?? 0
  const shown = useRef(0)
  // Dropped anywhere on the page, it is seen where it is shown; if it is in view already, nothing moves.
  useLayoutEffect(() => {
    if (newest <= shown.current || !list.current) return
    shown.current = newest
    list.current.scrollTop = 0
    list.current.firstElementChild?.scrollIntoView({ block: 'nearest' })
  }, [newest])
  return (
    <Card
      title="Drop a file"
      icon="drop"
      code="await rpc.upload({ name, bytes }, { input })"
      className="dropper"
    >
      <div className="drop-zone" data-over={isOver}>
        <p>
          Drop files anywhere on this page, up to {formatBytes(MAX_DROPPED_BYTES)} each.{' '}
          {host.begin} keeps the newest 20 in memory.
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
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which has to be possible by keyboard
        <ul className="transfers" ref={list} aria-label="Dropped files" tabIndex={0}>
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
