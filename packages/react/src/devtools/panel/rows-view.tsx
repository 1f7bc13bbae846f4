import { type KeyboardEvent, type ReactElement, useDeferredValue, useState } from 'react'
import { useStore } from 'zustand'
import type { Recorder } from '../recorder.js'
import { matches, NO_FILTER } from './filter.js'
import { FilterBar } from './filter-bar.js'
import { RowDetails } from './row-details.js'
import { RowTable } from './row-table.js'

/** So many rows are rendered, until more are asked for. */
const PAGE = 200

/** What passes, live, the newest on top; and one of it in detail. */
export function RowsView({ recorder }: { recorder: Recorder }): ReactElement {
  const { rows, dropped } = useStore(recorder.store)
  const [filter, setFilter] = useState(NO_FILTER)
  const [most, setMost] = useState(PAGE)
  const [selected, select] = useState<number>()
  // Typing goes ahead of a long list.
  const shownBy = useDeferredValue(filter)
  const shown = rows.filter((row) => matches(row, shownBy)).reverse()
  const row = rows.find(({ key }) => key === selected)
  const closeDetails = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !row) return
    // Not the panel, too.
    event.stopPropagation()
    select(undefined)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears what those in it were given
    <div className="view" onKeyDown={closeDetails}>
      <FilterBar filter={filter} onChange={setFilter} />
      <div className="split">
        <div className="scroll">
          <RowTable rows={shown.slice(0, most)} selected={selected} onSelect={select} />
          {shown.length === 0 && (
            <p className="muted">
              {rows.length === 0 ? 'Nothing has passed yet.' : 'No row matches.'}
            </p>
          )}
          {shown.length > most && (
            <p>
              <button type="button" onClick={() => setMost(most + PAGE)}>
                Show {Math.min(PAGE, shown.length - most)} older of {shown.length - most}
              </button>
            </p>
          )}
          {dropped > 0 && <p className="muted">{dropped} older rows were dropped.</p>}
        </div>
        {row && (
          <RowDetails
            key={row.key}
            row={row}
            client={recorder.client}
            onClose={() => select(undefined)}
          />
        )}
      </div>
    </div>
  )
}
