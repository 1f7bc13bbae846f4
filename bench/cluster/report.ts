import type { Figures, Size } from './measure.ts'

type Results = ReadonlyMap<string, Figures>

/** The tables in Markdown. */
export function tablesOf(results: Results, size: Size): string {
  const rows = [...results]
  const clients = (3 * size.clients).toLocaleString('en-US')
  const calls = table(
    ['peer', 'own target', 'remote', 'added', `all ${clients}`, 'CPU a target', '× own node’s'],
    rows.map(([peer, { own, remote, all, allCpu, ownCpu }]) => [
      peer,
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
    rows.map(([peer, { published, woken, inVain, noted }]) => [
      peer,
      String(published),
      String(woken),
      String(inVain),
      `${Math.round(noted)} ms`,
    ]),
  )
  const kills = table(
    ['peer', 'the call ends after: p50', 'p95', 'targets', 'without an outcome', 'wrong'],
    rows.map(([peer, { kills }]) => [
      peer,
      `${Math.round(kills.median)} ms`,
      `${Math.round(kills.p95)} ms`,
      String(kills.targets),
      String(kills.missing),
      String(kills.wrong),
    ]),
  )
  const relayed = table(
    ['peer', 'direct: p50', 'relayed', 'added', 'relayed, 64 in flight', '× direct'],
    rows.flatMap(([peer, { relayed }]) =>
      relayed
        ? [
            [
              peer,
              ms(relayed.direct),
              ms(relayed.relayed),
              ms(relayed.relayed - relayed.direct),
              `${Math.round(relayed.relayedRate).toLocaleString('en-US')}/s`,
              (relayed.relayedRate / relayed.directRate).toFixed(2),
            ],
          ]
        : [],
    ),
  )
  return [
    `### Three nodes: calls\n\n${calls}`,
    `### Three nodes: a message to a group, and how often each node is woken by it\n\n${notes}`,
    `### Three nodes: SIGKILL of one in mid-call\n\n${kills}`,
    `### A session whose client is at another node\n\n${relayed}`,
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [head, rule, ...rows].map(line).join('\n')
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
