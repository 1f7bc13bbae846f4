import type { ReactElement } from 'react'
import type { Filter } from './filter.js'
import { Select } from './select.js'

const KINDS = { all: 'Everything', call: 'Calls', stream: 'Streams', notification: 'Notifications' }
const DIRECTIONS = { all: 'Both ways', out: 'To the server', in: 'From the server' }
const OUTCOMES = {
  all: 'Any outcome',
  pending: 'Pending',
  done: 'Done',
  error: 'Error',
  'given up': 'Given up',
  lost: 'Lost',
}

/** Says which rows are shown. */
export function FilterBar({
  filter,
  onChange,
}: {
  filter: Filter
  onChange: (filter: Filter) => void
}): ReactElement {
  const change = (part: Partial<Filter>) => onChange({ ...filter, ...part })
  return (
    <search className="bar">
      <input
        type="search"
        aria-label="Filter by text"
        placeholder="Filter"
        value={filter.text}
        onChange={(event) => change({ text: event.target.value })}
      />
      <Select
        label="Kind"
        options={KINDS}
        value={filter.kind}
        onChange={(kind) => change({ kind })}
      />
      <Select
        label="Direction"
        options={DIRECTIONS}
        value={filter.direction}
        onChange={(direction) => change({ direction })}
      />
      <Select
        label="Outcome"
        options={OUTCOMES}
        value={filter.outcome}
        onChange={(outcome) => change({ outcome })}
      />
      <label title="Messages of the protocol itself">
        <input
          type="checkbox"
          checked={filter.protocol}
          onChange={(event) => change({ protocol: event.target.checked })}
        />
        Protocol
      </label>
    </search>
  )
}
