import { readFile, writeFile } from 'node:fs/promises'
import { chartOf } from './chart.ts'
import type { Figures, Size } from './cluster/measure.ts'
import { tablesOf } from './cluster/report.ts'
import { type Growth, growthTables } from './growth.ts'
import { type Measurements, rowsOf, tableOf } from './report.ts'

/** Makes the tables of docs/performance.md, and its chart, of what `bench` or `bench cluster` has written as JSON. */

const [file = ''] = process.argv.slice(2)
const { machine, results, growth, cluster } = JSON.parse(await readFile(file, 'utf8')) as {
  machine: Machine
  results: Measurements[]
  growth: Growth
  cluster?: { size: Size; results: [string, Figures][] }
}

interface Machine {
  readonly date: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  /** Of the minute before. */
  readonly load?: number
}

const page = new URL('../docs/performance.md', import.meta.url)
const chart = new URL('../docs/images/performance.svg', import.meta.url)

const { date, node, cpu, cores, platform, load } = machine
const measured = `Measured on ${date}: ${cores} × ${cpu}, ${platform}, Node ${node}.`
const between = (text: string, name: string, content: string) =>
  text.replace(
    new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, begin, end) => `${begin}\n\n${content}\n\n${end}`,
  )
const text = await readFile(page, 'utf8')
if (cluster) {
  const tables = tablesOf(new Map(cluster.results), cluster.size)
  const all = `${measured} The machine had a load of ${load?.toFixed(1)} before.\n\n${tables}`
  await writeFile(page, between(text, 'cluster', all))
  process.exit()
}
const tables = [measured, ...results.map(tableOf)].join('\n\n')
await writeFile(page, between(between(text, 'tables', tables), 'growth', growthTables(growth)))

const inFlight = results.find(({ name }) => name === 'in-flight')
if (inFlight) {
  const title = '64 calls in flight: calls a second, × a hand-written loop over ws'
  await writeFile(chart, chartOf(title, rowsOf(inFlight)))
}
