import type { Sample } from './scenarios.ts'
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
  readonly cpu: number | undefined
  readonly cpuRatio: number | undefined
  readonly peakRatio: number | undefined
  readonly resident: number | undefined
  readonly residentRatio: number | undefined
}

export function rowsOf({ baseline, figure, samples, peaks }: Measurements): Row[] {
  const ratios = (peer: string, key: keyof Sample) =>
    (samples[peer] ?? []).flatMap((sample, round) => {
      const [own, base] = [sample[key], samples[baseline]?.[round]?.[key]]
      return own === undefined || !base ? [] : [own / base]
    })
  const medianOf = (numbers: readonly number[]) =>
    numbers.length > 0 ? median(numbers) : undefined
  return Object.entries(samples).map(([peer, own]) => {
    const figures = ratios(peer, figure)
    const [peak, basePeak] = [peaks[peer], peaks[baseline]]
    return {
      peer,
      value: median(own.flatMap((sample) => sample[figure] ?? [])),
      ratio: median(figures),
      spread: spread(figures),
      cpu: medianOf(own.flatMap((sample) => sample.cpu ?? [])),
      cpuRatio: medianOf(ratios(peer, 'cpu')),
      peakRatio: peak && basePeak ? peak / basePeak : undefined,
      resident: medianOf(own.flatMap((sample) => sample.resident ?? [])),
      residentRatio: medianOf(ratios(peer, 'resident')),
    }
  })
}

const FIGURES: Readonly<Record<keyof Sample, (value: number) => string>> = {
  rate: (value) => `${count(value)}/s`,
  time: (value) => `${value.toFixed(3)} ms`,
  cpu: (value) => `${value.toFixed(1)} µs`,
  memory: kibibytes,
  resident: kibibytes,
}

/** A table in Markdown. */
export function tableOf(measurements: Measurements): string {
  const { title, baseline, figure } = measurements
  const head = [
    'peer',
    figure,
    `× ${baseline}`,
    '±',
    'CPU a call',
    '×',
    'peak memory ×',
    'resident',
    '×',
  ]
  const ratio = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2))
  const lines = rowsOf(measurements).map((row) => [
    row.peer,
    FIGURES[figure](row.value),
    ratio(row.ratio),
    ratio(row.spread),
    row.cpu === undefined ? '' : FIGURES.cpu(row.cpu),
    ratio(row.cpuRatio),
    ratio(row.peakRatio),
    row.resident === undefined ? '' : FIGURES.resident(row.resident),
    ratio(row.residentRatio),
  ])
  const used = head.map((_, column) => lines.some((line) => line[column] !== ''))
  const write = (cells: readonly string[]) => `| ${cells.filter((_, n) => used[n]).join(' | ')} |`
  const rule = write(head.map((_, column) => (column === 0 ? '---' : '--:')))
  return [`### ${title}`, '', write(head), rule, ...lines.map(write)].join('\n')
}

function kibibytes(value: number): string {
  return `${(value / 1024).toFixed(1)} KiB`
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
