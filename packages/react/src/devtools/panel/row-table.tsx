import { type KeyboardEvent, memo, type ReactElement } from 'react'
import type { Row } from '../row.js'
import { formatBytes, formatCount, formatDuration, formatTime } from './format.js'

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
          <th scope="col" className="time">
            Time
          </th>
          <th scope="col">
            <span className="far">Direction</span>
          </th>
          <th scope="col" className="kind">
            Kind
          </th>
          <th scope="col">Method</th>
          <th scope="col">Outcome</th>
          <th scope="col" className="number">
            Duration
          </th>
          <th scope="col" className="number size">
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

/** How an outcome is coloured. */
export const TONES: Readonly<Record<Row['outcome'], 'good' | 'bad' | 'none'>> = {
  pending: 'none',
  done: 'good',
  error: 'bad',
  'given up': 'none',
  lost: 'bad',
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
    // The button in it is for the keyboard; a pointer may click anywhere.
    <tr
      data-selected={isSelected ? '' : undefined}
      data-key={row.key}
      onClick={() => onSelect(row.key)}
    >
      <td className="time">{formatTime(row.startedAt)}</td>
      <td>
        {row.direction === 'out' ? '→' : '←'}
        <span className="far"> server</span>
      </td>
      <td className="kind">{row.kind}</td>
      <td className="wide">
        <button type="button" aria-expanded={isSelected} title={row.method}>
          {row.method}
        </button>
      </td>
      <td className="outcome" data-tone={TONES[row.outcome]}>
        {describe(row)}
      </td>
      <td className="number">{formatDuration(row.durationMs)}</td>
      <td className="number size">{formatBytes(row.bytes)}</td>
    </tr>
  )
})

/** The outcome, and the details that a reader must see at once. */
function describe({ outcome, answer, items, resent, progress }: Row): string {
  const code = answer && 'error' in answer ? (answer.error as { code?: unknown })?.code : undefined
  return [
    outcome,
    code !== undefined && String(code),
    items > 0 && formatCount(items, 'item'),
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
