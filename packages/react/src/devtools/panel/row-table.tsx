import { type KeyboardEvent, memo, type ReactElement } from 'react'
import type { Row } from '../row.js'
import { formatBytes, formatDuration, formatTime } from './format.js'

/** Rows as a table. Arrows, Home and End go from one to another; Enter opens one. */
export function RowTable({
  rows,
  selected,
  onSelect,
}: {
  rows: readonly Row[]
  selected: number | undefined
  onSelect: (key: number) => void
}): ReactElement {
  return (
    <table>
      <caption hidden>Calls, streams and notifications, the newest first</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Way</th>
          <th scope="col">Kind</th>
          <th scope="col">Method</th>
          <th scope="col">Outcome</th>
          <th scope="col" className="number">
            Duration
          </th>
          <th scope="col" className="number">
            Size
          </th>
        </tr>
      </thead>
      <tbody onKeyDown={moveFocus}>
        {rows.map((row) => (
          <RowLine key={row.key} row={row} isSelected={row.key === selected} onSelect={onSelect} />
        ))}
      </tbody>
    </table>
  )
}

/** Rows that have not changed are the same object. */
const RowLine = memo(function RowLine({
  row,
  isSelected,
  onSelect,
}: {
  row: Row
  isSelected: boolean
  onSelect: (key: number) => void
}) {
  return (
    <tr data-selected={isSelected ? '' : undefined} data-key={row.key}>
      <td>{formatTime(row.startedAt)}</td>
      <td>{row.direction === 'out' ? '→ server' : '← server'}</td>
      <td>{row.kind}</td>
      <td className="wide">
        <button type="button" aria-expanded={isSelected} onClick={() => onSelect(row.key)}>
          {row.method}
        </button>
      </td>
      <td data-outcome={row.outcome}>{describe(row)}</td>
      <td className="number">{formatDuration(row.durationMs)}</td>
      <td className="number">{formatBytes(row.bytes)}</td>
    </tr>
  )
})

/** The outcome, and what else has to be seen at once. */
function describe({ outcome, answer, items, resent, progress }: Row): string {
  const code = answer && 'error' in answer ? (answer.error as { code?: unknown })?.code : undefined
  return [
    outcome,
    code !== undefined && String(code),
    items > 0 && `${items} items`,
    outcome === 'pending' && typeof progress === 'number' && `at ${progress}`,
    resent > 0 && `sent again ${resent}×`,
  ]
    .filter(Boolean)
    .join(', ')
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const buttons = [...event.currentTarget.querySelectorAll('button')]
  const at = buttons.indexOf(event.target as HTMLButtonElement)
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: buttons.length - 1,
  }[event.key]
  if (at < 0 || to === undefined) return
  event.preventDefault()
  buttons[to]?.focus()
}
