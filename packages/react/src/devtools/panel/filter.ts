import type { Row } from '../row.js'
import { formatJson } from './format.js'

/** Which rows are shown. */
export interface Filter {
  /** In the method's name, the params or the answer; case does not matter. */
  readonly text: string
  readonly kind: 'all' | 'call' | 'stream' | 'notification'
  readonly direction: 'all' | Row['direction']
  readonly outcome: 'all' | Row['outcome']
  /** Whether the protocol's own words are shown. */
  readonly protocol: boolean
}

export const NO_FILTER: Filter = {
  text: '',
  kind: 'all',
  direction: 'all',
  outcome: 'all',
  protocol: false,
}

export function matches(row: Row, { text, kind, direction, outcome, protocol }: Filter): boolean {
  if (row.kind === 'protocol' ? !protocol : kind !== 'all' && row.kind !== kind) return false
  if (direction !== 'all' && row.direction !== direction) return false
  if (outcome !== 'all' && row.outcome !== outcome) return false
  if (text === '') return true
  const sought = text.toLowerCase()
  if (row.method.toLowerCase().includes(sought)) return true
  return formatJson([row.params, row.answer]).toLowerCase().includes(sought)
}
