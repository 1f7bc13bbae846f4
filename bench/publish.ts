import { readFile, writeFile } from 'node:fs/promises'
import { chartOf } from './chart.ts'
import { type Growth, growthTables } from './growth.ts'
import { type Measurements, rowsOf, tableOf } from './report.ts'

/** Makes the tables of docs/performance.md, and its chart, of what main.ts has written as JSON. */

const [file = ''] = process.argv.slice(2)
const { machine, results, growth } = JSON.parse(await readFile(file, 'utf8')) as {
  machine: { date: string; node: string; cpu: string; cores: number; platform: string }
  results: Measurements[]
  growth: Growth
}
const page = new URL('../docs/performance.md', import.meta.url)
const chart = new URL('../docs/images/performance.svg', import.meta.url)

const { date, node, cpu, cores, platform } = machine
const measured = `Measured on ${date}: ${cores} × ${cpu}, ${platform}, Node ${node}.`
const tables = [measured, ...results.map(tableOf)].join('\n\n')
const between = (text: string, name: string, content: string) =>
  text.replace(
    new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`),
    (_, begin, end) => `${begin}\n\n${content}\n\n${end}`,
  )
const text = await readFile(page, 'utf8')
await writeFile(page, between(between(text, 'tables', tables), 'growth', growthTables(growth)))

const inFlight = results.find(({ name }) => name === 'in-flight')
if (inFlight) {
  const title = '64 calls in flight: calls a second, × a hand-written loop over ws'
  await writeFile(chart, chartOf(title, rowsOf(inFlight)))
}
