import type { Row } from './report.ts'

const WIDTH = 720
const BAR = 22
const GAP = 8
const LABEL = 150

/** One bar a peer: how many times the baseline it reaches. SVG, readable on light and on dark. */
export function chartOf(title: string, rows: readonly Row[]): string {
  const sorted = [...rows].sort((one, other) => other.ratio - one.ratio)
  const most = Math.max(...sorted.map(({ ratio }) => ratio))
  const scale = (WIDTH - LABEL - 70) / most
  const height = 40 + sorted.length * (BAR + GAP)
  const bars = sorted.map(({ peer, ratio }, index) => {
    const y = 36 + index * (BAR + GAP)
    const isOurs = peer.startsWith('flashrpc')
    const length = Math.max(1, ratio * scale)
    return [
      `<text x="${LABEL - 10}" y="${y + 15}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${peer}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3" fill="${isOurs ? '#d97706' : '#94a3b8'}"/>`,
      `<text x="${(LABEL + length + 8).toFixed(1)}" y="${y + 15}">${ratio.toFixed(2)}</text>`,
    ].join('\n  ')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}" font-family="system-ui, sans-serif" font-size="13" fill="#64748b">`,
    `  <text x="0" y="18" font-weight="bold">${title}</text>`,
    ...bars.map((bar) => `  ${bar}`),
    '</svg>',
    '',
  ].join('\n')
}
