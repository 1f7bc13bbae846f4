import type { Sample } from './scenario.ts'
import { median, spread } from './statistics.ts'

/** All that was measured in one scenario. */
export interface Measurements {
  readonly name: string
  readonly title: string
  /** The peer that the others are measured against. */
  readonly baseline: string
  readonly figure: keyof Sample
  /** By peer, one a round. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>
  /** By peer, in bytes: the most that its processes had. */
  readonly peaks: Readonly<Record<string, number | undefined>>
}

/** One peer in one scenario, as ratios against the baseline within a round. */
export interface Row {
  readonly peer: string
  /** The figure itself: its median. */
  readonly value: number
  readonly ratio: number
  readonly spread: number
  /** All else that was measured of it. */
  readonly others: Readonly<Partial<Record<keyof Sample, Figure>>>
  readonly peakRatio: number | undefined
}

interface Figure {
  /** Its median. */
  readonly value: number
  readonly ratio: number
}

export function rowsOf({ baseline, figure, samples, peaks }: Measurements): Row[] {
  const ratios = (peer: string, key: keyof Sample) =>
    (samples[peer] ?? []).flatMap((sample, round) => {
      const [own, base] = [sample[key], samples[baseline]?.[round]?.[key]]
      return own === undefined || !base ? [] : [own / base]
    })
  return Object.entries(samples).map(([peer, own]) => {
    const figures = ratios(peer, figure)
    const [peak, basePeak] = [peaks[peer], peaks[baseline]]
    return {
      peer,
      value: median(own.flatMap((sample) => sample[figure] ?? [])),
      ratio: median(figures),
      spread: spread(figures),
      others: Object.fromEntries(
        KEYS.flatMap((key) => {
          const values = own.flatMap((sample) => sample[key] ?? [])
          if (key === figure || values.length === 0) return []
          return [[key, { value: median(values), ratio: median(ratios(peer, key)) }]]
        }),
      ),
      peakRatio: peak && basePeak ? peak / basePeak : undefined,
    }
  })
}

interface Column {
  readonly head: string
  write(value: number): string
}

/** In the order of a table's columns. */
const FIGURES: Readonly<Record<keyof Sample, Column>> = {
  rate: { head: 'rate', write: (value) => `${count(value)}/s` },
  time: { head: 'time', write: milliseconds },
  cpu: { head: 'CPU a call', write: microseconds },
  firstCpu: { head: 'of the first', write: microseconds },
  memory: { head: 'memory', write: kibibytes },
  resident: { head: 'resident', write: kibibytes },
  clientImport: { head: 'client', write: (value) => `${value.toFixed(1)} ms` },
  serverImport: { head: 'server', write: (value) => `${value.toFixed(1)} ms` },
}
const KEYS = Object.keys(FIGURES) as (keyof Sample)[]

/** A table in Markdown. */
export function tableOf(measurements: Measurements): string {
  return [`### ${measurements.title}`, '', ...linesOf(measurements)].join('\n')
}

/**
 * A table in Markdown of one peer, measured against another one.
 *
 * @returns undefined where one of them was not measured.
 */
export function comparisonOf(
  measurements: Measurements,
  peer: string,
  against: string,
): string | undefined {
  const [own, other] = [measurements.samples[peer], measurements.samples[against]]
  if (!own || !other) return undefined
  const samples = { [peer]: own, [against]: other }
  return linesOf({ ...measurements, baseline: against, samples }).join('\n')
}

function linesOf(measurements: Measurements): string[] {
  const { baseline, figure } = measurements
  const rows = rowsOf(measurements)
  const others = KEYS.filter((key) => rows.some((row) => row.others[key]))
  const hasPeaks = rows.some((row) => row.peakRatio !== undefined)
  const ratio = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const head = [
    'peer',
    FIGURES[figure].head,
    `× ${baseline}`,
    '±',
    ...others.flatMap((key) => [FIGURES[key].head, '×']),
    ...(hasPeaks ? ['peak memory ×'] : []),
  ]
  return [
    line(head),
    line(head.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map((row) =>
      line([
        row.peer,
        FIGURES[figure].write(row.value),
        ratio(row.ratio),
        ratio(row.spread),
        ...others.flatMap((key) => {
          const other = row.others[key]
          return other ? [FIGURES[key].write(other.value), ratio(other.ratio)] : ['', '']
        }),
        ...(hasPeaks ? [ratio(row.peakRatio)] : []),
      ]),
    ),
  ]
}

function milliseconds(value: number): string {
  return `${value.toFixed(3)} ms`
}

function microseconds(value: number): string {
  return `${value.toFixed(1)} µs`
}

function kibibytes(value: number): string {
  return `${(value / 1024).toFixed(1)} KiB`
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
