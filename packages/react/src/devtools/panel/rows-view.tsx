import {
  type KeyboardEvent,
  type ReactElement,
  useCallback,
  useDeferredValue,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { useStore } from 'zustand'
import { Bolt } from '../bolt.js'
import type { Recorder } from '../recorder.js'
import { matches, NO_FILTER } from './filter.js'
import { FilterBar } from './filter-bar.js'
import { formatCount } from './format.js'
import { RowDetails } from './row-details.js'
import { RowTable } from './row-table.js'

/** So many rows are rendered, until more are asked for. */
const PAGE = 200

/** The messages, live, the newest on top, and the details of one of them. */
export function RowsView({ recorder }: { recorder: Recorder }): ReactElement {
  const { rows, dropped, isPaused } = useStore(recorder.store)
  const [filter, setFilter] = useState(NO_FILTER)
  const [most, setMost] = useState(PAGE)
  const [selected, select] = useState<number>()
  // Typing goes ahead of a long list.
  const shownBy = useDeferredValue(filter)
  const shown = rows.filter((row) => matches(row, shownBy)).reverse()
  const row = rows.find(({ key }) => key === selected)
  const view = useRef<HTMLDivElement>(null)
  // A button that had the focus is gone: the first of these that is there has it next.
  const focusNext = useRef<readonly string[]>([])
  useLayoutEffect(() => {
    const found = focusNext.current.map((one) => view.current?.querySelector<HTMLElement>(one))
    focusNext.current = []
    found.find((element) => element)?.focus()
  })
  const close = () => {
    focusNext.current = [`[data-key='${selected}'] button`, 'input']
    select(undefined)
  }
  const toggle = useCallback(
    (key: number) => select((before) => (before === key ? undefined : key)),
    [],
  )
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !row) return
    // Not the panel, too.
    event.stopPropagation()
    close()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears what those in it were given
    <div className="view" ref={view} onKeyDown={onKeyDown}>
      <FilterBar filter={filter} onChange={setFilter} />
      <div className="split">
        <div className="scroll">
          {shown.length > 0 && (
            <RowTable rows={shown.slice(0, most)} selected={selected} onSelect={toggle} />
          )}
          {rows.length === 0 && (
            <div className="empty">
              <Bolt />
              <h3>{isPaused ? 'Paused' : 'Nothing has passed yet'}</h3>
              <p>
                {isPaused
                  ? 'New calls are not recorded. Press Pause again to go on.'
                  : 'Each call, stream and notification between this page and its server is shown here.'}
              </p>
            </div>
          )}
          {rows.length > 0 && shown.length === 0 && (
            <div className="empty">
              <h3>No row matches.</h3>
              <p>The filter hides {formatCount(rows.length, 'row')}.</p>
              <button
                type="button"
                onClick={() => {
                  focusNext.current = ['input']
                  setFilter({ ...NO_FILTER, protocol: true })
                }}
              >
                Show all
              </button>
            </div>
          )}
          {shown.length > most && (
            <p>
              <button
                type="button"
                onClick={() => {
                  focusNext.current = [`tbody tr:nth-child(${most + 1}) button`]
                  setMost(most + PAGE)
                }}
              >
                Show {Math.min(PAGE, shown.length - most)} older of {shown.length - most}
              </button>
            </p>
          )}
          {dropped > 0 && (
            <p className="muted">
              {formatCount(dropped, 'older row')} {dropped === 1 ? 'was' : 'were'} dropped.
            </p>
          )}
        </div>
        {row && <RowDetails key={row.key} row={row} client={recorder.client} onClose={close} />}
      </div>
    </div>
  )
}
