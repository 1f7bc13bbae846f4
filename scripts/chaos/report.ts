import { cpus } from 'node:os'
import { isFlawless, type Verdict } from './judge.ts'
import type { ClusterVerdict } from './judge-cluster.ts'

/** What a scenario found: its figures, by their names, and what of it should not be. */
export interface Outcome {
  readonly figures: readonly (readonly [name: string, value: string | number])[]
  readonly faults: readonly string[]
}

/** The figures of a verdict, and what is wrong with it. */
export function outcomeOf(verdict: Verdict): Outcome {
  const { made, byEnding, offline: _, ...violations } = verdict
  const figures: [string, string | number][] = [['calls', made]]
  for (const [ending, count] of Object.entries(byEnding)) {
    if (count > 0) figures.push([`… ended as ${ending}`, count])
  }
  figures.push(
    ['lost', verdict.lost],
    ['repeated', verdict.repeated],
    ['reordered', verdict.reordered],
    ['wrong outcomes', verdict.wrong + verdict.invented + verdict.unexpected],
    ['never ended, or twice', verdict.hanging + verdict.endedTwice],
  )
  const faults = isFlawless(verdict)
    ? []
    : Object.entries(violations).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  return { figures, faults }
}

/** The figures of a cluster's verdict, and what is wrong with it. */
export function outcomeOfCluster(verdict: ClusterVerdict): Outcome {
  const { made, byEnding, unreached, excused, violations } = verdict
  const counted = (of: Readonly<Record<string, number>>, text: string) =>
    Object.entries(of).flatMap(([name, count]) =>
      count > 0 ? [[text + name, count] as const] : [],
    )
  return {
    figures: [
      ['calls', Object.values(made).reduce((sum, count) => sum + count, 0)],
      ...counted(made, '… '),
      ['targets', Object.values(byEnding).reduce((sum, count) => sum + count, 0)],
      ...counted(byEnding, '… ended as '),
      ['nodes that could not say whom they called', unreached],
      ['calls whose node was killed', excused],
      ...Object.entries(violations).map(([name, { length }]) => [name, length] as const),
    ],
    faults: Object.entries(violations).flatMap(([name, calls]) =>
      calls.length > 0 ? [`${calls.length} ${name} (${calls.slice(0, 5).join(', ')})`] : [],
    ),
  }
}

/** Joins what several looks at one run found. */
export function join(...outcomes: readonly Outcome[]): Outcome {
  return {
    figures: outcomes.flatMap(({ figures }) => figures),
    faults: outcomes.flatMap(({ faults }) => faults),
  }
}

/** The report of a run, as text. */
export function reportOf(name: string, seed: number, seconds: number, outcome: Outcome): string {
  const [cpu] = cpus()
  const rows: (readonly [string, string | number])[] = [
    ['scenario', name],
    ['seed', String(seed)],
    ['machine', `${cpus().length} × ${cpu?.model.trim()}, Node ${process.versions.node}`],
    ['date', new Date().toISOString().slice(0, 10)],
    ['duration', `${seconds.toFixed(1)} s`],
    ...outcome.figures,
    ['verdict', outcome.faults.length === 0 ? 'as promised' : outcome.faults.join(', ')],
  ]
  const width = Math.max(...rows.map(([key]) => key.length))
  return rows.map(([key, value]) => `${key.padEnd(width)}  ${format(value)}`).join('\n')
}

function format(value: string | number): string {
  return typeof value === 'number' ? value.toLocaleString('en-US').replaceAll(',', ' ') : value
}
