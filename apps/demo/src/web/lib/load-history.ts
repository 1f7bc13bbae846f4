import type { Load } from '../../contract.js'

/** How far back the chart looks, in seconds. */
export const SPAN_S = 90
/** Seconds without a sample after which the line breaks: nobody knows what was there. */
const GAP_S = 3

/** One measurement, when it came, both as shares. */
export interface Sample {
  /** In seconds, on the page's own clock. */
  readonly at: number
  readonly cpu: number
  readonly memory: number
}

/** The history with one more measurement, without what the chart no longer shows. */
export function withLoad(history: readonly Sample[], load: Load, at: number): readonly Sample[] {
  const { used, total } = load.memory
  const sample = { at, cpu: load.cpu, memory: total > 0 ? used / total : 0 }
  return [...history.filter((one) => at - one.at < SPAN_S + GAP_S), sample]
}

/** The size of the chart in its own units: a second is so and so wide, the newest sample at the right. */
export const CHART = { width: 900, height: 100 }

/** SVG paths of one quantity: the line, and the area under it. Both break where samples are missing. */
export function drawHistory(
  history: readonly Sample[],
  quantity: 'cpu' | 'memory',
): { line: string; area: string } {
  const end = history.at(-1)?.at ?? 0
  const xOf = ({ at }: Sample) => (CHART.width * (1 - (end - at) / SPAN_S)).toFixed(1)
  let line = ''
  let area = ''
  for (const piece of pieces(history)) {
    const [first, last] = [piece[0], piece.at(-1)]
    if (!first || !last) continue
    const points = piece
      .map((sample) => `${xOf(sample)} ${(CHART.height * (1 - sample[quantity])).toFixed(2)}`)
      .join('L')
    line += `M${points}`
    area += `M${xOf(first)} ${CHART.height}L${points}L${xOf(last)} ${CHART.height}Z`
  }
  return { line, area }
}

/** How far the newest sample moved the others, as a share of the chart's width; 0 after a gap. */
export function lastShift(history: readonly Sample[]): number {
  const [before, last] = history.slice(-2)
  if (!before || !last || last.at - before.at > GAP_S) return 0
  return (last.at - before.at) / SPAN_S
}

function pieces(history: readonly Sample[]): Sample[][] {
  const found: Sample[][] = []
  let before = Number.NEGATIVE_INFINITY
  for (const sample of history) {
    if (sample.at - before > GAP_S) found.push([])
    found.at(-1)?.push(sample)
    before = sample.at
  }
  return found
}
