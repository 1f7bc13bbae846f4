import type { Figures, Size } from './measure.ts'

type Results = ReadonlyMap<string, Figures>

/** The tables in Markdown. */
export function tablesOf(results: Results, size: Size): string {
  const clients = (3 * size.clients).toLocaleString('en-US')
  const calls = table(
    ['peer', 'own target', 'remote', 'added', `all ${clients}`, 'CPU a target', '× own node’s'],
    rowsOf(results, 'calls', ({ own, remote, all, allCpu, ownCpu }) => [
      ms(own),
      ms(remote),
      ms(remote - own),
      `${Math.round(all)} ms`,
      `${allCpu.toFixed(1)} µs`,
      (allCpu / ownCpu).toFixed(2),
    ]),
  )
  const notes = table(
    ['peer', 'published', 'a node with members', 'a node without', `last of ${clients} has it`],
    rowsOf(results, 'notes', ({ published, woken, inVain, noted }) => [
      String(published),
      String(woken),
      String(inVain),
      `${Math.round(noted)} ms`,
    ]),
  )
  const kills = table(
    ['peer', 'the call ends after: p50', 'p95', 'targets', 'without an outcome', 'wrong'],
    rowsOf(results, 'kills', (kills) => [
      `${Math.round(kills.median)} ms`,
      `${Math.round(kills.p95)} ms`,
      String(kills.targets),
      String(kills.missing),
      String(kills.wrong),
    ]),
  )
  const relayed = table(
    ['peer', 'direct: p50', 'relayed', 'added', 'relayed, 64 in flight', '× direct'],
    rowsOf(results, 'relayed', ({ direct, relayed, added, relayedRate, ratio }) => [
      ms(direct),
      ms(relayed),
      ms(added),
      `${Math.round(relayedRate).toLocaleString('en-US')}/s`,
      ratio.toFixed(2),
    ]),
  )
  const tables = {
    'Three nodes: calls': calls,
    'Three nodes: a message to a group, and how often each node is woken by it': notes,
    'Three nodes: SIGKILL of one in mid-call': kills,
    'A session whose client is at another node': relayed,
  }
  return Object.entries(tables)
    .flatMap(([title, table]) => (table === undefined ? [] : [`### ${title}\n\n${table}`]))
    .join('\n\n')
}

/** A row for each peer with which a scenario was measured. */
function rowsOf<Name extends keyof Figures>(
  results: Results,
  scenario: Name,
  cells: (figures: NonNullable<Figures[Name]>) => readonly string[],
): (readonly string[])[] {
  return Array.from(results).flatMap(([peer, { [scenario]: figures }]) =>
    figures === undefined ? [] : [[peer, ...cells(figures as NonNullable<Figures[Name]>)]],
  )
}

/** @returns undefined if it would have no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length === 0) return undefined
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [head, rule, ...rows].map(line).join('\n')
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
